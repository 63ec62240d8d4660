"""Forms: of the vendor’s staff, of visitors without a login, and of customers on a quote’s page and asking for one."""

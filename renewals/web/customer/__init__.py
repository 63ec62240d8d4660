"""Pages for customers: their own things after logging in, and a quote by its link."""

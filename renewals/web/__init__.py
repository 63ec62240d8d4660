"""The pages of selling: staff.py for the sales desk (customers' and finance's pages come beside it)."""

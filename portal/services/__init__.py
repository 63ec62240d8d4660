"""What is done about people: users.py (who logs in as what), customers.py (customers and their contacts), logins.py
(how those log in)."""

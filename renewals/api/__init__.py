"""The API of what is sold: dongles.py, quotes.py, orders.py, and lines.py with what they share.

It parses input into the services' values and presents what overviews and queries give, as the pages do.
"""

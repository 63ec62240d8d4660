"""What is done in selling: quotes.py (draft, approve, send, decline), orders.py (accept, fulfil), cancellations.py."""

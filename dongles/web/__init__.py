"""Pages of what is out there: of the vendor’s staff (staff.py), of customers, and for their software."""

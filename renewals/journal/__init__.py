"""The journal that the ERP takes in: what a close posted, as balanced double entries, in two layouts. Pure.

accounts.py finds the account, postings.py makes the entries; generic.py and datev.py write them as files.
"""

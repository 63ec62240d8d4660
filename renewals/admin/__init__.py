"""The back office for what is sold: terms.py keeps price lists, policy and tax, records.py lets look at the rest."""

from renewals.admin import records, terms

__all__ = ["records", "terms"]

"""The pricing rules (RULEBOOK, D, C, P and Q1's new dates): frozen values in, frozen values out.

engine.py calls the rules in order, one file a rule; terms.py holds the values; explain.py prints the arithmetic.
"""

from renewals.pricing.terms import (
    AddedLicence,
    Discount,
    Line,
    Policy,
    Price,
    PricedDongle,
    PriceList,
    Request,
    Step,
)

__all__ = ["AddedLicence", "Discount", "Line", "Policy", "Price", "PriceList", "PricedDongle", "Request", "Step"]

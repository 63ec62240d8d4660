"""P9: tax on the sum of the net lines."""

from fractions import Fraction

from renewals.pricing.rounding import round_half_up


def tax_on(net: int, rate: Fraction) -> int:
    """P9: the tax on a sum of net lines of one rate, rounded once."""
    return round_half_up(net * rate.numerator, rate.denominator)

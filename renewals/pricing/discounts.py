"""P8: discounts, one after the other, each rounded."""

from collections.abc import Mapping
from fractions import Fraction

from renewals.pricing.rounding import round_half_up
from renewals.pricing.terms import NO_RATE, Discount


def multi_year_rate(steps: Mapping[int, Fraction], years: int) -> Fraction:
    """P8: the step of the highest number of years reached."""
    reached = [number for number in steps if number <= years]
    return steps[max(reached)] if reached else NO_RATE


def discounts_on(amount: int, multi_year: Fraction, negotiated: Fraction) -> tuple[Discount, ...]:
    """P8: the discounts on an amount, negative; a rate of 0 leaves no step."""
    found = []
    for reason, rate in (("multi_year", multi_year), ("negotiated", negotiated)):
        if rate:
            off = round_half_up(amount * rate.numerator, rate.denominator)
            found.append(Discount(reason, rate, -off))
            amount -= off
    return tuple(found)

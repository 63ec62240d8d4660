"""Rounding of money: half up, away from zero, in integers."""


def round_half_up(numerator: int, denominator: int) -> int:
    """numerator ÷ denominator rounded to an integer, a half away from zero. The denominator is positive."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))

"""P7: a licence that comes back having missed major releases buys an upgrade to the current one."""

from renewals.pricing.rounding import round_half_up
from renewals.pricing.terms import Policy, Price, Step


def upgrade_price(policy: Policy, price: Price, seats: int, missed: int) -> tuple[int, tuple[Step, ...]]:
    """P7: upgrade price × seats, for each missed or once, at most the cap, never below the SMA that it includes."""
    times = missed if policy.missed_majors == "each" else 1
    amount = price.upgrade * seats * times
    steps: tuple[Step, ...] = (Step("P7", "upgrade", (price.upgrade, seats, times), amount),)
    cap = policy.upgrade_cap
    if cap is None:
        return amount, steps
    most = round_half_up(price.licence * seats * cap.numerator, cap.denominator)
    months = max(12, policy.upgrade_includes_months)
    least = round_half_up(price.sma_year * seats * months, 12)
    if amount <= max(most, least):
        return amount, steps
    steps += (Step("P7", "upgrade_cap", (price.licence, seats, cap.numerator, cap.denominator), most),)
    if least > most:
        steps += (Step("P7", "upgrade_floor", (price.sma_year, seats, months), least),)
    return max(most, least), steps

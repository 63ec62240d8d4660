"""P6: a licence that comes back without having missed a major release: back pay and the reinstatement fee."""

from datetime import date

from dongles.terms import ONE_DAY, Months, months_in
from renewals.pricing.rounding import round_half_up
from renewals.pricing.sma import price_of_months
from renewals.pricing.terms import Policy, Price, Step


def back_pay(
    policy: Policy, price: Price, seats: int, covered_through: date, on: date
) -> tuple[Months, int, tuple[Step, ...]] | None:
    """P6: the gap at the SMA price, at most what an upgrade costs beyond its SMA; none where the gap is empty."""
    gap = months_in(covered_through + ONE_DAY, on - ONE_DAY)
    if gap == (0, 0, 0):
        return None
    amount = price_of_months(price.sma_year, seats, gap, policy.part_month)
    months = policy.upgrade_includes_months
    most = round_half_up((12 * price.upgrade - price.sma_year * months) * seats, 12)
    steps = (
        Step("P6", f"back_pay_{policy.part_month}", (price.sma_year, seats, *gap), amount),
        Step("P6", "back_pay_cap", (price.upgrade, price.sma_year, months, seats), most),
    )
    return gap, min(amount, most), steps


def reinstatement_fee(policy: Policy, price: Price, seats: int) -> int:
    """P6: a rate of the SMA year × seats; 0 where there is none."""
    rate = policy.reinstatement_fee
    return round_half_up(price.sma_year * seats * rate.numerator, rate.denominator)

"""What a sold line gave away, and what it cost to let an SMA lapse (Q1, Q3, P6–P8). Pure, in minor units and dates.

Worth is reckoned at the line's own price: what a day or a month of its SMA was sold for; where a line costs nothing, at
the price list of its quote.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from dongles.terms import ONE_DAY, Months, months_in, term_end
from renewals.pricing.rounding import round_half_up
from renewals.pricing.sma import price_of_months
from renewals.pricing.terms import Policy, Price
from renewals.pricing.upgrade import upgrade_price

FREE_DAYS, FREE_MONTHS, MULTI_YEAR, NEGOTIATED = "free_days", "free_months", "multi_year", "negotiated"
WAIVED_UPGRADE, HONOURED = "waived_upgrade", "honoured"
UPGRADE, UPGRADE_SMA, BACK_PAY, FEE = "upgrade", "upgrade_sma", "back_pay", "reinstatement_fee"
GAP_UPGRADED, GAP = "gap_upgraded", "gap"


class SoldLine(NamedTuple):
    """A line as it was quoted, with the free days that its fulfilment added (Q1).

    `kind` is that of the quoted line; none where it is a free extension, whose days are all free. `months` is what was
    paid for (D2), `free_months` what was given on top of it (Q3).
    """

    kind: str
    seats: int
    starts_on: date | None
    months: Months
    net: int
    sma_net: int
    discounts: Sequence[tuple[str, int]]
    free_months: int
    free_days: int
    price: Price

    @property
    def is_gift(self) -> bool:
        """Whether nothing of it was sold: a free extension (Q1), or free months where nothing was bought (Q3)."""
        return not self.kind or bool(self.free_months and not self.net and not self.discounts)


class Fact(NamedTuple):
    """What is true of a line: its kind, how many (days or months, or 1), and the amount."""

    kind: str
    number: int
    amount: int


def given_away(line: SoldLine) -> list[Fact]:
    """Q1, Q3, P8: the free days and months of a line, each with its worth, and the discounts on it."""
    facts = []
    if line.free_days:
        facts.append(Fact(FREE_DAYS, line.free_days, worth_of_days(line)))
    if line.free_months:
        facts.append(Fact(FREE_MONTHS, line.free_months, worth_of_months(line)))
    for reason, amount in line.discounts:
        facts.append(Fact(reason, 1, -amount))
    return facts


def worth_of_days(line: SoldLine) -> int:
    """Q1: the SMA of the line ÷ the days that were paid for × the free days; at the list where nothing was paid."""
    assert line.starts_on is not None, "free days stand in lines with dates"
    if line.is_gift:
        free = months_in(line.starts_on, line.starts_on + (line.free_days - 1) * ONE_DAY)
        return price_of_months(line.price.sma_year, line.seats, free, "exact")
    paid_through = term_end(line.starts_on, line.months.whole) + line.months.days * ONE_DAY
    return round_half_up(line.sma_net * line.free_days, (paid_through - line.starts_on).days + 1)


def worth_of_months(line: SoldLine) -> int:
    """Q3: the SMA of the line ÷ the months that were paid for (D2) × the free months; at the list for a gift alone."""
    whole, days, of = line.months
    if line.is_gift:
        return round_half_up(line.price.sma_year * line.seats * line.free_months, 12)
    if not days:
        return round_half_up(line.sma_net * line.free_months, whole)
    return round_half_up(line.sma_net * line.free_months * of, whole * of + days)


class CameBack(NamedTuple):
    """A licence that was lapsed when it was sold something: through when it was covered, how many majors it missed."""

    seats: int
    covered_through: date
    missed: int
    price: Price


def worth_of_waived_upgrade(policy: Policy, licence: CameBack, back_pay: int) -> int:
    """Q3, P7: what the upgrade would have cost beyond the SMA that it includes and the back pay that was paid instead.

    At the list of the quote, before discounts, and never below 0.
    """
    upgrade, _ = upgrade_price(policy, licence.price, licence.seats, licence.missed)
    sma = round_half_up(licence.price.sma_year * licence.seats * policy.upgrade_includes_months, 12)
    return max(upgrade - sma - back_pay, 0)


def price_of_gap(policy: Policy, licence: CameBack, on: date) -> int:
    """P6, D2: what the SMA of the days between its last one and the day of its return would have cost, at that list."""
    gap = months_in(licence.covered_through + ONE_DAY, on - ONE_DAY)
    return price_of_months(licence.price.sma_year, licence.seats, gap, policy.part_month)

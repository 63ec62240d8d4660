"""P3, P4: SMA from a day to the target, as full years and a remainder."""

from datetime import date
from typing import NamedTuple

from dongles.terms import ONE_DAY, Months, months_in, term_end
from renewals.pricing.rounding import round_half_up
from renewals.pricing.terms import Step

YEAR = Months(12, 0, 0)


class Span(NamedTuple):
    """A stretch of SMA that one line sells: a year or the remainder."""

    kind: str
    starts_on: date
    ends_on: date
    months: Months


def spans_of(starts_on: date, target: date) -> tuple[Span, ...]:
    """P3: the years of S…T, then the remainder, all counted from the same S; none where T < S."""
    spans = []
    begun, years = starts_on, 0
    while (ends_on := term_end(starts_on, 12 * (years + 1))) <= target:
        spans.append(Span("sma_year", begun, ends_on, YEAR))
        begun, years = ends_on + ONE_DAY, years + 1
    if begun <= target:
        whole, days, of = months_in(starts_on, target)
        spans.append(Span("sma_part", begun, target, Months(whole - 12 * years, days, of)))
    return tuple(spans)


def price_of_months(sma_year: int, seats: int, months: Months, part_month: str) -> int:
    """P3, P10: annual price × seats × months ÷ 12, rounded; a month begun counts by its days, or whole by policy."""
    whole, days, of = months
    if not days:
        return round_half_up(sma_year * seats * whole, 12)
    if part_month == "whole":
        return round_half_up(sma_year * seats * (whole + 1), 12)
    return round_half_up(sma_year * seats * (whole * of + days), 12 * of)


def sma_step(sma_year: int, seats: int, months: Months, part_month: str, amount: int) -> Step:
    """P3: the arithmetic of a stretch of SMA."""
    return Step("P3", part_month, (sma_year, seats, *months), amount)

"""When sold money counts as earned (rules F1–F4). Pure: integers in minor units, dates, no clock.

A sold line becomes segments; months are computed from segments and stored nowhere.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dongles.terms import months_in
from renewals.calendar import following, last_day
from renewals.pricing.rounding import round_half_up

ONE_DAY = timedelta(days=1)
ANNUAL_KINDS = ("sma_year", "sma_part")  # the lines that have an annual value (F5)


class Segment(NamedTuple):
    """Money that is earned from `starts_on` to `ends_on`, both included (F1).

    `basis_amount` over `basis_starts_on … ends_on` is what F2 divides; of it the days from `starts_on` count, and
    `amount` is what they come to. The two differ only in a segment that takes back the tail of another.
    """

    amount: int
    starts_on: date
    ends_on: date
    method: str  # "daily" or "at_once"
    basis_amount: int
    basis_starts_on: date

    @classmethod
    def daily(cls, amount: int, starts_on: date, ends_on: date) -> "Segment":
        return cls(amount, starts_on, ends_on, "daily", amount, starts_on)

    @classmethod
    def at_once(cls, amount: int, on: date) -> "Segment":
        return cls(amount, on, on, "at_once", amount, on)


def earned_through(amount: int, starts_on: date, ends_on: date, day: date) -> int:
    """F2: of an amount earned straight-line by day, what is earned through `day`, half away from zero."""
    if day < starts_on:
        return 0
    if day >= ends_on:
        return amount
    return round_half_up(amount * ((day - starts_on).days + 1), (ends_on - starts_on).days + 1)


def recognised_through(segment: Segment, day: date) -> int:
    """F1, F2: what of the segment is recognised through `day`; a segment that takes back counts from its start."""
    if day < segment.starts_on:
        return 0
    basis = (segment.basis_amount, segment.basis_starts_on, segment.ends_on)
    return earned_through(*basis, day) - earned_through(*basis, segment.starts_on - ONE_DAY)


def months_of(segment: Segment) -> list[tuple[date, int]]:
    """F2: the amount of each month that the segment touches, keyed by the month's first day."""
    months = []
    month, before = segment.starts_on.replace(day=1), 0
    while month <= segment.ends_on:
        through = recognised_through(segment, last_day(month))
        months.append((month, through - before))
        month, before = following(month), through
    return months


def sma_share(net: int, list_amount: int, months: int, sma_year: int, seats: int, stand_alone: int | None) -> int:
    """F3: the part of an upgrade's or a licence's net that is the SMA it includes.

    round(net × s / list) with s = months / 12 × SMA year × seats, at most list; where the price list states a
    stand-alone price x (for all seats, without SMA), round(net × s / (x + s)).
    """
    sma = months * sma_year * seats  # s × 12, so that nothing is rounded before the end
    if stand_alone is not None:
        whole = 12 * stand_alone + sma
    else:
        whole = 12 * list_amount
        sma = min(sma, whole)
    return round_half_up(net * sma, whole) if whole else 0


def segments_of_sale(net: int, sma_net: int, period: tuple[date, date] | None, fulfilled_on: date) -> Sequence[Segment]:
    """F2–F4: a sold line in time: its SMA by day over its period as fulfilled, the rest at once at fulfilment.

    The amounts sum to `net` exactly; a line that costs nothing has no segment.
    """
    segments = []
    if sma_net:
        assert period is not None, "SMA is earned over a period"
        segments.append(Segment.daily(sma_net, *period))
    if net - sma_net:
        segments.append(Segment.at_once(net - sma_net, fulfilled_on))
    return segments


def take_back(segment: Segment, from_on: date) -> Segment | None:
    """F1, F4: the segment that undoes what is not earned before `from_on`, exact to the month; None if no day is left.

    Of few cents all may be earned already: then it undoes 0, and ends the annual value (F5) with it. What is earned at
    once stays: a cancellation does not reach it (an annulment takes back with `take_back_whole`).
    """
    if segment.method == "at_once" or from_on > segment.ends_on:
        return None
    starts_on = max(from_on, segment.starts_on)
    left = segment.amount - recognised_through(segment, starts_on - ONE_DAY)
    return Segment(-left, starts_on, segment.ends_on, "daily", -segment.basis_amount, segment.basis_starts_on)


def take_back_whole(segment: Segment) -> Segment:
    """F4: the segment that annuls another: the same days, the opposite amounts."""
    return segment._replace(amount=-segment.amount, basis_amount=-segment.basis_amount)


def annual_value(net: int, starts_on: date, ends_on: date) -> int:
    """F5: what an SMA line's net comes to a year: net × 12 ÷ the months of its period (D2), a half away from zero."""
    months = months_in(starts_on, ends_on)
    part = months.of or 1
    return round_half_up(net * 12 * part, months.whole * part + months.days)


def concession(segment: Segment, credit: int) -> Segment:
    """F4: the segment of a credit that is a concession: over the whole period of what it is a credit for.

    Booked later than that begins, its past share falls into the month of the credit (F1).
    """
    assert 0 < credit <= segment.amount, "a concession credits a part of what was sold"
    return segment._replace(amount=-credit, basis_amount=-credit)


def left_of(sold: Segment, credits_given: Iterable[Segment]) -> int:
    """F4: what is left of a sold segment after the concessions on its line: those that lie over it count."""
    return sold.amount + sum(given.amount for given in credits_given if lies_over(given, sold))


def lies_over(credit: Segment, sold: Segment) -> bool:
    """F4: whether a concession is one on this segment: earned as it is, over the same days."""
    days = (sold.starts_on, sold.ends_on, sold.method)
    return (credit.starts_on, credit.ends_on, credit.method) == days


def share_credit(credit: int, left: Sequence[int]) -> list[int]:
    """F4: a credit divided among segments in proportion to what is left of each, by largest remainder.

    It sums exactly, and no share is above what is left; of equal remainders the earlier is served first.
    """
    whole = sum(left)
    assert 0 < credit <= whole, "a concession credits a part of what is left"
    shares = [credit * each // whole for each in left]
    by_remainder = sorted(range(len(left)), key=lambda place: -(credit * left[place] % whole))
    for place in by_remainder[: credit - sum(shares)]:
        shares[place] += 1
    return shares


def booked_month(belongs_on: date, booked_on: date, closed_through: date | None) -> date:
    """F1: the month in which something is booked: that to which it belongs by date, at the latest that of the day.

    Where that one is closed, the first open one. `closed_through` is the last closed month's first day. Months are
    written as their first day.
    """
    month = min(belongs_on, booked_on).replace(day=1)
    if closed_through is None or month > closed_through:
        return month
    return following(closed_through)

"""What is earned when what falls due is renewed (rules F2, F5). Pure: integers in minor units, dates, no clock."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dongles.terms import ONE_DAY, term_end
from renewals.pricing.rounding import round_half_up
from renewals.recognition import earned_through

A_YEAR = 12  # months of a renewal


class Falling(NamedTuple):
    """The annual value (minor units, not negative) of what ends on a day and is not renewed yet."""

    due_on: date
    value: int


class Share(NamedTuple):
    """The part of what is due that is renewed: a rate from 0 to 1, as `kept` of `due`."""

    kept: int
    due: int


class Expected(NamedTuple):
    """What renewals come to in a month, in minor units: as by the rate, and if all that is due is renewed."""

    by_rate: int
    if_all: int


def expected_renewals(falling: Iterable[Falling], share: Share | None, months: Sequence[date]) -> list[Expected]:
    """F2: what falls due, renewed back to back (D3) at its annual value, for a year each time, in each of the months.

    Of the first renewal the share is kept, of the next the share of that, and so on; without a share nothing is. The
    months are first days, in order and without gaps.
    """
    rounds = if_all_renewed(falling, months)
    by_rate = [
        sum(_kept(of_round[index], share, number) for number, of_round in enumerate(rounds, 1))
        for index in range(len(months))
    ]
    return [Expected(rate, sum(amounts)) for rate, amounts in zip(by_rate, _by_month(rounds, months), strict=True)]


def _by_month(rounds: Sequence[Sequence[int]], months: Sequence[date]) -> list[tuple[int, ...]]:
    return [tuple(of_round[index] for of_round in rounds) for index in range(len(months))]


def _kept(amount: int, share: Share | None, number: int) -> int:
    return round_half_up(amount * share.kept**number, share.due**number) if share else 0


def if_all_renewed(falling: Iterable[Falling], months: Sequence[date]) -> list[list[int]]:
    """What the first renewals, the second ones and so on come to in each of the months, if all are renewed."""
    if not months:
        return []
    last_days = [(month + timedelta(days=31)).replace(day=1) - ONE_DAY for month in months]
    rounds: list[list[int]] = []
    for due_on, value in falling:
        begin, number = due_on + ONE_DAY, 0
        while (starts_on := begin if not number else term_end(begin, A_YEAR * number) + ONE_DAY) <= last_days[-1]:
            if number == len(rounds):
                rounds.append([0] * len(months))
            _add(rounds[number], value, starts_on, term_end(begin, A_YEAR * (number + 1)), months, last_days)
            number += 1
    return rounds


def _add(
    sums: list[int], value: int, starts_on: date, ends_on: date, months: Sequence[date], last_days: Sequence[date]
) -> None:
    before = earned_through(value, starts_on, ends_on, months[0] - ONE_DAY)
    for index, last_day in enumerate(last_days):
        if last_day < starts_on:
            continue
        through = earned_through(value, starts_on, ends_on, last_day)
        sums[index] += through - before
        before = through
        if last_day >= ends_on:
            return

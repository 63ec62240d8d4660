"""Calendar arithmetic of SMA terms (rules D1, D2). Pure.

An SMA period is `starts_on … ends_on`, both days included.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


class Months(NamedTuple):
    """A length in months (D2): whole months, then `days` of the `of` days of the month then begun."""

    whole: int
    days: int
    of: int


def term_end(starts_on: date, months: int) -> date:
    """D1: the last day of a term of so many months, counted from its first day.

    The day before the same day so many months later; where that month has no such day, its last day.
    """
    year, month = divmod(starts_on.year * 12 + starts_on.month - 1 + months, 12)
    month += 1
    if starts_on.day > 28:
        last = monthrange(year, month)[1]
        if starts_on.day > last:
            return date(year, month, last)
    return date(year, month, starts_on.day) - ONE_DAY


def months_in(starts_on: date, ends_on: date) -> Months:
    """D2: the length of `starts_on … ends_on` in months; nothing where it ends before it starts."""
    if ends_on < starts_on:
        return Months(0, 0, 0)
    whole = (ends_on.year - starts_on.year) * 12 + ends_on.month - starts_on.month + 1
    while term_end(starts_on, whole) > ends_on:
        whole -= 1
    through = term_end(starts_on, whole)
    if through == ends_on:
        return Months(whole, 0, 0)
    return Months(whole, (ends_on - through).days, (term_end(starts_on, whole + 1) - through).days)

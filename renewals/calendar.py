"""Months: a month is its first day, and is written 2026-11. Pure."""

import re
from datetime import date, timedelta

MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")


def read_month(text: str) -> date:
    """The month that is written so; ValueError, as a sentence, where none is."""
    found = MONTH.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text.strip()}” is no month: write one like 2026-11.")
    return date(int(found[1]), int(found[2]), 1)


def following(month: date, months: int = 1) -> date:
    """The month so many months later; earlier where that is negative."""
    year, index = divmod(month.year * 12 + month.month - 1 + months, 12)
    return date(year, index + 1, 1)


def last_day(month: date) -> date:
    """The last day of a month."""
    return following(month) - timedelta(days=1)

"""Months as people write them: 2026-11. A month is its first day. Pure."""

import re
from datetime import date

MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")


def read_month(text: str) -> date:
    """The month that is written so; ValueError, as a sentence, where none is."""
    found = MONTH.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text.strip()}” is no month: write one like 2026-11.")
    return date(int(found[1]), int(found[2]), 1)

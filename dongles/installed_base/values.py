"""What a cell of a spreadsheet can be, and texts as they are kept. Pure."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

MEGABYTE = 1024 * 1024
MOST_COLUMNS = 100
AT_FILE = {"field": "file"}  # where a form shows that the whole file is refused


class Odd(NamedTuple):
    """A cell that can't be used as it is: `why` is the code of a cause (faults.py), `shown` what a person sees there,
    `number` its value where it is a number that may have lost digits."""

    why: str
    shown: str
    number: float | int | None = None


Cell = str | int | float | bool | date | Odd | None
Line = tuple[int, Sequence[Cell]]  # a row under the number by which people see it

# Spaces of any kind, and characters that no text needs: controls, marks of writing direction, spaces without width.
SPACES = re.compile(r"\s+")
NEEDLESS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
FORMULA_STARTS = "=+-@'"


def plain_text(text: str) -> str:
    """A text with single spaces and without what can't be seen; an apostrophe that only keeps it from being a formula
    goes."""
    plain = SPACES.sub(" ", NEEDLESS.sub("", text)).strip()
    return plain[1:] if plain.startswith("'") and len(plain) > 1 and plain[1] in FORMULA_STARTS else plain

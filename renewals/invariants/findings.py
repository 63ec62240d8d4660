"""What a check says."""

from collections.abc import Sequence
from typing import NamedTuple

BATCH = 2000


class Finding(NamedTuple):
    """Something that is not as it has to be: of what (with the number or id that finds it), what has to be, what is."""

    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}; found {self.found}"


class Batch(NamedTuple):
    """How many rows a check looked at, and what it found in them."""

    checked: int
    findings: Sequence[Finding] = ()

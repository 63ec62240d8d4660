"""Serial numbers out of a pasted text: from a list, a mail, a spreadsheet's column. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from dongles.unlock import NotASerial, canonical_serial

BETWEEN = re.compile(r"[\n\r\v\f\t,;|\x85\u2028\u2029]+")
AND = re.compile(r"\s(?:and|und|et|&|\+)\s", re.IGNORECASE)
# What people write before a serial number, and around it.
CALLED = re.compile(r"(?:(?:dongle|serial|number|no|nr|s/n|sn)(?:s?\b[\s.:#]*|[.:#]+\s*))+(?=\S)", re.IGNORECASE)
AROUND = " .:\"'“”„‘’«»()[]{}<>#*•·–—-"
HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
WHOLE = 5  # letters and digits from which on something between two spaces is a serial number of its own
LONGEST_SPELLING = 80  # letters, spaces and hyphens of a number that are kept as they were typed


class PastedSerials(NamedTuple):
    """The serial numbers in a text as they are spelled there, each once; and what can be none, with the reason."""

    serials: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def serials_in(text: str) -> PastedSerials:
    """Read a text of serial numbers between commas, semicolons, tabs, lines or spaces.

    A space may also stand inside a number as it is printed: “104 233” is one, “104233 104234” are two, as are
    “104 233 and 104 234”.
    """
    serials: dict[str, str] = {}
    refused: dict[str, str] = {}
    for part in _parts(_plain(text)):
        try:
            serial = canonical_serial(part)
            serials.setdefault(serial, part if len(part) <= LONGEST_SPELLING else serial)
        except NotASerial as error:
            refused.setdefault(part, str(error))
    return PastedSerials(tuple(serials.values()), tuple(refused.items()))


def _plain(text: str) -> str:
    """Full-width letters as plain ones; no signs that nobody sees, such as those that turn the writing around."""
    normal = unicodedata.normalize("NFKC", text).translate(HYPHENS)
    return "".join(
        letter for letter in normal if BETWEEN.match(letter) or unicodedata.category(letter) not in ("Cf", "Cc")
    )


def _parts(text: str) -> Iterable[str]:
    for piece in BETWEEN.split(AND.sub("\n", text)):
        part = CALLED.sub("", piece.strip(AROUND)).strip(AROUND)
        words = part.split()
        if len(words) > 1 and all(len(word) >= WHOLE for word in words):
            yield from filter(None, (word.strip(AROUND) for word in words))
        elif part:
            yield " ".join(words)

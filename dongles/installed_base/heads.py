"""Which column holds what: heads are folded, compared with those that vendors use, and remembered as a set. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from dongles.installed_base.fields import FIELDS

# The first columns of a workbook that this portal has handed back: it is read again without them.
FAULT_HEAD = "Fault: what to mend"
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe", "æ": "ae", "ø": "o"})
SEARCHED_ROWS = 25  # above the heads people write titles
LONGEST_HEAD = 60


def fold_head(text: str) -> str:
    """A head or a word without what people write differently: “E-Mail Address” and “email_address” are alike."""
    lowered = unicodedata.normalize("NFC", text).casefold().translate(UMLAUTS)
    bare = "".join(letter for letter in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]", "", bare)


_FIELD_OF_HEAD = {head: field.name for field in FIELDS for head in (*field.heads, fold_head(field.label))}


def guess_columns(heads: Sequence[str]) -> dict[str, int]:
    """For each field the index of the column whose head fits best: one that is known, else one that begins with it.

    No column serves two fields, and no field two columns: the first from the left counts.
    """
    folded = [fold_head(head) for head in heads]
    guessed: dict[str, int] = {}
    for index, head in enumerate(folded):
        name = _FIELD_OF_HEAD.get(head)
        if name and name not in guessed:
            guessed[name] = index
    taken = set(guessed.values())
    known = sorted(_FIELD_OF_HEAD, key=len, reverse=True)
    for index, head in enumerate(folded):
        if index in taken or heads[index] == FAULT_HEAD:
            continue
        begins = next((each for each in known if len(each) >= 5 and head.startswith(each)), None)
        if begins and _FIELD_OF_HEAD[begins] not in guessed:
            guessed[_FIELD_OF_HEAD[begins]] = index
    return guessed


def fit_of(cells: Sequence[object]) -> int:
    """How many fields the cells of a row name as heads."""
    texts = [cell if isinstance(cell, str) and len(cell) <= LONGEST_HEAD else "" for cell in cells]
    return len(guess_columns(texts))


def find_head_row(rows: Sequence[Sequence[object]]) -> int:
    """The index of the row with the heads among the first rows: the one that names most fields, the upper of two."""
    searched = rows[:SEARCHED_ROWS]
    return max(range(len(searched)), key=lambda index: (fit_of(searched[index]), -index), default=0)


def key_of(heads: Sequence[str]) -> str:
    """What a set of heads is remembered by, whatever their order and spelling; SHA-256 in hex."""
    folded = sorted(filter(None, (fold_head(head) for head in heads if head != FAULT_HEAD)))
    return hashlib.sha256("\n".join(folded).encode()).hexdigest()


def columns_by_head(columns: Mapping[str, int], heads: Sequence[str]) -> dict[str, str]:
    """The choice of columns by their folded heads, as it is remembered."""
    return {name: fold_head(heads[index]) for name, index in columns.items()}


def columns_of(remembered: Mapping[str, str], heads: Sequence[str]) -> dict[str, int]:
    """A remembered choice for these heads."""
    places = {fold_head(head): index for index, head in reversed(list(enumerate(heads)))}
    return {name: places[head] for name, head in remembered.items() if head in places}

"""Crockford base32 in rows of sixteen letters, each followed by two check letters."""

import base64
from collections.abc import Callable

from .codec import Malformed

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ROW = 16
CHECKS = 2
TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", LETTERS.encode())
TO_RFC = bytes.maketrans(LETTERS.encode(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
VALUE = {letter: value for value, letter in enumerate(LETTERS)}
READ = {
    **VALUE,
    **{letter.lower(): value for letter, value in VALUE.items()},
    **dict.fromkeys("iIlL", 1),
    "o": 0,
    "O": 0,
}
SKIPPED = frozenset(" \t\r\n-")


def _times(a: int, b: int) -> int:
    """The product in GF(32) with x⁵ + x² + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product


# (x + 1)(x + 2) = x² + 3x + 2: what a letter that falls out of the register adds to its two places, by letter value.
THRICE = [_times(3, value) for value in range(32)]
TWICE = [_times(2, value) for value in range(32)]


def check_letters(values: list[int], index: int) -> tuple[int, int]:
    """The two check values of a row, the row's index XORed into the first."""
    high = low = 0
    for value in values:
        out = value ^ high
        high, low = low ^ THRICE[out], TWICE[out]
    return high ^ index, low


def to_rows(code: bytes) -> list[str]:
    """The code in rows, check letters included."""
    text = base64.b32encode(code).rstrip(b"=").translate(TO_CROCKFORD).decode()
    rows = []
    for index, start in enumerate(range(0, len(text), ROW)):
        row = text[start : start + ROW]
        high, low = check_letters([VALUE[letter] for letter in row], index)
        rows.append(row + LETTERS[high] + LETTERS[low])
    return rows


def to_letters(code: bytes) -> str:
    """The code's letters without separators, as QR code and file hold them."""
    return "".join(to_rows(code))


def split_rows(letters: str) -> list[str]:
    return [letters[start : start + ROW + CHECKS] for start in range(0, len(letters), ROW + CHECKS)]


def printed_rows(letters: str) -> list[str]:
    """The rows as they are printed: `ABCD-EFGH-JKMN-PQRS TV`."""
    printed = []
    for row in split_rows(letters):
        body, checks = row[:-CHECKS], row[-CHECKS:]
        printed.append("-".join(body[start : start + 4] for start in range(0, len(body), 4)) + " " + checks)
    return printed


def read_letters(text: str) -> list[int]:
    """The values of typed letters; separators are skipped, anything else than a letter is `Malformed`."""
    values = []
    for letter in text:
        if letter in SKIPPED:
            continue
        if letter not in READ:
            raise Malformed(f"“{letter}” is no letter of a code")
        values.append(READ[letter])
    return values


def wrong_rows(values: list[int]) -> list[int]:
    """The rows, numbered from 1, whose check letters are wrong."""
    wrong = []
    for index, start in enumerate(range(0, len(values), ROW + CHECKS)):
        row = values[start : start + ROW + CHECKS]
        if len(row) <= CHECKS or tuple(row[-CHECKS:]) != check_letters(row[:-CHECKS], index):
            wrong.append(index + 1)
    return wrong


def read_code(text: str) -> bytes:
    """The bytes of typed letters; `Malformed` names the rows whose check letters are wrong."""
    values = read_letters(text)
    if not values:
        raise Malformed("it is empty")
    if wrong := wrong_rows(values):
        rows = ", ".join(map(str, wrong))
        raise Malformed(f"the check letters of row {rows} are wrong")
    body = [
        value
        for start in range(0, len(values), ROW + CHECKS)
        for value in values[start : start + ROW + CHECKS][:-CHECKS]
    ]
    spare = len(body) * 5 % 8
    if spare >= 5 or body[-1] & ((1 << spare) - 1):
        raise Malformed("its last letter does not end a byte")
    text_rfc = bytes(LETTERS[value].encode()[0] for value in body).translate(TO_RFC)
    return base64.b32decode(text_rfc + b"=" * (-len(text_rfc) % 8))


def read_receipt(text: str) -> str:
    """A receipt as typed, in its one spelling; text that is none is returned as an empty string."""
    try:
        return "".join(LETTERS[value] for value in read_letters(text))
    except Malformed:
        return ""


def correction(text: str, verifies: Callable[[bytes], bool]) -> str | None:
    """The letters with the one letter of the one wrong row put right, if the whole code then verifies; else None.

    A row of eighteen letters has few corrections that its check letters allow; the signature decides.
    """
    values = read_letters(text)
    wrong = wrong_rows(values)
    if len(wrong) != 1:
        return None
    start = (wrong[0] - 1) * (ROW + CHECKS)
    for place in range(start, min(start + ROW + CHECKS, len(values))):
        for value in range(32):
            tried = [*values[:place], value, *values[place + 1 :]]
            if value == values[place] or wrong_rows(tried):
                continue
            letters = "".join(LETTERS[each] for each in tried)
            try:
                code = read_code(letters)
            except Malformed:
                continue
            if verifies(code):
                return letters
    return None

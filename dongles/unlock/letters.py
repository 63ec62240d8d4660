"""Crockford base32 in rows of sixteen letters, each followed by two check letters."""

import base64
import struct
from collections.abc import Callable, Iterator, Sequence

from .codec import Malformed

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ROW = 16
CHECKS = 2
ROW_BYTES = 10  # sixteen letters of five bits
MOST_ROWS = 32  # a row's index is one letter
TO_LETTER = LETTERS.encode() + bytes(224)
TO_RFC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" + bytes(224)
READ = {letter: value for value, letter in enumerate(LETTERS)}
READ |= {letter.lower(): value for letter, value in READ.items()} | dict.fromkeys("iIlL", 1) | dict.fromkeys("oO", 0)
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


def check_letters(values: Sequence[int], index: int) -> tuple[int, int]:
    """The two check values of a row of letter values, the row's index XORed into the first."""
    high = low = 0
    for value in values:
        out = value ^ high
        high, low = low ^ THRICE[out], TWICE[out]
    return high ^ index, low


# Writing is what a signer does all day, so it goes by whole bytes: a row is ten of them and its check letters are
# linear, the XOR of what each byte adds at its place (ten bits, high letter first). tests/unlock compares the two ways.


def _added_by(place: int, byte: int) -> int:
    bits = byte << 8 * (ROW_BYTES - 1 - place)
    high, low = check_letters([bits >> shift & 31 for shift in range(75, -1, -5)], 0)
    return high << 5 | low


T0, T1, T2, T3, T4, T5, T6, T7, T8, T9 = ([_added_by(place, byte) for byte in range(256)] for place in range(ROW_BYTES))
CHECK_PAIRS = [high + low for high in LETTERS for low in LETTERS]
WHOLE_ROW = struct.Struct(f"{ROW_BYTES}B")


def _in_lanes(mask: int) -> int:
    """The mask in each 64-bit lane of the longest code: five bytes, which become eight letters."""
    return sum(mask << 64 * lane for lane in range(MOST_ROWS * 2))


# Each lane's 40 bits are drawn apart in three halvings, until every byte holds the five bits of a letter.
HALVINGS = [
    (_in_lanes(0x00000000000FFFFF), _in_lanes(0x000000FFFFF00000), 12),
    (_in_lanes(0x000003FF000003FF), _in_lanes(0x000FFC00000FFC00), 6),
    (_in_lanes(0x001F001F001F001F), _in_lanes(0x03E003E003E003E0), 3),
]


def _base32(code: bytes) -> str:
    """The letters without check letters; three times as fast as base64.b32encode."""
    lanes = -(-len(code) // 5)
    padded = code.ljust(lanes * 5, b"\0")
    spread = bytearray(lanes * 8)
    for place in range(5):
        spread[3 + place :: 8] = padded[place::5]
    bits = int.from_bytes(spread)
    for right, left, shift in HALVINGS:
        bits = bits & right | (bits & left) << shift
    return bits.to_bytes(lanes * 8).translate(TO_LETTER)[: -(-len(code) * 8 // 5)].decode()


def to_rows(code: bytes) -> list[str]:
    """The code in rows, check letters included: sixteen letters (the last row may be shorter) and two."""
    assert 0 < len(code) <= MOST_ROWS * ROW_BYTES
    text = _base32(code)
    if short := len(code) % ROW_BYTES:
        # Zeros before a short row leave its check letters as they are, so it becomes a whole one.
        end = int.from_bytes(code[-short:]) << -short * 8 % 5
        code = code[:-short] + end.to_bytes(ROW_BYTES)
    return [
        text[index * ROW : index * ROW + ROW]
        + CHECK_PAIRS[T0[a] ^ T1[b] ^ T2[c] ^ T3[d] ^ T4[e] ^ T5[f] ^ T6[g] ^ T7[h] ^ T8[i] ^ T9[j] ^ index << 5]
        for index, (a, b, c, d, e, f, g, h, i, j) in enumerate(WHOLE_ROW.iter_unpack(code))
    ]


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
    values: list[int] = []
    for letter in text:
        if letter in SKIPPED:
            continue
        if letter not in READ:
            row = len(values) // (ROW + CHECKS) + 1
            raise Malformed(f"“{letter}” in row {row} is no letter of a code", (row,))
        values.append(READ[letter])
    return values


def _rows_of(values: list[int]) -> Iterator[list[int]]:
    return (values[start : start + ROW + CHECKS] for start in range(0, len(values), ROW + CHECKS))


def _is_right(row: list[int], index: int) -> bool:
    return len(row) > CHECKS and tuple(row[-CHECKS:]) == check_letters(row[:-CHECKS], index)


def wrong_rows(values: list[int]) -> tuple[int, ...]:
    """The rows, numbered from 1, whose check letters are wrong."""
    return tuple(index + 1 for index, row in enumerate(_rows_of(values)) if not _is_right(row, index))


def read_code(text: str) -> bytes:
    """The bytes of typed letters; `Malformed` names the rows whose check letters are wrong."""
    values = read_letters(text)
    if not values:
        raise Malformed("it is empty")
    if len(values) > MOST_ROWS * (ROW + CHECKS):
        raise Malformed("it is longer than any code")
    if wrong := wrong_rows(values):
        rows = f"rows {', '.join(map(str, wrong))}" if len(wrong) > 1 else f"row {wrong[0]}"
        raise Malformed(f"the check letters of {rows} are wrong", wrong)
    body = bytes(value for row in _rows_of(values) for value in row[:-CHECKS])
    spare = len(body) * 5 % 8
    if spare >= 5 or body[-1] & ((1 << spare) - 1):
        raise Malformed("its last letter does not end a byte")
    return base64.b32decode(body.translate(TO_RFC) + b"=" * (-len(body) % 8))


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
    try:
        values = read_letters(text)
    except Malformed:
        return None
    if len(values) > MOST_ROWS * (ROW + CHECKS) or len(wrong := wrong_rows(values)) != 1:
        return None
    index = wrong[0] - 1
    start = index * (ROW + CHECKS)
    row = values[start : start + ROW + CHECKS]
    for place in range(len(row)):
        for value in range(32):
            tried = [*row[:place], value, *row[place + 1 :]]
            if not _is_right(tried, index):
                continue
            whole = [*values[:start], *tried, *values[start + len(row) :]]
            letters = "".join(LETTERS[each] for each in whole)
            if _reads_and_verifies(letters, verifies):
                return letters
    return None


def _reads_and_verifies(letters: str, verifies: Callable[[bytes], bool]) -> bool:
    try:
        return verifies(read_code(letters))
    except Malformed:
        return False

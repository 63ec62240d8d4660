"""The fields of a code and its bytes, without the signature."""

import struct
from datetime import date, timedelta
from typing import NamedTuple

from .serials import CANONICAL, dongle_tag

VERSION = 1
SET, KEY = 0, 1
ROOT_SLOT = 255
DAY_ZERO = date(2000, 1, 1)
LAST_DAY = 65535
MOST_LICENCES = 60
SIGNATURE_BYTES = 64
HEAD = struct.Struct(">BB4sBHHHB")
PAIR = struct.Struct(">HH")
KEY_BYTES = 33


class Malformed(ValueError):
    """The bytes or letters are no code of this version: the outcome `malformed`.

    `rows` are those, numbered from 1, that were seen to be mistyped; empty where the fault lies elsewhere.
    """

    def __init__(self, sentence: str, rows: tuple[int, ...] = ()) -> None:
        super().__init__(sentence)
        self.rows = rows


class UnlockRecord(NamedTuple):
    """What a code states: everything that the dongle holds once it is applied.

    `licences` are pairs (product number, seats) in ascending order of product; `new_slot` and `new_key` belong to
    the operation KEY alone. The serial is the canonical one.
    """

    serial: str
    slot: int
    generation: int
    sequence: int
    expiry_on: date
    issued_on: date
    licences: tuple[tuple[int, int], ...] = ()
    operation: int = SET
    new_slot: int | None = None
    new_key: bytes | None = None


class Parsed(NamedTuple):
    """The fields of a code's bytes; a dongle knows its serial itself, a code only the tag."""

    operation: int
    slot: int
    tag: bytes
    generation: int
    sequence: int
    expiry_on: date
    issued_on: date
    licences: tuple[tuple[int, int], ...]
    new_slot: int | None
    new_key: bytes | None
    body: bytes
    signature: bytes


def day_number(day: date) -> int:
    """Days since 2000-01-01; ValueError where two bytes can't state it."""
    number = (day - DAY_ZERO).days
    if not 0 <= number <= LAST_DAY:
        raise ValueError(f"{day} can't be stated: days run from 2000-01-01 to 2179-06-06")
    return number


def day_of(number: int) -> date:
    return DAY_ZERO + timedelta(days=number)


def encode(record: UnlockRecord) -> bytes:
    """The bytes of a record before its signature; ValueError where a field is out of range."""
    _check(record)
    try:
        head = HEAD.pack(
            VERSION << 4 | record.operation,
            record.slot,
            dongle_tag(record.serial),
            record.generation,
            record.sequence,
            day_number(record.expiry_on),
            day_number(record.issued_on),
            len(record.licences),
        )
        if record.operation == KEY:
            assert record.new_slot is not None
            assert record.new_key is not None
            return head + bytes([record.new_slot]) + record.new_key
        return head + b"".join([PAIR.pack(product, seats) for product, seats in record.licences])
    except struct.error:
        raise ValueError("slot, generation, sequence number, products and seats are whole numbers") from None


def _check(record: UnlockRecord) -> None:
    if not CANONICAL.fullmatch(record.serial):
        raise ValueError(f"“{record.serial}” is not the canonical spelling of a serial")
    if not 0 <= record.slot <= 255 or not 0 <= record.generation <= 255 or not 1 <= record.sequence <= 65535:
        raise ValueError("slot and generation lie within 0–255, the sequence number within 1–65535")
    if record.operation == KEY:
        if record.slot != ROOT_SLOT or record.licences:
            raise ValueError("a KEY code is signed by the root and states no licences")
        if record.new_slot is None or not 0 <= record.new_slot < ROOT_SLOT or len(record.new_key or b"") != 32:
            raise ValueError("a KEY code names a slot 0–254 and a public key of 32 bytes")
        return
    if record.operation != SET or record.new_slot is not None or record.new_key is not None:
        raise ValueError("the operation is SET, without a key, or KEY")
    check_licences(record.licences)


def check_licences(licences: tuple[tuple[int, int], ...]) -> None:
    """ValueError where a code can't state these licences."""
    if len(licences) > MOST_LICENCES:
        raise ValueError(f"a code states at most {MOST_LICENCES} products")
    last = 0
    for product, seats in licences:
        if not last < product <= 65535 or not 1 <= seats <= 65535:
            raise ValueError("products are 1–65535 in ascending order, none twice, with 1–65535 seats each")
        last = product


def parse(code: bytes) -> Parsed:
    """The fields of a signed code's bytes; `Malformed` where they are no code."""
    if len(code) < HEAD.size + SIGNATURE_BYTES:
        raise Malformed("it is too short")
    first, slot, tag, generation, sequence, expiry, issued, count = HEAD.unpack_from(code)
    version, operation = first >> 4, first & 15
    if version != VERSION or operation not in (SET, KEY):
        raise Malformed("its version or operation is unknown")
    if sequence == 0 or count > MOST_LICENCES:
        raise Malformed("its sequence number is 0 or it states too many products")
    end = HEAD.size + 4 * count + (KEY_BYTES if operation == KEY else 0)
    if len(code) != end + SIGNATURE_BYTES:
        raise Malformed("its length is not what it states")
    licences = tuple(PAIR.iter_unpack(code[HEAD.size : HEAD.size + 4 * count]))
    new_slot = new_key = None
    if operation == KEY:
        new_slot, new_key = code[HEAD.size], code[HEAD.size + 1 : end]
        if slot != ROOT_SLOT or new_slot == ROOT_SLOT or count:
            raise Malformed("a KEY code is signed by the root, for a slot 0–254, without licences")
    try:
        check_licences(licences)
    except ValueError as error:
        raise Malformed(str(error)) from None
    return Parsed(
        operation,
        slot,
        tag,
        generation,
        sequence,
        day_of(expiry),
        day_of(issued),
        licences,
        new_slot,
        new_key,
        code[:end],
        code[end:],
    )

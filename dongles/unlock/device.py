"""The dongle, simulated: its state and what it does with a code, in the format's order."""

import hashlib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from .codec import DAY_ZERO, KEY, ROOT_SLOT, Malformed, day_number, parse
from .letters import LETTERS, read_code
from .serials import canonical_serial, dongle_tag
from .signing import is_signed


class Outcome(StrEnum):
    """What a dongle says to a code, in the order in which it looks; only `applied` changes its state."""

    MALFORMED = "malformed"
    WRONG_DONGLE = "wrong_dongle"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    ALREADY_APPLIED = "already_applied"
    SUPERSEDED = "superseded"
    OUT_OF_ORDER = "out_of_order"
    APPLIED = "applied"


class DeviceState(NamedTuple):
    """Everything that a dongle holds."""

    serial: str
    root: bytes
    slots: Mapping[int, bytes]
    generation: int = 0
    sequence: int = 0
    expiry_on: date = DAY_ZERO
    licences: tuple[tuple[int, int], ...] = ()
    applied_hash: bytes | None = None

    @property
    def receipt(self) -> str:
        return receipt_of(self.serial, self.generation, self.sequence, self.expiry_on)


def factory_state(serial: str, root: bytes, slots: Mapping[int, bytes]) -> DeviceState:
    """A dongle fresh from the factory."""
    return DeviceState(canonical_serial(serial), root, dict(slots))


def apply(state: DeviceState, text: str) -> tuple[Outcome, DeviceState]:
    """What a dongle says to typed letters, and the state that it then holds."""
    try:
        code = read_code(text)
    except Malformed:
        return Outcome.MALFORMED, state
    return apply_bytes(state, code)


def apply_bytes(state: DeviceState, code: bytes) -> tuple[Outcome, DeviceState]:
    """What a dongle says to the bytes of a code; the order of the checks is the format's."""
    try:
        parsed = parse(code)
    except Malformed:
        return Outcome.MALFORMED, state
    if parsed.tag != dongle_tag(state.serial):
        return Outcome.WRONG_DONGLE, state
    is_root = parsed.slot == ROOT_SLOT
    key = state.root if is_root else state.slots.get(parsed.slot)
    if key is None:
        return Outcome.UNKNOWN_KEY, state
    if not is_signed(state.serial, parsed.body, parsed.signature, key):
        return Outcome.BAD_SIGNATURE, state
    digest = hashlib.sha256(code).digest()
    if digest == state.applied_hash:
        return Outcome.ALREADY_APPLIED, state
    number, stored = (parsed.generation, parsed.sequence), (state.generation, state.sequence)
    if (parsed.generation <= state.generation) if is_root else (number <= stored):
        return Outcome.SUPERSEDED, state
    if not is_root and parsed.generation > state.generation:
        return Outcome.OUT_OF_ORDER, state
    applied = state._replace(generation=parsed.generation, sequence=parsed.sequence, applied_hash=digest)
    if parsed.operation == KEY:
        assert parsed.new_slot is not None
        assert parsed.new_key is not None
        return Outcome.APPLIED, applied._replace(slots={**state.slots, parsed.new_slot: parsed.new_key})
    return Outcome.APPLIED, applied._replace(expiry_on=parsed.expiry_on, licences=parsed.licences)


def receipt_of(serial: str, generation: int, sequence: int, expiry_on: date) -> str:
    """The eight letters that a dongle shows once it has applied a code."""
    fields = bytes([generation]) + sequence.to_bytes(2) + day_number(expiry_on).to_bytes(2)
    digest = hashlib.sha256(b"SMA-RECEIPT/1\x00" + serial.encode("ascii") + fields).digest()
    bits = int.from_bytes(digest[:5])
    return "".join(LETTERS[bits >> shift & 31] for shift in range(35, -1, -5))

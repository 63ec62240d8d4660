"""The unlock code, version 1 (UNLOCK-CODE). Stands alone: nothing here knows of Django or of the portal."""

from .codec import Malformed, UnlockRecord, encode, parse
from .device import DeviceState, Outcome, apply, apply_bytes, factory_state, receipt_of
from .letters import printed_rows, read_code, read_letters, read_receipt, to_letters, to_rows
from .serials import NotASerial, canonical_serial
from .signing import message_of, sign

__all__ = [
    "DeviceState",
    "Malformed",
    "NotASerial",
    "Outcome",
    "UnlockRecord",
    "apply",
    "apply_bytes",
    "canonical_serial",
    "encode",
    "factory_state",
    "message_of",
    "parse",
    "printed_rows",
    "read_code",
    "read_letters",
    "read_receipt",
    "receipt_of",
    "sign",
    "to_letters",
    "to_rows",
]

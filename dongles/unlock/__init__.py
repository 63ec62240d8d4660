"""The unlock code, version 1: what a customer types, scans or loads, and what the dongle makes of it.

    1   version (high four bits, 1) and operation (low): 0 SET, 1 KEY          all integers big-endian
    1   key slot that verifies the code; 255 is the root key, which alone signs KEY
    4   dongle tag: the first bytes of SHA-256 of the canonical serial
    1+2 generation and sequence number, the number rising strictly within a generation
    2+2 SMA expiry day and issue day, counted from 2000-01-01
    1+4n  n licences: product number and seats (2+2), ascending               the whole state, never a difference
    33  only with KEY: slot and Ed25519 public key
    64  Ed25519 signature over "SMA-UNLOCK/1", 0, length of the serial, serial, and all bytes above

serials.py the one spelling of a serial · codec.py fields and bytes · letters.py base32 rows with check letters ·
signing.py what is signed · device.py the simulated dongle · statefile.py its state on disk · __main__.py the command
line. Stands alone: nothing here knows of Django or of the portal, and the folder can be copied elsewhere.
"""

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

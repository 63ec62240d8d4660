"""The unlock code, version 1: what a customer types, scans or loads, and what the dongle makes of it.

Bytes, integers big-endian, days counted from 2000-01-01 (65535 is 2179-06-06):

    1     version (high four bits, 1) and operation (low four): 0 SET, 1 KEY
    1     key slot that verifies the code: 0–254, or 255, the root key, which alone signs KEY
    4     dongle tag: the first bytes of SHA-256 of the canonical serial
    1+2   generation 0–255, raised by the root alone, and number 1–65535, rising strictly within a generation
    2+2   SMA expiry day (ignored with KEY) and issue day
    1+4n  n, 0–60 (0 with KEY), then product number and seats (2+2, 1–65535 both), products ascending, none twice:
          everything that the dongle carries, never a difference
    33    only with KEY: slot 0–254 and the Ed25519 public key that it gets
    64    Ed25519 signature over "SMA-UNLOCK/1", a zero byte, length of the serial (1), serial, all bytes above

Serial: spaces and hyphens taken out, ASCII letters in upper case, then 1 to 32 of A–Z and 0–9.
Letters: Crockford base32, high bits first, the last letter filled up with zero bits. I and L are read as 1, O as 0,
either case; space, tab, line ends and hyphen-minus are skipped, anything else is malformed. Rows of sixteen (the last
may be shorter), each followed by two check letters: the remainder of row × x² by (x + 1)(x + 2) over GF(32) with
x⁵ + x² + 1, the row's index XORed into the first, so that swapped rows show.
Dongle: `device.apply_bytes` makes its checks in the order of the format. Receipt: the first 40 bits of SHA-256 over
"SMA-RECEIPT/1", a zero byte, serial, generation (1), number (2) and expiry day (2), as eight letters; nothing of
value may depend on it.

serials.py the one spelling of a serial · codec.py fields and bytes · letters.py rows and check letters · signing.py
what is signed · device.py the simulated dongle · receipts.py what is wrong with a typed receipt · statefile.py a
dongle's state on disk · __main__.py, arguments.py and wording.py the command line (docs/unlock-code.md). Stands alone:
nothing here knows of Django or of the portal.

    >>> code = sign(UnlockRecord("104233", 0, 0, 1, date(2027, 3, 31), date(2026, 2, 1), ((101, 1),)), private_key)
    >>> outcome, state = apply(factory_state("104 233", root_public, {0: slot_public}), to_letters(code))
"""

from .codec import Malformed, UnlockRecord, encode, parse
from .device import DeviceState, Outcome, apply, apply_bytes, factory_state, receipt_of
from .letters import correction, printed_rows, read_code, read_letters, read_receipt, to_letters, to_rows
from .receipts import objection_to_receipt
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
    "correction",
    "encode",
    "factory_state",
    "message_of",
    "objection_to_receipt",
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

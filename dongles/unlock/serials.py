"""The canonical serial: the one spelling by which a dongle is known and a code is bound to it."""

import hashlib


class NotASerial(ValueError):
    """The text is not a serial in any spelling."""


SERIAL_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
LONGEST_SERIAL = 32


def canonical_serial(text: str) -> str:
    """Spaces and hyphens taken out, ASCII letters in upper case; then 1 to 32 of A–Z and 0–9, else `NotASerial`."""
    bare = text.replace(" ", "").replace("-", "")
    serial = "".join(chr(ord(letter) - 32) if "a" <= letter <= "z" else letter for letter in bare)
    if not serial:
        raise NotASerial("it is empty")
    if len(serial) > LONGEST_SERIAL:
        raise NotASerial(f"it is longer than {LONGEST_SERIAL} letters and digits")
    for letter in serial:
        if letter not in SERIAL_LETTERS:
            raise NotASerial(f"“{letter}” is neither a letter A–Z nor a digit")
    return serial


def dongle_tag(serial: str) -> bytes:
    """The first four bytes of SHA-256 of the canonical serial."""
    return hashlib.sha256(serial.encode("ascii")).digest()[:4]

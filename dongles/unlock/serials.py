"""The canonical serial: the one spelling by which a dongle is known and a code is bound to it."""

import hashlib
import re


class NotASerial(ValueError):
    """The text is not a serial in any spelling."""


LONGEST_SERIAL = 32
CANONICAL = re.compile(f"[A-Z0-9]{{1,{LONGEST_SERIAL}}}")


def canonical_serial(text: str) -> str:
    """Spaces and hyphens taken out, ASCII letters in upper case; then 1 to 32 of A–Z and 0–9, else `NotASerial`."""
    bare = text.replace(" ", "").replace("-", "")
    serial = "".join(chr(ord(letter) - 32) if "a" <= letter <= "z" else letter for letter in bare)
    if CANONICAL.fullmatch(serial):
        return serial
    if not serial:
        raise NotASerial("it is empty")
    if foreign := re.search("[^A-Z0-9]", serial):
        raise NotASerial(f"“{foreign[0]}” is neither a letter A–Z nor a digit")
    raise NotASerial(f"it is longer than {LONGEST_SERIAL} letters and digits")


def dongle_tag(serial: str) -> bytes:
    """The first four bytes of SHA-256 of the canonical serial."""
    return hashlib.sha256(serial.encode("ascii")).digest()[:4]

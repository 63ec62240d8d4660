"""What is signed, and the signature: Ed25519 as RFC 8032 and OpenSSL do it."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .codec import UnlockRecord, encode

CONTEXT = b"SMA-UNLOCK/1\x00"


def message_for(serial: str, body: bytes) -> bytes:
    return CONTEXT + bytes([len(serial)]) + serial.encode("ascii") + body


def message_of(record: UnlockRecord) -> bytes:
    """The bytes that the signature of a record covers."""
    return message_for(record.serial, encode(record))


def sign(record: UnlockRecord, key: Ed25519PrivateKey) -> bytes:
    """The signed code. Signing the same record again gives the same bytes."""
    body = encode(record)
    return body + key.sign(message_for(record.serial, body))


def is_signed(serial: str, body: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether the signature is this key's; a key that is none verifies nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message_for(serial, body))
    except (InvalidSignature, ValueError):
        return False
    return True

"""The keys that the portal knows: the public ones that dongles hold, and who signs for it."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dongles.signer import Signer, SignerClient
from dongles.unlock import UnlockRecord


class PublicKeys(NamedTuple):
    """What dongles hold from the factory on: the root key and the key slots; and the slot that signs today."""

    root: bytes
    slots: dict[int, bytes]
    signing_slot: int


class SignsRecords(Protocol):
    def sign(self, record: UnlockRecord) -> bytes: ...


def public_keys() -> PublicKeys:
    """The keys of PORTAL_UNLOCK_KEYS, `{"root": hex, "slots": {"0": hex}, "signing_slot": 0}`; else the demo's."""
    if not settings.UNLOCK_KEYS_FILE:
        return demo_keys()
    return _keys_in(settings.UNLOCK_KEYS_FILE)


def portal_signer() -> SignsRecords:
    """Who signs: the signer behind its socket; without one, in development, the demo's key in this process."""
    if settings.SIGNER_SOCKET:
        return SignerClient(settings.SIGNER_SOCKET)
    if settings.PRODUCTION:
        raise ImproperlyConfigured("In production the private key is never in this process: set PORTAL_SIGNER_SOCKET.")
    return _demo_signer(settings.SIGNER_LOG)


@cache
def _keys_in(path: str) -> PublicKeys:
    values = json.loads(Path(path).read_text())
    slots = {int(slot): bytes.fromhex(key) for slot, key in values["slots"].items()}
    return PublicKeys(bytes.fromhex(values["root"]), slots, int(values["signing_slot"]))


def demo_private_key(name: str) -> Ed25519PrivateKey:
    """A key that everybody can compute: for demo and development only."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"SMA Portal demo key {name}".encode()).digest())


@cache
def demo_keys() -> PublicKeys:
    root, slot = (demo_private_key(name).public_key().public_bytes_raw() for name in ("root", "slot 0"))
    return PublicKeys(root, {0: slot}, 0)


@cache
def _demo_signer(log: Path) -> Signer:
    return Signer(demo_private_key("slot 0"), 0, log)

"""Keys and records for the tests of the unlock code."""

from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from dongles.unlock import UnlockRecord, factory_state

ROOT, SLOT, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def fresh(serial: str = "104233"):
    return factory_state(serial, public(ROOT), {0: public(SLOT)})


def record(**fields) -> UnlockRecord:
    usual = {
        "serial": "104233",
        "slot": 0,
        "generation": 0,
        "sequence": 1,
        "expiry_on": date(2027, 3, 31),
        "issued_on": date(2026, 2, 1),
        "licences": ((101, 1), (102, 3)),
    }
    return UnlockRecord(**(usual | fields))


days = st.integers(0, 65535).map(lambda number: date(2000, 1, 1) + timedelta(number))
serials = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=32)
licences = st.dictionaries(st.integers(1, 65535), st.integers(1, 65535), max_size=60).map(
    lambda seats: tuple(sorted(seats.items()))
)
records = st.builds(
    UnlockRecord,
    serial=serials,
    slot=st.integers(0, 254),
    generation=st.integers(0, 255),
    sequence=st.integers(1, 65535),
    expiry_on=days,
    issued_on=days,
    licences=licences,
    operation=st.just(0),
    new_slot=st.none(),
    new_key=st.none(),
)

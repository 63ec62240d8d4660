"""The unlock code against its vectors: fields → message → bytes → letters, and a dongle's life, code by code."""

import json
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dongles.unlock import (
    Outcome,
    UnlockRecord,
    apply,
    canonical_serial,
    message_of,
    parse,
    read_code,
    receipt_of,
    sign,
    to_letters,
    to_rows,
)
from dongles.unlock.codec import KEY, SET
from dongles.unlock.signing import is_signed
from dongles.unlock.statefile import state_from_json

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/unlock.json").read_text())
OPERATIONS = {"set": SET, "key": KEY}


def record_of(case) -> UnlockRecord:
    return UnlockRecord(
        serial=canonical_serial(case["serial"]),
        slot=case["slot"],
        generation=case["generation"],
        sequence=case["sequence"],
        expiry_on=date.fromisoformat(case["expiry"]),
        issued_on=date.fromisoformat(case["issued"]),
        licences=tuple(map(tuple, case["licences"])),
        operation=OPERATIONS[case["operation"]],
        new_slot=case.get("new_slot"),
        new_key=bytes.fromhex(case["new_key"]) if case.get("new_key") else None,
    )


def name_of(case) -> str:
    return f"{case['operation']} {case['canonical']}"


@pytest.mark.parametrize("case", VECTORS["encodings"], ids=name_of)
def test_a_record_becomes_message_bytes_and_rows_as_in_the_vectors(case):
    record, code = record_of(case), bytes.fromhex(case["bytes"])
    seed = VECTORS["keys"]["root" if case["slot"] == 255 else str(case["slot"])]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    assert record.serial == case["canonical"]
    assert message_of(record).hex() == case["message"]
    assert sign(record, key) == code
    assert to_rows(code) == case["rows"]


@pytest.mark.parametrize("case", VECTORS["encodings"], ids=name_of)
def test_rows_of_the_vectors_are_read_back_and_verify(case):
    code, record = read_code("\n".join(case["rows"])), record_of(case)
    assert code.hex() == case["bytes"]
    parsed = parse(code)
    for field in ("operation", "slot", "generation", "sequence", "expiry_on", "issued_on", "licences", "new_key"):
        assert getattr(parsed, field) == getattr(record, field), field
    for name, seed in VECTORS["keys"].items():
        public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes_raw()
        is_own = name == ("root" if case["slot"] == 255 else str(case["slot"]))
        assert is_signed(record.serial, parsed.body, parsed.signature, public) == is_own, name


@pytest.mark.parametrize("case", [case for case in VECTORS["encodings"] if case["receipt"]], ids=name_of)
def test_receipts_are_as_in_the_vectors(case):
    record = record_of(case)
    assert receipt_of(record.serial, record.generation, record.sequence, record.expiry_on) == case["receipt"]


def test_a_dongles_life_goes_as_in_the_vectors():
    state = state_from_json(VECTORS["dongle"])
    seen = set()
    for step in VECTORS["life"]:
        outcome, state = apply(state, step["code"])
        seen.add(outcome)
        got = {
            "outcome": outcome.value,
            "generation": state.generation,
            "sequence": state.sequence,
            "expiry": state.expiry_on.isoformat(),
            "licences": [list(licence) for licence in state.licences],
            "slots": {str(slot): key.hex() for slot, key in state.slots.items()},
        }
        assert got == {key: step[key] for key in got}, step["why"]
        if step["receipt"]:
            assert state.receipt == step["receipt"], step["why"]
    assert seen == set(Outcome)


def test_letters_have_no_separators():
    code = bytes.fromhex(VECTORS["encodings"][0]["bytes"])
    assert to_letters(code) == "".join(VECTORS["encodings"][0]["rows"])

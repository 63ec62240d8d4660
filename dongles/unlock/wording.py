"""What the command line says about codes and dongles: in words, in JSON and by exit status."""

from typing import Any

from .codec import KEY, Parsed
from .device import DeviceState, Outcome
from .letters import printed_rows

DONE, ASKED_WRONGLY = 0, 2
EXIT_STATUS = {
    Outcome.APPLIED: DONE,
    Outcome.ALREADY_APPLIED: DONE,
    Outcome.MALFORMED: 3,
    Outcome.WRONG_DONGLE: 4,
    Outcome.UNKNOWN_KEY: 5,
    Outcome.BAD_SIGNATURE: 6,
    Outcome.SUPERSEDED: 7,
    Outcome.OUT_OF_ORDER: 8,
}
IN_WORDS = {
    Outcome.APPLIED: "The code was applied.",
    Outcome.ALREADY_APPLIED: "This code was applied before; nothing has changed.",
    Outcome.MALFORMED: "This is no unlock code: it was mistyped or is incomplete.",
    Outcome.WRONG_DONGLE: "This code is for another dongle.",
    Outcome.UNKNOWN_KEY: "This code is signed with a key that the dongle does not hold.",
    Outcome.BAD_SIGNATURE: "The signature is wrong: the vendor has not made this code.",
    Outcome.SUPERSEDED: "A newer code was applied already.",
    Outcome.OUT_OF_ORDER: "A code of the root key has to be applied first.",
}


def code_as_json(parsed: Parsed) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "operation": "key" if parsed.operation == KEY else "set",
        "slot": parsed.slot,
        "dongle_tag": parsed.tag.hex(),
        "generation": parsed.generation,
        "sequence": parsed.sequence,
        "issued": parsed.issued_on.isoformat(),
    }
    if parsed.new_key is not None:
        return facts | {"new_slot": parsed.new_slot, "new_key": parsed.new_key.hex()}
    return facts | {
        "expiry": parsed.expiry_on.isoformat(),
        "licences": [list(licence) for licence in parsed.licences],
    }


def code_in_words(parsed: Parsed) -> list[str]:
    """What the code will do, and to which dongle."""
    signer = "the root key" if parsed.slot == 255 else f"the key of slot {parsed.slot}"
    origin = (
        f"Code {parsed.generation}-{parsed.sequence} for the dongle with tag {parsed.tag.hex()}, "
        f"issued on {parsed.issued_on}, said to be signed with {signer}."
    )
    if parsed.new_key is not None:
        return [
            origin,
            f"Puts the public key {parsed.new_key.hex()} into slot {parsed.new_slot}.",
            "SMA expiry date and licences stay as they are.",
        ]
    return [
        origin,
        f"Sets the SMA expiry date to {parsed.expiry_on}.",
        f"Sets the licences to: {licences_in_words(parsed.licences)}.",
    ]


def state_as_shown(state: DeviceState) -> dict[str, Any]:
    return {
        "generation": state.generation,
        "sequence": state.sequence,
        "expiry": state.expiry_on.isoformat(),
        "licences": [list(licence) for licence in state.licences],
        "slots": {str(slot): key.hex() for slot, key in sorted(state.slots.items())},
    }


def state_in_words(state: DeviceState) -> list[str]:
    return [
        f"Dongle {state.serial}, code number {state.generation}-{state.sequence}",
        f"SMA expiry date: {state.expiry_on}",
        f"Licences: {licences_in_words(state.licences)}",
        f"Key slots: {', '.join(map(str, sorted(state.slots))) or 'none'}",
        f"Receipt: {state.receipt}",
    ]


def licences_in_words(licences: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"product {product} × {seats}" for product, seats in licences) or "none"


def numbered_rows(letters: str) -> list[str]:
    """The rows as they are read out: `1  ABCD-EFGH-JKMN-PQRS TV`."""
    return [f"{number:2}  {row}" for number, row in enumerate(printed_rows(letters), 1)]

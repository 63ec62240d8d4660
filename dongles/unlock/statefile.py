"""The state of a simulated dongle in a file that is always wholly the old or wholly the new one."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from .codec import DAY_ZERO
from .device import DeviceState, factory_state


class NotAStateFile(ValueError):
    """The file does not hold the state of a dongle."""


def read_state(path: Path) -> DeviceState:
    """The state in the file; `NotAStateFile` where it holds something else, OSError where it can't be read."""
    try:
        return state_from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAStateFile(f"{path} does not hold the state of a dongle: {error}") from None


def write_state(path: Path, state: DeviceState) -> None:
    """Replace the state in the file: written beside it, forced to the disk, then renamed over it."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(state_as_json(state), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def state_as_json(state: DeviceState) -> dict[str, Any]:
    return {
        "serial": state.serial,
        "root": state.root.hex(),
        "slots": {str(slot): key.hex() for slot, key in sorted(state.slots.items())},
        "generation": state.generation,
        "sequence": state.sequence,
        "expiry": state.expiry_on.isoformat(),
        "licences": [list(licence) for licence in state.licences],
        "applied": state.applied_hash.hex() if state.applied_hash else None,
    }


def state_from_json(values: dict[str, Any]) -> DeviceState:
    """A state as `state_as_json` writes it; number, date, licences and last code may be absent, as in a new dongle."""
    fresh = factory_state(
        values["serial"],
        bytes.fromhex(values["root"]),
        {int(slot): bytes.fromhex(key) for slot, key in values["slots"].items()},
    )
    applied = values.get("applied")
    return fresh._replace(
        generation=int(values.get("generation", 0)),
        sequence=int(values.get("sequence", 0)),
        expiry_on=date.fromisoformat(values.get("expiry", DAY_ZERO.isoformat())),
        licences=tuple((int(product), int(seats)) for product, seats in values.get("licences", [])),
        applied_hash=bytes.fromhex(applied) if applied else None,
    )

"""The state of a simulated dongle in a file that is always wholly the old or wholly the new one."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from .codec import DAY_ZERO, ROOT_SLOT, check_licences, day_number
from .device import DeviceState, factory_state


class NotAStateFile(ValueError):
    """The file does not hold the state of a dongle."""


def read_state(path: Path) -> DeviceState:
    """The state in the file; `NotAStateFile` where it holds something else, OSError where it can't be read."""
    try:
        return state_from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, RecursionError) as error:
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


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other processes from changing the state until it is read, changed and written.

    The lock is on the folder, since the file itself is replaced; it goes with the process, killed or not.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
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


def state_from_json(values: Any) -> DeviceState:
    """A state as `state_as_json` writes it; ValueError where it can't be a dongle's.

    Numbers, date, licences and last code may be absent, as in a new dongle.
    """
    try:
        fresh = factory_state(
            values["serial"],
            _bytes(values["root"]),
            {_whole(int(slot), ROOT_SLOT - 1): _bytes(key) for slot, key in values["slots"].items()},
        )
        state = fresh._replace(
            generation=_whole(values.get("generation", 0), 255),
            sequence=_whole(values.get("sequence", 0), 65535),
            expiry_on=date.fromisoformat(values.get("expiry", DAY_ZERO.isoformat())),
            licences=tuple(
                (_whole(product, 65535), _whole(seats, 65535)) for product, seats in values.get("licences", ())
            ),
            applied_hash=_bytes(values["applied"]) if values.get("applied") else None,
        )
    except KeyError as missing:
        raise ValueError(f"it lacks {missing}") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(f"a value has the wrong type: {error}") from None
    day_number(state.expiry_on)
    check_licences(state.licences)
    return state


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no whole number from 0 to {most}")
    return value


def _bytes(value: str) -> bytes:
    """The 32 bytes of a key or hash."""
    found = bytes.fromhex(value)
    if len(found) != 32:
        raise ValueError("a key or hash has 64 hexadecimal digits")
    return found

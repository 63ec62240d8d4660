"""The states of dongles, and the only ways between them (rule Q8). Pure."""

from collections.abc import Mapping

from portal.errors import DomainError

DONGLE_TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "lose": {"active": "lost"},
    "find": {"lost": "active"},
    "retire": {"active": "retired", "lost": "retired"},
}


def next_dongle_state(state: str, step: str) -> str:
    """The state after `step`; refuses `dongle_not_active` where there is no such way."""
    allowed = DONGLE_TRANSITIONS[step]
    if state not in allowed:
        raise DomainError("dongle_not_active", f"This dongle is {state}.", {"state": state, "step": step})
    return allowed[state]

"""Handlers for tests of the outbox itself."""

import time

from portal.models import OutboxMessage

delivered: list[int] = []


def note(message: OutboxMessage) -> None:
    """Takes a moment, then keeps the message's id."""
    time.sleep(0.01)
    delivered.append(message.pk)


def fail(message: OutboxMessage) -> None:
    raise ConnectionRefusedError("nobody is there")


HANDLERS = {"note": "tests.outbox.handlers.note", "fail": "tests.outbox.handlers.fail"}

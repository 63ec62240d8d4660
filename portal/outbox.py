"""The outbox: work that must not be lost is a row, written in the transaction of its cause.

The row is the record of the work; whoever does it holds the row's lock while at it, so a worker that dies leaves the
row as it was and another takes it. A handler may therefore run twice and must be harmless then. How rows are handed
on after the commit is a setting: to Celery, to a thread of this process, or (in tests) to nobody.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from portal.models import OutboxMessage

logger = logging.getLogger(__name__)
Handler = Callable[[OutboxMessage], None]

FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
SWEEP_SECONDS = 30


def post(kind: str, payloads: Iterable[Mapping[str, Any]], *, at: datetime) -> list[OutboxMessage]:
    """Write a message of this kind for each payload and hand them on once the caller's transaction commits."""
    assert kind in settings.OUTBOX_HANDLERS, f"no handler for {kind!r} in OUTBOX_HANDLERS"
    messages = OutboxMessage.objects.bulk_create(
        OutboxMessage(kind=kind, payload=dict(payload), created_at=at, due_at=at) for payload in payloads
    )
    transaction.on_commit(lambda: hand_on([message.pk for message in messages]))
    return messages


def hand_on(message_ids: list[int]) -> None:
    """Give the messages to whoever does the work. Losing this call loses nothing: the sweep finds the rows."""
    if settings.OUTBOX_DISPATCH == "celery":
        from portal.tasks import deliver_message

        for message_id in message_ids:
            try:
                deliver_message.delay(message_id)
            except deliver_message.OperationalError:
                logger.warning("The broker is not reachable; the sweep will hand on message %s.", message_id)
                return
    elif settings.OUTBOX_DISPATCH == "thread":
        dispatcher().wake()


def deliver(message_id: int) -> bool:
    """Do the work of one message, unless it is done, not due or in somebody else's hands. Says whether it was done."""
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(pk=message_id, done_at__isnull=True, due_at__lte=timezone.now())
            .first()
        )
        if message is None:
            return False
        try:
            with transaction.atomic():
                handler(message.kind)(message)
        except Exception as error:
            message.attempts += 1
            message.last_error = f"{type(error).__name__}: {error}"
            message.due_at = timezone.now() + min(FIRST_RETRY * 2 ** (message.attempts - 1), LONGEST_RETRY)
            message.save(update_fields=["attempts", "last_error", "due_at"])
            logger.warning("Outbox message %s failed, next try at %s", message, message.due_at, exc_info=True)
            return False
        message.attempts += 1
        message.last_error = ""
        message.done_at = timezone.now()
        message.save(update_fields=["attempts", "last_error", "done_at"])
        return True


def due_messages() -> list[int]:
    """The open messages whose time has come, oldest first."""
    return list(
        OutboxMessage.objects.filter(done_at__isnull=True, due_at__lte=timezone.now())
        .order_by("pk")
        .values_list("pk", flat=True)[:1000]
    )


def drain() -> int:
    """Do all work that is due, here and now; the number of messages done."""
    return sum(deliver(message_id) for message_id in due_messages())


@cache
def handler(kind: str) -> Handler:
    found: Handler = import_string(settings.OUTBOX_HANDLERS[kind])
    return found


class Dispatcher(threading.Thread):
    """Drains the outbox in this process: at once when woken, and now and then for what failed before."""

    def __init__(self) -> None:
        super().__init__(name="outbox", daemon=True)
        self._woken = threading.Event()

    def wake(self) -> None:
        self._woken.set()

    def run(self) -> None:
        while True:
            self._woken.wait(SWEEP_SECONDS)
            self._woken.clear()
            close_old_connections()
            try:
                drain()
            except Exception:
                logger.exception("The outbox could not be drained; trying again in %s s", SWEEP_SECONDS)
            finally:
                connection.close()


@cache
def dispatcher() -> Dispatcher:
    """The dispatcher of this process, started at its first use."""
    thread = Dispatcher()
    thread.start()
    return thread

"""The outbox: work that must not be lost is a row, written in the transaction of its cause.

The row is the record of the work; whoever does it holds the row's lock while at it, so a worker that dies leaves the
row as it was and another takes it. A handler may therefore run twice and must be harmless then. How rows are handed
on after the commit is a setting: to Celery, to a thread of this process, or (in tests) to nobody.
"""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from portal.audit_chain import seal_events
from portal.celery import app
from portal.models import OutboxMessage

logger = logging.getLogger(__name__)
Handler = Callable[[OutboxMessage], None]

FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
SWEEP_SECONDS = 30
DELIVERY_TASK = "portal.tasks.deliver_message"
SWEPT_AT_ONCE = 1000
SECONDS_TO_FINISH = 10


def post(kind: str, payloads: Iterable[Mapping[str, Any]], *, at: datetime) -> list[OutboxMessage]:
    """Write a message of this kind for each payload and hand them on once the caller's transaction commits.

    What was committed stands: handing on can't fail the caller any more (robust), the sweep makes up for it.
    """
    assert kind in settings.OUTBOX_HANDLERS, f"no handler for {kind!r} in OUTBOX_HANDLERS"
    messages = OutboxMessage.objects.bulk_create(
        OutboxMessage(kind=kind, payload=dict(payload), created_at=at, due_at=at) for payload in payloads
    )
    transaction.on_commit(lambda: hand_on([message.pk for message in messages]), robust=True)
    return messages


def hand_on(message_ids: list[int]) -> None:
    """Give the messages to whoever does the work. Losing this call loses nothing: the sweep finds the rows."""
    if settings.OUTBOX_DISPATCH == "celery":
        for message_id in message_ids:
            try:
                # One that nobody takes before the next sweep is handed on by that: the queue can't pile up.
                app.send_task(DELIVERY_TASK, (message_id,), expires=SWEEP_SECONDS)
            except OperationalError as error:
                logger.warning("The broker is not reachable (%s); the sweep hands on message %s.", error, message_id)
                return
    elif settings.OUTBOX_DISPATCH == "thread":
        start_dispatcher().wake()


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
        message.attempts += 1
        try:
            with transaction.atomic():
                handler(message.kind)(message)
        except Exception as error:  # whatever a handler raises is its message's business and stops no other
            message.last_error = f"{type(error).__name__}: {error}"
            message.due_at = timezone.now() + retry_delay(message.attempts)
            logger.warning("Outbox message %s failed, next try at %s", message, message.due_at, exc_info=True)
        else:
            message.last_error = ""
            message.done_at = timezone.now()
        message.save(update_fields=["attempts", "last_error", "due_at", "done_at"])
        return message.done_at is not None


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 15 s, doubled each time, an hour at most."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(attempts - 1, 16)
    return min(doubled, LONGEST_RETRY)


def due_messages() -> list[int]:
    """The open messages whose time has come, longest due first."""
    return list(
        OutboxMessage.objects.filter(done_at__isnull=True, due_at__lte=timezone.now())
        .order_by("due_at", "pk")
        .values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    )


def drain() -> int:
    """Do all work that is due, here and now; the number of messages done."""
    return sum(deliver(message_id) for message_id in due_messages())


def handler(kind: str) -> Handler:
    """What does the work of messages of this kind."""
    found: Handler = import_string(settings.OUTBOX_HANDLERS[kind])
    return found


class Dispatcher(threading.Thread):
    """Drains the outbox in this process: when started, when woken, and now and then for what failed before.

    It seals the audit trail too, and does what DISPATCHER_CHORES names; elsewhere these are tasks of their own.
    """

    def __init__(self) -> None:
        super().__init__(name="outbox", daemon=True)
        self._woken = threading.Event()
        self._is_ending = False

    def wake(self) -> None:
        self._woken.set()

    def finish(self) -> None:
        """Let it do what is due before the process ends, for some seconds; what is left stays in its rows."""
        self._is_ending = True
        self._woken.set()
        self.join(SECONDS_TO_FINISH)

    def run(self) -> None:
        is_last_round = False
        while not is_last_round:
            is_last_round = self._is_ending
            self._woken.clear()
            try:
                drain()
                seal_events()
                for chore in settings.DISPATCHER_CHORES:
                    import_string(chore)()
            except Exception:
                logger.exception("The outbox could not be drained; trying again in %s s", SWEEP_SECONDS)
            finally:
                connection.close()
            if not self._is_ending:
                self._woken.wait(SWEEP_SECONDS)


_starting = threading.Lock()
_dispatcher: Dispatcher | None = None


def start_dispatcher() -> Dispatcher:
    """The dispatcher of this process, started unless it runs (in a forked process it does not)."""
    global _dispatcher
    with _starting:
        if _dispatcher is None or not _dispatcher.is_alive():
            _dispatcher = Dispatcher()
            _dispatcher.start()
            atexit.register(_dispatcher.finish)
        return _dispatcher

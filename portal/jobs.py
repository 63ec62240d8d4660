"""Long work, in slices: an import, a campaign, an export.

A slice is one message of the outbox and one transaction: what it did, the job's new checkpoint and the message for the
next slice are committed together. So a process that is killed leaves nothing half-done, and another goes on from the
last checkpoint. A worker is a function that does one slice; it lasts some seconds, unless what it writes must be one
transaction as a whole, and says meanwhile how far it is.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string

from portal import audit, outbox
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Job, JobFile, OutboxMessage

SLICE = "job"  # the kind of the outbox's messages
PIECE = 1024 * 1024  # bytes of a file that are read and written at once
SECONDS_BETWEEN_TELLS = 0.5
WORTH_A_MAIL = timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)


class Step(NamedTuple):
    """What a slice has done: how far the work is now, and where the next slice goes on; none ends the job.

    `result` is added to what the job's page shows.
    """

    done: int
    total: int | None
    checkpoint: dict[str, Any] | None
    result: Mapping[str, Any] = {}


class Tell(Protocol):
    """Shows at once how far the slice is, whatever becomes of it; raises Cancelled where somebody wants it to stop."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


Worker = Callable[[Job, Tell], Step]


class Cancelled(Exception):
    """Somebody has asked the job to stop: the slice is rolled back."""


@transaction.atomic
def start_job(
    *,
    kind: str,
    title: str,
    actor: Actor,
    at: datetime,
    params: Mapping[str, Any] | None = None,
    unit: str = "row",
    files: Mapping[str, bytes] | None = None,
) -> Job:
    """Ask for work of this kind (settings.JOB_WORKERS), with the files that it needs by their names."""
    assert kind in settings.JOB_WORKERS, f"no worker for {kind!r} in JOB_WORKERS"
    job = Job.objects.create(
        kind=kind, title=title, asked_by_id=actor.user_id, asked_at=at, params=dict(params or {}), unit=unit
    )
    for name, content in (files or {}).items():
        append_to_file(job, name, content)
    audit.record(actor, at, Deed("start", job, after={"title": title}))
    outbox.post(SLICE, [{"job": job.pk}], at=at)
    return job


@transaction.atomic
def start_job_unless_open(*, kind: str, title: str, actor: Actor, at: datetime, unit: str = "row") -> Job:
    """Ask for work of which one at a time is enough: where one goes on already, that one is returned."""
    with connection.cursor() as cursor:  # whoever asks at the same moment waits, and finds this one
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"job {kind}"])
    going_on = Job.objects.filter(kind=kind, state__in=[Job.State.WAITING, Job.State.RUNNING]).first()
    return going_on or start_job(kind=kind, title=title, unit=unit, actor=actor, at=at)


@transaction.atomic
def cancel_job(*, job: Job, actor: Actor, at: datetime) -> Job:
    """Stop a job: at once, or where a slice is being done as soon as that can. What is committed stays.

    Refuses `not_allowed` (who asked for it may, and administrators). One that has ended is left as it is.
    """
    job = _locked(job, actor)
    if not job.is_open:
        return job
    before, job.cancel_asked_at = job.state, at
    idle = OutboxMessage.objects.select_for_update(skip_locked=True).filter(
        kind=SLICE, payload__contains={"job": job.pk}, done_at__isnull=True
    )
    if message := idle.first():
        message.done_at = at
        message.save(update_fields=["done_at"])
        job.state, job.ended_at = Job.State.CANCELLED, at
    job.save(update_fields=["cancel_asked_at", "state", "ended_at"])
    audit.record(actor, at, Deed("cancel", job, {"state": before}, {"state": job.state, "done": job.done}))
    return job


@transaction.atomic
def resume_job(*, job: Job, actor: Actor, at: datetime) -> Job:
    """Let a cancelled or refused job go on from its checkpoint. Refuses `not_allowed` and `job_ended`."""
    job = _locked(job, actor)
    if job.is_open:
        return job
    if job.state == Job.State.DONE:
        raise DomainError("job_ended", "This is done already.")
    before, job.state, job.ended_at, job.cancel_asked_at = job.state, Job.State.WAITING, None, None
    job.refusal_code, job.refusal, job.began_at = "", "", None
    job.save()
    audit.record(actor, at, Deed("resume", job, {"state": before}, {"state": job.state, "done": job.done}))
    outbox.post(SLICE, [{"job": job.pk}], at=at)
    return job


def _locked(job: Job, actor: Actor) -> Job:
    job = Job.objects.select_for_update().get(pk=job.pk)
    if actor.role not in ("system", "administrator") and actor.user_id != job.asked_by_id:
        raise DomainError("not_allowed", "Whoever asked for this work can do that, or an administrator.")
    return job


def run_slice(message: OutboxMessage) -> None:
    """Do the next slice of a job. Payload: `job` (id).

    The message's row lock, which the outbox holds, keeps others from the job; the job's own row is written at the end
    alone, so that meanwhile progress can be told past this transaction. A refusal ends the job.
    """
    job = Job.objects.get(pk=message.payload["job"])
    if not job.is_open:
        return
    if job.cancel_asked_at is not None:
        _end(job, Job.State.CANCELLED)
        return
    with closing(_Progress(job)) as tell:
        try:
            with transaction.atomic():
                tell(job.done, job.total)
                step = _worker(job.kind)(job, tell)
        except Cancelled:
            _end(job, Job.State.CANCELLED)
            return
        except DomainError as refusal:
            job.refusal_code, job.refusal = refusal.code, refusal.message
            _end(job, Job.State.REFUSED)
            return
    now = timezone.now()
    job.done, job.total = step.done, step.total
    job.result = {**job.result, **step.result}
    job.state = Job.State.RUNNING
    job.began_at = job.began_at or now
    if step.checkpoint is None:
        _end(job, Job.State.DONE)
        return
    job.checkpoint = step.checkpoint
    job.save(update_fields=["done", "total", "result", "state", "checkpoint", "began_at"])
    outbox.post(SLICE, [{"job": job.pk}], at=now)


def _worker(kind: str) -> Worker:
    found: Worker = import_string(settings.JOB_WORKERS[kind])
    return found


def _end(job: Job, state: Job.State) -> None:
    job.state, job.ended_at = state, timezone.now()
    job.save(update_fields=["state", "ended_at", "done", "total", "result", "refusal_code", "refusal"])
    audit.record(Actor(job.title), job.ended_at, Deed("end", job, after={"state": state, "done": job.done}))
    if job.asked_by_id is not None and job.ended_at - job.asked_at >= WORTH_A_MAIL:
        outbox.post("job_ended", [{"job": job.pk}], at=job.ended_at)


class _Progress:
    """Writes how far a job is on a connection of its own, past the slice's transaction, now and then."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self._next_at = 0.0

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + SECONDS_BETWEEN_TELLS
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE portal_job SET state = 'running', done = %s, total = coalesce(%s, total),"
                " began_from = CASE WHEN began_at IS NULL THEN %s ELSE began_from END,"
                " began_at = coalesce(began_at, %s)"
                " WHERE id = %s RETURNING began_at, cancel_asked_at",
                [done, total, self._job.done, timezone.now(), self._job.pk],
            )
            told = cursor.fetchone()
        if told:  # a job that its own transaction has not committed yet, as in a test, can't be told about
            self._job.began_at = told[0]
            if told[1] is not None:
                raise Cancelled

    def close(self) -> None:
        self._connection.close()


def append_to_file(job: Job, name: str, content: bytes) -> None:
    """Add to a file of the job, in the caller's transaction."""
    last = JobFile.objects.filter(job=job, name=name).aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    for number, start in enumerate(range(0, len(content), PIECE), first):
        JobFile.objects.create(job=job, name=name, number=number, content=content[start : start + PIECE])


def file_pieces(job: Job, name: str) -> Iterator[bytes]:
    """A file of the job piece by piece, never all of it at once."""
    for number in JobFile.objects.filter(job=job, name=name).values_list("number", flat=True):
        yield bytes(JobFile.objects.values_list("content", flat=True).get(job=job, name=name, number=number))


def files_to_download(job: Job) -> list[str]:
    """The names of the files that a job has made, as its result lists them under `files`."""
    return [str(name) for name in job.result.get("files", ())]


def seconds_left(job: Job, now: datetime) -> int | None:
    """How long the rest will take at the speed since the job last went on; none where nothing can be said yet."""
    if job.began_at is None or job.total is None or job.done <= job.began_from:
        return None
    so_far = (now - job.began_at).total_seconds()
    return round(so_far * (job.total - job.done) / (job.done - job.began_from))


def forget_old_files(at: datetime) -> int:
    """Remove the files of jobs that ended 30 days ago; what came of those stays on record. The number of pieces."""
    old = JobFile.objects.filter(job__ended_at__lt=at - KEPT_FOR)
    return old.delete()[0]

"""Celery's tasks: the handing on of outbox messages, whose rows are the record of the work; sealing; cleaning."""

from typing import Any

from celery.signals import worker_ready
from django.core.management import call_command
from django.utils import timezone

from portal import audit_chain, jobs, outbox
from portal.audit import Actor
from portal.celery import app


@app.task
def deliver_message(message_id: int) -> None:
    """Deliver one message; harmless when it was delivered before or is being delivered elsewhere."""
    outbox.deliver(message_id)


@app.task
def sweep_outbox() -> None:
    """Hand on again whatever is due and not done: retries, and what a dead worker or broker left."""
    outbox.hand_on(outbox.due_messages())


@app.task
def forget_old_job_files() -> None:
    """Once a day: what jobs were given and made is kept for 30 days."""
    jobs.forget_old_files(timezone.now())


@app.task
def forget_sessions() -> None:
    """Every hour: sessions that are over go. Whoever asks for a code or a quote makes one, machines too."""
    call_command("clearsessions")


@app.task
def start_daily_job(kind: str, title: str, unit: str) -> None:
    """Start long work that the clock asks for, unless the last of its kind still goes on."""
    jobs.start_job_unless_open(kind=kind, title=title, unit=unit, actor=Actor("Clock"), at=timezone.now())


@app.task
def seal_audit_trail() -> None:
    """Chain the audit events that were committed meanwhile."""
    audit_chain.seal_events()


@worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """A worker that comes up takes over at once what one before it left, whether or not beat runs."""
    sweep_outbox.delay()

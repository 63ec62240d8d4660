"""Celery's tasks of selling: the reminders of a day."""

from django.utils import timezone

from portal.celery import app
from renewals.services import reminders


@app.task
def post_reminders() -> None:
    """Post the reminders that are due; harmless when another run is at it or has been, and when it is killed."""
    reminders.post_reminders(actor=reminders.REMINDERS, at=timezone.now())

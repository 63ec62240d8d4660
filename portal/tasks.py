"""Celery's tasks: only the handing on of outbox messages, whose rows are the record of the work."""

from portal import outbox
from portal.celery import app


@app.task(acks_late=True)
def deliver_message(message_id: int) -> None:
    outbox.deliver(message_id)


@app.task
def sweep_outbox() -> None:
    """Hand on again whatever is due and not done: retries, and what a dead worker left."""
    for message_id in outbox.due_messages():
        deliver_message.delay(message_id)

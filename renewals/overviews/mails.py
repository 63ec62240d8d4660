"""What became of the mails about a version of a quote."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from portal.models import Contact, OutboxMessage
from renewals.models import QuoteVersion


class ToldMail(NamedTuple):
    """A mail on its way, gone or stuck; `sent_at` is none until it left."""

    recipients: Sequence[str]
    posted_at: datetime
    sent_at: datetime | None
    is_stuck: bool
    next_try_at: datetime


def recipients_of(version: QuoteVersion) -> Sequence[Contact]:
    """Who on file had a version by mail and has not left since; everybody on file where none of them is left (Q5)."""
    contacts = list(version.quote.customer.reachable_contacts())
    messages = OutboxMessage.objects.filter(kind="quote_sent", payload__contains={"version": version.pk})
    had_it = {email for payload in messages.values_list("payload", flat=True) for email in payload["recipients"]}
    return [contact for contact in contacts if contact.email in had_it] or contacts


def mails_about(version: QuoteVersion) -> Sequence[ToldMail]:
    """The mails of a sent version, the newest first. One that failed at least once and is still to go is stuck."""
    messages = OutboxMessage.objects.filter(kind="quote_sent", payload__contains={"version": version.pk})
    return [
        ToldMail(
            message.mail.recipients if hasattr(message, "mail") else message.payload["recipients"],
            message.created_at,
            message.mail.sent_at if hasattr(message, "mail") else None,
            message.done_at is None and message.attempts > 0,
            message.due_at,
        )
        for message in messages.select_related("mail").order_by("-pk")
    ]

"""Who did what when, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from portal.models import AuditEvent
from renewals.models import Order, QuoteVersion

# What was done, as the history says it.
DEEDS = {
    ("quoteversion", "draft"): "drafted",
    ("quoteversion", "approve"): "approved",
    ("quoteversion", "send"): "sent",
    ("quoteversion", "resend"): "sent again",
    ("quoteversion", "supersede"): "superseded",
    ("quoteversion", "decline"): "declined",
    ("quoteversion", "accept"): "accepted",
    ("quoteversion", "bridge"): "bridged",
    ("order", "accept"): "Order placed",
    ("order", "fulfil"): "Order fulfilled",
    ("order", "cancel"): "Order cancelled",
    ("order", "attach"): "Purchase order file added",
}


class ToldEvent(NamedTuple):
    """An audit event in words."""

    what: str
    event: AuditEvent


def history_of(versions: Sequence[QuoteVersion], orders: Sequence[Order]) -> Sequence[ToldEvent]:
    """Who did what to these when, newest first."""
    events = AuditEvent.objects.filter(
        subject_kind=QuoteVersion._meta.model_name, subject_id__in=[version.pk for version in versions]
    )
    if orders:
        events |= AuditEvent.objects.filter(
            subject_kind=Order._meta.model_name, subject_id__in=[order.pk for order in orders]
        )
    numbers = {version.pk: version.number for version in versions}
    told = []
    for event in events.order_by("-pk"):
        what = DEEDS.get((event.subject_kind, event.action), event.action)
        if event.subject_kind == QuoteVersion._meta.model_name:
            what = f"Version {numbers[event.subject_id]} {what}"
        told.append(ToldEvent(what, event))
    return told

"""Who did what when, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from dongles.models import Dongle
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
    ("dongle", "lose"): "Lost",
    ("dongle", "find"): "Found again",
    ("dongle", "replace"): "Replaced",
    ("dongle", "take_over"): "Took another’s place",
    ("dongle", "transfer"): "Handed on",
}


class ToldEvent(NamedTuple):
    """An audit event in words."""

    what: str
    event: AuditEvent


def history_of_dongle(dongle: Dongle) -> Sequence[ToldEvent]:
    """What became of a dongle: lost, found, replaced, handed on; newest first."""
    events = AuditEvent.objects.filter(subject_kind=Dongle._meta.model_name, subject_id=dongle.pk).order_by("-pk")
    return [ToldEvent(_wording_of_deed(event), event) for event in events]


def _wording_of_deed(event: AuditEvent) -> str:
    """What was done to a dongle, with the other dongle or the owners where there are some."""
    what = DEEDS.get((event.subject_kind, event.action), event.action)
    match event.action:
        case "replace":
            return f"{what} by {event.after['replaced_by']}"
        case "take_over":
            return f"Took the place of {event.after['replaces']}"
        case "transfer":
            return f"{what} from {event.before['name'] or 'nobody'} to {event.after['name']}"
    return what


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

"""What customers have done without anybody of the vendor's staff."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from dongles.queries import fingerprints_of
from portal.audit import Actor, Deed, record
from portal.models import Contact
from renewals.models import QuoteDongle, QuoteVersion, RenewalRequest
from renewals.queries import DongleRequest
from renewals.rows import requests_of
from renewals.services.quotes import draft_quote, resend_quote, send_quote
from renewals.services.requests import answer_requests, link_request
from renewals.states import QuoteState

PORTAL = Actor("Portal")


@transaction.atomic
def quote_at_once(
    *,
    requests: Sequence[DongleRequest],
    contact: Contact,
    actor: Actor,
    at: datetime,
    answers: RenewalRequest | None = None,
) -> QuoteVersion:
    """Price what a contact on file asks for their organisation's dongles, and mail them the quote (Q5); no one else.

    Asked for again while such a quote is open and the dongles are as they were, that quote is mailed again and no
    second one made. `answers` is the request that is answered. Refuses what `draft_quote` and `send_quote` refuse.
    """
    open_version = _open_version(requests, contact, timezone.localdate(at))
    if open_version is None:
        draft = draft_quote(customer=contact.customer, requests=requests, answers=answers, actor=PORTAL, at=at)
        version = send_quote(version=draft, recipients=[contact.email], actor=PORTAL, at=at)
    else:
        version = resend_quote(version=open_version, recipients=[contact.email], actor=PORTAL, at=at)
        if answers is not None:
            link_request(request=answers, quote=version.quote, actor=PORTAL, at=at)
            answer_requests(quote=version.quote, actor=PORTAL, at=at)
    record(actor, at, Deed("ask", version, after={"asked_by": contact.email}))
    return version


def _open_version(requests: Sequence[DongleRequest], contact: Contact, today: date) -> QuoteVersion | None:
    """An open quote that asks the same of the same dongles, with the licences and coverage that they have now."""
    now = fingerprints_of(request.dongle for request in requests)
    quoted = QuoteDongle.objects.filter(dongle=requests[0].dongle)
    versions = QuoteVersion.objects.filter(
        quote__customer=contact.customer, state=QuoteState.SENT, valid_until__gte=today, dongles__in=quoted
    )
    for version in versions.order_by("-pk").prefetch_related("dongles"):
        then = {each.dongle_id: each.fingerprint for each in version.dongles.all()}
        if then == now and sorted(requests_of(version), key=_order) == sorted(requests, key=_order):
            return version
    return None


def _order(request: DongleRequest) -> int:
    return request.dongle.pk

"""What customers have done without anybody of the vendor's staff."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from dongles.queries import fingerprints_of
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer
from renewals.models import Order, QuoteDongle, QuoteVersion, RenewalRequest
from renewals.overviews.offers import is_at_list_terms
from renewals.queries import DongleRequest
from renewals.rows import requests_of
from renewals.services.files import NamedFile
from renewals.services.orders import accept_quote
from renewals.services.quotes import draft_quote, lock_version, resend_quote, send_quote
from renewals.services.requests import answer_requests, link_request
from renewals.states import QuoteState

PORTAL = Actor("Portal")
MOST_QUOTES_AN_HOUR = 10  # that one customer's people get by asking on the pages of quotes
# A quote that can't be accepted any more, by the code of the refusal: why customers need another.
OVERTAKEN = {
    "dongle_changed": "What is on a dongle of this quote has changed since it was made.",
    "quote_straddled": "A major release has come out since this quote was made, which changes its price.",
    "quote_expired": "The last day on which this quote could be accepted is over.",
}


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
    second one made, at the same moment either: who asks for a customer waits for who asked before. `answers` is the
    request that is answered. Refuses what `draft_quote` and `send_quote` refuse.
    """
    _wait_for_others(contact)
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


def _wait_for_others(contact: Contact) -> None:
    """Ask for a customer one after the other: under the lock of its row, which comes before those of quotes.

    It leaves the key alone, so that whoever places an order meanwhile does not wait.
    """
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=contact.customer_id)


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


@transaction.atomic
def quote_otherwise(
    *, version: QuoteVersion, requests: Sequence[DongleRequest], contact: Contact, actor: Actor, at: datetime
) -> QuoteVersion:
    """Quote the dongles of a quote in another way that its page offers, mailed to that contact alone (Q5).

    The quote that it was chosen instead of stays what it is: whichever is accepted first counts. Refuses
    `too_many_quotes`, and what `quote_at_once` refuses.
    """
    _wait_for_others(contact)
    _check_rate(version, at)
    return quote_at_once(requests=requests, contact=contact, actor=actor, at=at)


@transaction.atomic
def offer_anew(
    *, version: QuoteVersion, recipients: Collection[str], actor: Actor, at: datetime
) -> QuoteVersion | None:
    """Make the offer of a sent version again as of today, and send it at once to these contacts on file (Q5).

    None where that is for sales: something was conceded (Q3) or a dongle is to be replaced (Q8), somebody is at a new
    version, or it would say the same again, as while another order for a dongle waits. A newer version that is open
    already is returned as it is. Refuses `too_many_quotes`, and what `draft_quote` and `send_quote` refuse.
    """
    version, siblings = lock_version(version)
    today = timezone.localdate(at)
    newer = [each for each in siblings if each.number > version.number]
    if already := next(
        (each for each in newer if each.state == QuoteState.SENT and not each.is_expired_on(today)), None
    ):
        return already
    draft = next((each for each in newer if each.state == QuoteState.DRAFT), None)
    if not is_at_list_terms(version) or (draft and draft.drafted_by_id is not None):
        return None
    _check_rate(version, at)
    if draft is None or draft.priced_on != today:
        draft = draft_quote(
            customer=version.quote.customer,
            requests=requests_of(version),
            part_month=version.part_month,
            note=version.note,
            revises=version.quote,
            actor=PORTAL,
            at=at,
        )
    if version.state == QuoteState.SENT and not version.is_expired_on(today) and _says_the_same(version, draft):
        return None
    sent = send_quote(version=draft, recipients=recipients, actor=PORTAL, at=at)
    record(actor, at, Deed("ask", sent, after={"asked_by": actor.name}))
    return sent


def accept_as_customer(
    *,
    version: QuoteVersion,
    accepted_by: str,
    terms: str,
    recipients: Collection[str],
    actor: Actor,
    at: datetime,
    purchase_order_number: str = "",
    purchase_order_file: NamedFile | None = None,
) -> Order:
    """Accept a quote on its page; where it has been overtaken, the version that takes its place is sent at once.

    The refusal then says so: `dongle_changed`, `quote_straddled` or `quote_expired`, with the number of the new
    `version` in its data, or none where sales makes it. Else refuses what `accept_quote` refuses.
    """
    try:
        return accept_quote(
            version=version,
            accepted_by=accepted_by,
            terms=terms,
            purchase_order_number=purchase_order_number,
            purchase_order_file=purchase_order_file,
            actor=actor,
            at=at,
        )
    except DomainError as refusal:
        if refusal.code not in OVERTAKEN:
            raise
        newer = offer_anew(version=version, recipients=recipients, actor=actor, at=at)
        if newer is None:
            what = "We make you a new offer and mail it: there is nothing that you have to do."
            if refusal.code != "dongle_changed":
                what = "Ask for a new one below, under “Ask a question”."
        else:
            what = f"Version {newer.number} takes its place, and stands below: look at it, then accept it."
        data = {"version": newer.number if newer else None}
        raise DomainError(refusal.code, f"{OVERTAKEN[refusal.code]} {what}", data) from refusal


def _check_rate(version: QuoteVersion, at: datetime) -> None:
    """Refuse `too_many_quotes`: what customers ask for on pages of quotes leads to mails to others of theirs."""
    versions = QuoteVersion.objects.filter(quote__customer=version.quote.customer_id).values("pk")
    kind = QuoteVersion._meta.model_name
    asked = AuditEvent.objects.filter(action="ask", at__gt=at - timedelta(hours=1), subject_kind=kind)
    if asked.filter(subject_id__in=versions).count() >= MOST_QUOTES_AN_HOUR:
        raise DomainError(
            "too_many_quotes",
            f"{MOST_QUOTES_AN_HOUR} quotes were asked for within the hour. Write us, or try again in an hour.",
        )


def _says_the_same(version: QuoteVersion, draft: QuoteVersion) -> bool:
    """Whether a draft offers the same for the same money, of dongles that are as they were."""
    then, now = (dict(each.dongles.values_list("dongle_id", "fingerprint")) for each in (version, draft))
    return then == now and version.total == draft.total

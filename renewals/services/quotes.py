"""Quotes: draft, approve, send, decline (rules Q1–Q3). Each is one transaction."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from dongles import queries as dongle_queries
from dongles.models import Dongle
from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Customer
from portal.wording import write_day
from renewals import links, queries
from renewals.documents import quote_pdf
from renewals.models import (
    Campaign,
    PolicySettings,
    Quote,
    QuoteDocument,
    QuoteDongle,
    QuoteLine,
    QuoteVersion,
    RenewalRequest,
)
from renewals.queries import NO_CONCESSIONS, Concessions, DongleRequest, PricedQuote, ReplacementRequest
from renewals.rows import rows_of
from renewals.services.catalogue import hold_terms
from renewals.services.requests import answer_requests, link_request
from renewals.states import QuoteState, next_quote_state


@transaction.atomic
def draft_quote(
    *,
    customer: Customer,
    requests: Sequence[DongleRequest],
    actor: Actor,
    at: datetime,
    concessions: Concessions = NO_CONCESSIONS,
    discount_reason: str = "",
    part_month: str = "",
    note: str = "",
    revises: Quote | None = None,
    newest_known: int | None = None,
    answers: RenewalRequest | None = None,
) -> QuoteVersion:
    """Price the requests as of today and keep the result as a draft: of a new quote, or the next version of one.

    A draft that it revises is superseded at once; a sent version stays a promise until the new one is sent.
    `newest_known` is the number of the newest version that who drafts has seen: where somebody has made a newer one
    meanwhile it is refused (`quote_changed`) rather than superseded unseen. `answers` is a request that the quote is
    made for (`link_request`). Refuses what `price_quote` refuses,
    `discount_out_of_range`, `discount_reason_missing` (for whatever is conceded, Q3), `quote_accepted`, and where a
    dongle is to be replaced (Q8) `replacement_reason_missing` and `serial_taken`.
    """
    check_ability(actor, "sell")
    if not 0 <= concessions.discount <= 1:
        raise DomainError("discount_out_of_range", "A discount lies between 0 and 100 %.", {"field": "discount"})
    if concessions != NO_CONCESSIONS and not discount_reason.strip():
        raise DomainError("discount_reason_missing", "Say why this is given.", {"field": "discount_reason"})
    for request in requests:
        if request.replacement:
            _check_replacement(request.dongle, request.replacement)
    quote = None if revises is None else Quote.objects.select_for_update().get(pk=revises.pk, customer=customer)
    hold_terms()
    priced = queries.price_quote(
        customer, requests, on=timezone.localdate(at), concessions=concessions, part_month=part_month
    )

    deeds, number = [], 1
    if quote is None:
        quote = Quote(customer=customer, created_at=at)
    else:
        versions = list(quote.versions.select_related("drafted_by"))
        _check_newest(versions, newest_known)
        deeds += _supersede(versions, QuoteState.DRAFT)
        number = max(version.number for version in versions) + 1
    version = _draft_of(quote, number, priced, actor)
    version.discount_reason, version.note = discount_reason.strip(), note.strip()
    audit.record(actor, at, *deeds, *_keep([(version, priced)]))
    if answers is not None:
        link_request(request=answers, quote=quote, actor=actor, at=at)
    return version


@transaction.atomic
def draft_quotes(
    *, priced: Sequence[PricedQuote], campaign: Campaign, actor: Actor, at: datetime
) -> list[QuoteVersion]:
    """Keep what was priced today as drafts of new quotes of a campaign, with as many queries as for one."""
    check_ability(actor, "sell")
    assert all(each.priced_on == timezone.localdate(at) for each in priced)
    drafts = [
        (_draft_of(Quote(customer=each.customer, created_at=at, campaign=campaign), 1, each, actor), each)
        for each in priced
    ]
    audit.record(actor, at, *_keep(drafts))
    return [version for version, _ in drafts]


def _draft_of(quote: Quote, number: int, priced: PricedQuote, actor: Actor) -> QuoteVersion:
    """What was priced as a draft, unsaved."""
    return QuoteVersion(
        quote=quote,
        number=number,
        state=QuoteState.DRAFT,
        priced_on=priced.priced_on,
        price_list=priced.price_list,
        policy=priced.policy,
        currency=priced.currency,
        discount=priced.concessions.discount,
        waives_upgrades=priced.concessions.waives_upgrades,
        free_months=priced.concessions.free_months,
        part_month=priced.part_month,
        tax_rate=priced.tax_rate,
        net=priced.net,
        tax=priced.tax,
        total=priced.total,
        drafted_by_id=actor.user_id,
        needs_approval=needs_approval(priced, actor.role),
    )


def _keep(drafts: Sequence[tuple[QuoteVersion, PricedQuote]]) -> list[Deed]:
    """Write drafts with their dongles and lines, and the quotes that are new: in four statements, however many."""
    Quote.objects.bulk_create(version.quote for version, _ in drafts if version.quote.pk is None)
    versions = QuoteVersion.objects.bulk_create(version for version, _ in drafts)
    rows = [row for version, priced in drafts for row in rows_of(version, priced)]
    QuoteDongle.objects.bulk_create(quoted for quoted, _ in rows)
    QuoteLine.objects.bulk_create(line for _, lines in rows for line in lines)
    return [
        Deed("draft", version, after={"state": version.state, "total": version.total, "currency": version.currency})
        for version in versions
    ]


def _check_replacement(dongle: Dongle, wanted: ReplacementRequest) -> None:
    if not wanted.reason.strip():
        raise DomainError("replacement_reason_missing", "Say what happened to the dongle.", {"field": "reason"})
    dongle_queries.check_successor(dongle, wanted.serial)


def needs_approval(priced: PricedQuote, role: str) -> bool:
    """Q3: whether another person has to approve: a discount over the role's limit, waived upgrades, free months."""
    given = priced.concessions
    return given.discount > discount_limit(priced.policy, role) or given.waives_upgrades or given.free_months > 0


def _check_newest(versions: Sequence[QuoteVersion], newest_known: int | None) -> None:
    newest = max(versions, key=lambda version: version.number)
    if newest_known is not None and newest.number > newest_known:
        raise DomainError(
            "quote_changed",
            f"Meanwhile {newest.drafted_by or 'the portal'} has made version {newest.number} of this quote."
            " Look at it before you make another.",
            {"version": newest.number},
        )


def discount_limit(policy: PolicySettings, role: str) -> Decimal:
    """Q3: the highest negotiated rate that the role may give alone; none unless the policy names one."""
    return Decimal(policy.discount_limits.get(role, "0"))


def _supersede(versions: Sequence[QuoteVersion], state: QuoteState) -> list[Deed]:
    """Supersede the versions in that state; once one is accepted the quote has no further versions (Q2)."""
    for version in versions:
        if version.state == QuoteState.ACCEPTED:
            next_quote_state(version.state, "supersede")
    return [move_version(version, "supersede") for version in versions if version.state == state]


@transaction.atomic
def approve_quote(*, version: QuoteVersion, actor: Actor, at: datetime, reason: str) -> QuoteVersion:
    """Q3: another person, with the limit for the discount, approves what is conceded, with a reason.

    Refuses `approval_own`, `approval_over_limit`, `approval_reason_missing`, and a version that is no draft.
    """
    check_ability(actor, "sell")
    version = lock_version(version).version
    next_quote_state(version.state, "send")
    if version.approved_by_id is not None or not version.needs_approval:
        return version
    if actor.user_id is None or actor.user_id == version.drafted_by_id:
        raise DomainError("approval_own", "Somebody else than who drafted the quote has to approve it.")
    if version.discount > discount_limit(version.policy, actor.role):
        raise DomainError("approval_over_limit", "This discount is over the limit of your role too.")
    if not reason.strip():
        raise DomainError("approval_reason_missing", "Say why you approve.", {"field": "reason"})
    version.approved_by_id = actor.user_id
    version.save(update_fields=["approved_by"])
    conceded = {
        "discount": str(version.discount),
        "waives_upgrades": version.waives_upgrades,
        "free_months": version.free_months,
    }
    audit.record(actor, at, Deed("approve", version, after=conceded, reason=reason.strip()))
    return version


@transaction.atomic
def send_quote(
    *, version: QuoteVersion, actor: Actor, at: datetime, recipients: Collection[str] | None = None
) -> QuoteVersion:
    """Make the draft a promise through its last valid day (Q1), freeze its document and mail it to contacts on file.

    To all of them, or to those whose addresses are named. An earlier sent version is superseded (Q2), and requests that
    the quote was made for are answered. Sent again, nothing happens. Refuses `approval_needed`, `quote_outdated`
    (priced on an earlier day), `no_contact` and `recipient_not_on_file`.
    """
    check_ability(actor, "sell")
    version, siblings = lock_version(version)
    if version.state == QuoteState.SENT:
        return version
    next_quote_state(version.state, "send")
    today = timezone.localdate(at)
    if version.needs_approval and version.approved_by_id is None:
        raise DomainError("approval_needed", "What this quote concedes has to be approved by somebody else first.")
    if version.priced_on != today:
        raise DomainError(
            "quote_outdated",
            f"This draft was priced on {write_day(version.priced_on)}. Price it again as of today, then send it.",
        )
    addresses = _addresses(version, recipients)
    deeds = _supersede(siblings, QuoteState.SENT)
    version.valid_until = today + timedelta(days=version.policy.quote_valid_days)
    version.key_hash, version.key_nonce = links.new_link()
    deeds.append(move_version(version, "send", "valid_until", "key_hash", "key_nonce"))
    document = _freeze(version, at)
    deeds[-1] = deeds[-1]._replace(
        after={
            **deeds[-1].after,
            "valid_until": str(version.valid_until),
            "recipients": addresses,
            "document": document.sha256,
        },
    )
    audit.record(actor, at, *deeds)
    answer_requests(quote=version.quote, actor=actor, at=at)
    outbox.post("quote_sent", [{"version": version.pk, "recipients": addresses}], at=at)
    return version


@transaction.atomic
def resend_quote(
    *, version: QuoteVersion, actor: Actor, at: datetime, recipients: Collection[str] | None = None
) -> QuoteVersion:
    """Mail a sent version once more, with the same document, to contacts on file; recorded in its history.

    Refuses a version that is not sent, `quote_expired`, `no_contact` and `recipient_not_on_file`.
    """
    check_ability(actor, "sell")
    version = lock_version(version).version
    next_quote_state(version.state, "resend")
    assert version.valid_until is not None
    if timezone.localdate(at) > version.valid_until:
        raise DomainError("quote_expired", f"This quote was valid until {write_day(version.valid_until)}.")
    addresses = _addresses(version, recipients)
    audit.record(actor, at, Deed("resend", version, after={"recipients": addresses}))
    outbox.post("quote_sent", [{"version": version.pk, "recipients": addresses}], at=at)
    return version


def _addresses(version: QuoteVersion, recipients: Collection[str] | None) -> list[str]:
    """Q5: a quote goes only to contacts on file that have not left."""
    customer = version.quote.customer
    on_file = list(customer.reachable_contacts().values_list("email", flat=True))
    if not on_file:
        raise DomainError("no_contact", f"{customer.name} has no contact with an e-mail address on file.")
    if recipients is None:
        return on_file
    if unknown := sorted(set(recipients) - set(on_file)):
        raise DomainError(
            "recipient_not_on_file",
            f"{unknown[0]} is not on file as a contact of {customer.name}: a quote goes to contacts on file only.",
            {"field": "recipients"},
        )
    if not recipients:
        raise DomainError("no_contact", "Choose at least one contact.", {"field": "recipients"})
    return [address for address in on_file if address in recipients]


def _freeze(version: QuoteVersion, at: datetime) -> QuoteDocument:
    pdf = quote_pdf(version, on=timezone.localdate(at))
    return QuoteDocument.objects.create(version=version, pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), made_at=at)


@transaction.atomic
def decline_quote(*, version: QuoteVersion, actor: Actor, at: datetime, reason: str) -> QuoteVersion:
    """The customer says no to a sent quote; refuses `decline_reason_missing` and a version that is not sent.

    Customers do it themselves, and staff that sells on their behalf: who may is a matter of the page.
    """
    version = lock_version(version).version
    if version.state == QuoteState.DECLINED:
        return version
    next_quote_state(version.state, "decline")
    if not reason.strip():
        raise DomainError("decline_reason_missing", "Say why the quote was declined.", {"field": "reason"})
    audit.record(actor, at, move_version(version, "decline")._replace(reason=reason.strip()))
    return version


class LockedVersion(NamedTuple):
    """A version with its siblings, as they are under the lock of their quote's row."""

    version: QuoteVersion
    siblings: Sequence[QuoteVersion]


def lock_version(version: QuoteVersion) -> LockedVersion:
    """Lock the quote's row and read its versions anew: whoever changes any of them holds that lock."""
    quote = Quote.objects.select_for_update(of=("self",)).select_related("customer").get(pk=version.quote_id)
    versions = list(QuoteVersion.objects.filter(quote=quote).select_related("policy", "price_list"))
    for each in versions:
        each.quote = quote
    locked = next(each for each in versions if each.pk == version.pk)
    return LockedVersion(locked, [each for each in versions if each is not locked])


def move_version(version: QuoteVersion, step: str, *fields: str) -> Deed:
    """Take a version through the transition table; the deed is its history row."""
    before = version.state
    version.state = next_quote_state(before, step)
    version.save(update_fields=["state", *fields])
    return Deed(step, version, {"state": before}, {"state": version.state})

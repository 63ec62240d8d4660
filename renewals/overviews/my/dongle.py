"""What a customer sees of a dongle of theirs."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.models import Dongle, UnlockCode
from portal.errors import DomainError
from portal.models import Contact, Customer
from portal.wording import write_day, write_money
from renewals.models import Order, QuoteVersion
from renewals.overviews.bridges import standing_of_bridge
from renewals.overviews.builder import coming_majors_for
from renewals.overviews.dongles import RunningRelease, dongle_overview, newest_by_family, wording_of_releases
from renewals.overviews.my.standing import OwnDongle, my_quote_address, stand
from renewals.overviews.offers import Waiting, cost_of_waiting, horizon
from renewals.queries import DongleRequest, PricedQuote, facts_of, price_on
from renewals.states import OrderState, QuoteState

MOST_TOLD = 50  # quotes of a dongle


class Renewal(NamedTuple):
    """What renewing a dongle for a year costs today, what it costs later, or why it has no price."""

    priced: PricedQuote | None
    waiting: Waiting | None
    through: date
    refusal: DomainError | None = None


class Told(NamedTuple):
    """Something that happened to a dongle: when, what in a few words with its page, and how it stands."""

    on: date
    what: str
    address: str
    note: str


class Reminded(NamedTuple):
    """A contact, and whether reminders go to them; if not, why."""

    contact: Contact
    is_on: bool
    words: str


def own_dongle_overview(dongle: Dongle, customer: Customer, today: date) -> dict[str, Any]:
    """A dongle's page: how it stands, the next step, coverage, what renewing costs now and later, and its history."""
    shown = dongle_overview(dongle, today)
    newest = shown["codes"][0] if shown["codes"] else None
    dongle.waiting_code = newest.pk if newest and not hasattr(newest, "receipt") else None  # type: ignore[attr-defined]  # as with_waiting_code has it
    (own,) = stand(customer, [dongle], today)
    return {
        **{key: shown[key] for key in ("dongle", "today", "status", "timeline", "standings", "running", "moved")},
        "runs_now": _runs_now(dongle, shown, today) if own.waiting_code else None,
        "replaced_by": shown["replaced_by"],
        "replaces": shown["replaces"],
        "own": own,
        "standing": _standing(own, shown, today),
        "renewal": _renewal(customer, dongle, today) if own.is_active and own.standings and not own.order else None,
        "told": sorted(_told(dongle, customer, today), key=lambda each: each.on)[::-1],
        "reminded": [_reminded(contact) for contact in shown["contacts"]],
    }


def _standing(own: OwnDongle, shown: dict[str, Any], today: date) -> str:
    """How the dongle stands, in sentences: state, what was missed, what the code that waits changes."""
    dongle = own.dongle
    if dongle.state == Dongle.State.LOST:
        return (
            "This dongle is on record as lost: nothing can be bought for it. If you have found it again, or need"
            " another in its place, write to us."
        )
    if dongle.state == Dongle.State.RETIRED:
        if replaced := shown["replaced_by"]:
            day = write_day(replaced.replaced_on)
            return f"Dongle {replaced.successor} took the place of this one on {day}, with everything that it carried."
        return "This dongle is not in use any more: nothing can be bought for it."
    if not own.standings:
        return "No licence is on this dongle yet."
    sentences = [f"{_of_its_licences(own)}."]
    missed = {release for each in own.standings for release in each.missed}
    if missed:
        sentences.append(f"{wording_of_releases(missed)} came out after that end: renewing takes an upgrade.")
    if own.waiting_code:
        sentences.append("Its newest unlock code waits to be applied; until then it runs what it ran before.")
    elif shown["bridge"]:
        sentences.append(standing_of_bridge(shown["bridge"], today))
    return " ".join(sentences)


def _runs_now(dongle: Dongle, shown: dict[str, Any], today: date) -> Sequence[RunningRelease]:
    """C2: what runs by the date that the dongle is known to hold, while a code waits that moves it."""
    released = dongle_queries.published_releases(shown["newest"], through=today)
    holds = dongle.confirmed_expiry_on
    runs = newest_by_family(each for each in released if holds and coverage.runs(each.build_on, holds))
    return [RunningRelease(family, runs.get(family), newest) for family, newest in shown["newest"].items()]


def _of_its_licences(own: OwnDongle) -> str:
    """The standing as a sentence: “The SMA is valid until …”."""
    if own.standing.startswith("SMA "):
        return f"The {own.standing}".replace("The SMA valid", "The SMA is valid")
    return own.standing


def _renewal(customer: Customer, dongle: Dongle, today: date) -> Renewal:
    """A year more, priced as a quote would be, and what the same costs after the next day that makes it dearer."""
    requests = [DongleRequest(dongle, renew_years=1)]
    through = horizon(today)
    try:
        facts = facts_of(customer, requests, since=today, through=through)
        priced = price_on(facts, requests, on=today)
    except DomainError as refusal:
        return Renewal(None, None, through, refusal)
    waiting = cost_of_waiting(facts, coming_majors_for(facts, priced), requests, priced)
    return Renewal(priced, waiting, through)


def _reminded(contact: Contact) -> Reminded:
    if not contact.email:
        return Reminded(contact, False, "no e-mail address on file")
    if contact.reminders_stopped_at:
        stopped = write_day(timezone.localdate(contact.reminders_stopped_at))
        return Reminded(contact, False, f"stopped on {stopped}")
    return Reminded(contact, True, "")


def _told(dongle: Dongle, customer: Customer, today: date) -> Iterator[Told]:
    """Quotes, orders, codes and receipts of the dongle; of one day in the order in which they follow from each other.

    What was quoted and sold to a former owner is left out.
    """
    sent = QuoteVersion.objects.filter(dongles__dongle=dongle, quote__customer=customer, valid_until__isnull=False)
    orders: dict[int, Order] = {}
    for version in reversed(sent.select_related("quote__order").order_by("-pk")[:MOST_TOLD]):
        order = getattr(version.quote, "order", None)
        if order is not None:
            orders[order.pk] = order
        yield Told(
            version.priced_on,
            version.name_for_customers,
            my_quote_address(version.quote_id),
            f"{write_money(version.total, version.currency)}, {_of_version(version, today)}",
        )
    for order in orders.values():
        yield from _of_order(order)
    for code in dongle.codes.select_related("receipt").defer("letters", "licences").order_by("pk"):
        yield from _of_code(code, dongle)


def _of_version(version: QuoteVersion, today: date) -> str:
    assert version.valid_until is not None
    if version.state == QuoteState.SENT:
        verb = "valid until" if today <= version.valid_until else "expired on"
        return f"{verb} {write_day(version.valid_until)}"
    return {QuoteState.ACCEPTED: "accepted", QuoteState.DECLINED: "declined"}.get(
        QuoteState(version.state), "replaced by a newer version"
    )


def _of_order(order: Order) -> Iterator[Told]:
    address = reverse("renewals:my_order", args=[order.pk])
    number = f"purchase order {order.purchase_order_number}" if order.purchase_order_number else ""
    paying = "waits for its payment" if order.state == OrderState.ACCEPTED else ""
    note = ", ".join(filter(None, [number, paying]))
    yield Told(order.accepted_on, f"Order {order.number} placed by {order.accepted_by}", address, note)
    if order.cancelled_from:
        yield Told(order.cancelled_from, f"Order {order.number} cancelled", address, "")


def _of_code(code: UnlockCode, dongle: Dongle) -> Iterator[Told]:
    address = reverse("dongles:my_code", args=[dongle.serial, code.pk])
    yield Told(code.issued_on, f"Unlock code {code}", address, f"for the date {write_day(code.expiry_on)}")
    if hasattr(code, "receipt"):
        applied_on = timezone.localdate(code.receipt.confirmed_at)
        yield Told(applied_on, f"Code {code} applied", address, "receipt entered")

"""What customers see of quotes: one on its page, by its link or after login, and all of their organisation."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from django.db.models import Max, OuterRef, QuerySet, Subquery

from portal.errors import DomainError
from portal.models import Contact, Customer
from portal.wording import write_day, write_money
from renewals.links import LIVES_ON
from renewals.models import Order, Quote, QuoteLine, QuoteVersion
from renewals.overviews.differences import Rows, differences
from renewals.overviews.lists import versions_with_quote
from renewals.overviews.offers import is_at_list_terms, offers_for
from renewals.overviews.quotes import ShownDongle, carried_by, saved_rows, shown_dongles
from renewals.pricing.rounding import round_half_up
from renewals.queries import NO_CONCESSIONS, DongleRequest, PricedQuote, facts_of
from renewals.rows import requests_of
from renewals.states import OrderState, QuoteState

SHOWN = (QuoteState.SENT, QuoteState.ACCEPTED, QuoteState.DECLINED)

# What the items of a quote are, for people who have never bought one.
EXPLAINED = {
    QuoteLine.Kind.SMA_YEAR: "A year of the Software Maintenance Agreement (SMA): every version that is released"
    " through its last day runs on your dongle, also after that day.",
    QuoteLine.Kind.SMA_PART: "A part of a year of the SMA, counted in months and days, so that everything on the dongle"
    " ends on one day.",
    QuoteLine.Kind.UPGRADE: "A major release came out while a licence had no SMA. Coming back takes an upgrade to it,"
    " which has an SMA with it.",
    QuoteLine.Kind.BACK_PAY: "The time without an SMA, paid for afterwards.",
    QuoteLine.Kind.REINSTATEMENT_FEE: "A fee for coming back after a time without an SMA.",
    QuoteLine.Kind.LICENCE: "A further licence on the dongle, with its first SMA.",
    QuoteLine.Kind.REPLACEMENT: "Another dongle takes the place of this one: licences and SMA go over.",
}


class Moved(NamedTuple):
    """What a quote changes on a dongle: through when its licences were covered when it was made, and will be.

    Before, licences may have been covered through different days: `first_before` is the first, `before` the last.
    """

    serial: str
    licences: str
    first_before: date | None
    before: date | None
    was_lapsed: bool
    after: date
    replacement: str


class Choice(NamedTuple):
    """Another way to cover the same dongles, at today's price. `per_year` is the total by the years that it buys.

    The dongles are covered until days from `first_through` to `through`.
    """

    key: str
    title: str
    total: int
    currency: str
    per_year: int
    first_through: date
    through: date
    requests: Sequence[DongleRequest]


class Told(NamedTuple):
    """To whom something went: written out for people on file, and masked for whoever only has the link."""

    addresses: Sequence[str]
    is_masked: bool


def current_version(quote: Quote) -> QuoteVersion | None:
    """What of a quote a customer may see: the newest version that was sent, whatever became of it; drafts are none."""
    return versions_with_quote().filter(quote=quote, state__in=SHOWN).order_by("-number").first()


def link_ends_on(quote: Quote) -> date | None:
    """The last day on which links of a quote open it: 30 days after the last valid day of any of its versions."""
    last: date | None = quote.versions.exclude(state=QuoteState.DRAFT).aggregate(last=Max("valid_until"))["last"]
    return last and last + LIVES_ON


def quotes_of(customer: Customer) -> QuerySet[QuoteVersion]:
    """Of each of a customer's quotes what they may see of it, newest first, with its order."""
    newest = QuoteVersion.objects.filter(quote=OuterRef("quote"), state__in=SHOWN).order_by("-number").values("pk")[:1]
    versions = QuoteVersion.objects.filter(quote__customer=customer, pk=Subquery(newest))
    return versions.select_related("quote__order").prefetch_related("dongles__dongle").order_by("-quote_id")


def customer_quote(
    version: QuoteVersion, today: date, *, opened: QuoteVersion | None = None, contact: Contact | None = None
) -> dict[str, Any]:
    """A sent version with what is left to do about it; nothing that is the vendor's own business.

    `opened` is the version whose link led here, `contact` who is logged in; without one addresses are masked.
    """
    rows = saved_rows(version)
    is_open = version.state == QuoteState.SENT and not version.is_expired_on(today)
    order = Order.objects.filter(version=version).first()
    owner = version.quote.customer_id
    shown = shown_dongles(rows, carried_by(rows, owner=owner), today, owner=owner)
    before = _compared_with(version, opened)
    kinds = {line.kind for _, lines in rows for line in lines}
    can_quote_anew = is_at_list_terms(version)
    return {
        "version": version,
        "quote": version.quote,
        "customer": version.quote.customer,
        "shown": shown,
        "moved": [_moved(each) for each in shown],
        "first_through": min(quoted.covered_through for quoted, _ in rows),
        "through": max(quoted.covered_through for quoted, _ in rows),
        "standing": _standing(version, order, is_open),
        "is_open": is_open,
        "is_expired": version.is_expired_on(today),
        "can_quote_anew": can_quote_anew and not is_open and version.state != QuoteState.ACCEPTED,
        "pays_first": version.quote.customer.fulfil_on == Customer.FulfilOn.PAYMENT,
        "is_replacement": any(quoted.replacement for quoted, _ in rows),
        "per_year": _per_year(version.total, _lines_of_rows(rows)),
        "choices": choices_of(version, rows, today) if is_open and can_quote_anew else [],
        "order": order,
        "told": told(version.quote.customer.reachable_contacts(), is_masked=contact is None),
        "opened": opened if opened and opened.pk != version.pk else None,
        "changes": (before, _changes(before, version, rows)) if before else None,
        "explained": [(kind.label, words) for kind, words in EXPLAINED.items() if kind in kinds],
        "contact": contact,
    }


def told(contacts: Iterable[Contact], *, is_masked: bool) -> Told:
    """Their addresses; masked: a…@cells.example."""
    return Told([mask(each.email) if is_masked else each.email for each in contacts], is_masked)


def mask(address: str) -> str:
    """An address by which whoever has it knows it, and nobody else learns it."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


def choices_of(version: QuoteVersion, rows: Rows, today: date) -> Sequence[Choice]:
    """What else could be bought for the dongles of a version that concedes nothing: other years, or to one date.

    Priced as of today by the policy's way to count parts of a year; what is refused, and what comes to the same, is not
    offered.
    """
    requests = requests_of(version)
    try:
        facts = facts_of(version.quote.customer, requests, since=today)
    except DomainError:
        return []
    seen = {(max(quoted.covered_through for quoted, _ in rows), version.total)}
    choices = []
    for offer in offers_for(facts, requests, NO_CONCESSIONS, ""):
        priced = offer.priced
        if priced is None or offer.is_chosen or priced.part_month not in ("", priced.policy.part_month):
            continue
        if (offer.covered_through, priced.total) in seen:
            continue
        seen.add((offer.covered_through, priced.total))
        title = offer.title.partition(",")[0]  # without the way that a part of a year counts
        per_year = _per_year(priced.total, _lines_of_priced(priced))
        asked = [each.request for each in priced.dongles]
        days = (offer.first_covered_through, offer.covered_through)
        choices.append(Choice(offer.key, title, priced.total, priced.currency, per_year, *days, asked))
    return choices


def _lines_of_rows(rows: Rows) -> list[tuple[object, Sequence[int]]]:
    return [((quoted.pk, line.licence_index), line.months) for quoted, lines in rows for line in lines]


def _lines_of_priced(priced: PricedQuote) -> list[tuple[object, Sequence[int]]]:
    return [
        ((each.request.dongle.pk, line.licence), line.months) for each in priced.dongles for line in each.priced.lines
    ]


def _per_year(total: int, lines: Iterable[tuple[object, Sequence[int]]]) -> int:
    """What a total comes to per year of SMA for all licences together; each line is a licence with its months (D2)."""
    months: dict[object, Fraction] = {}
    for licence, (whole, days, of) in lines:
        if whole or days:
            months[licence] = months.get(licence, Fraction(0)) + whole + (Fraction(days, of) if days else 0)
    years = sum(months.values(), Fraction(0)) / 12 / len(months) if months else Fraction(1)
    return round_half_up(total * years.denominator, years.numerator)


def _compared_with(version: QuoteVersion, opened: QuoteVersion | None) -> QuoteVersion | None:
    """The version that a customer had before: the one whose link they have, else the last that was sent."""
    if opened and opened.number < version.number:
        return opened
    earlier = version.quote.versions.filter(number__lt=version.number, valid_until__isnull=False)
    return earlier.order_by("-number").first()


def _changes(before: QuoteVersion, version: QuoteVersion, rows: Rows) -> Sequence[str]:
    return differences(before, saved_rows(before), version, rows, for_customer=True)


def _moved(each: ShownDongle) -> Moved:
    quoted = each.quoted
    facts = quoted.licences
    days = [date.fromisoformat(licence["covered_through"]) for licence in facts]
    return Moved(
        quoted.dongle.serial,
        ", ".join(group.title for group in each.groups),
        min(days, default=None),
        max(days, default=None),
        any(licence["is_lapsed"] for licence in facts),
        quoted.covered_through,
        quoted.replacement.get("serial", ""),
    )


def _standing(version: QuoteVersion, order: Order | None, is_open: bool) -> str:
    total, until = write_money(version.total, version.currency), write_day(version.valid_until or version.priced_on)
    if is_open:
        return f"{total}, valid until {until}, that day included."
    if order and order.state == OrderState.CANCELLED:
        return f"{total}, accepted on {write_day(order.accepted_on)} and cancelled since."
    if version.state == QuoteState.ACCEPTED:
        return f"{total}, accepted. Thank you."
    if version.state == QuoteState.DECLINED:
        return f"{total}, declined."
    return f"{total}, valid until {until}, which is over."

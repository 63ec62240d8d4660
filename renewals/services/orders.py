"""Orders: accept, fulfil, cancel (rules Q1, Q2, Q6). Each is one transaction, under the lock of the quote's row."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from dongles import coverage
from dongles import queries as dongle_queries
from dongles import services as dongle_services
from dongles.models import Dongle
from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Customer
from portal.wording import write_day
from renewals.models import (
    Order,
    QuoteDongle,
    QuoteLine,
    QuoteVersion,
)
from renewals.pricing.fulfilment import redate
from renewals.rows import concessions_of, quoted_terms, requests_of
from renewals.services.conceded import note_facts, tell_facts
from renewals.services.files import NamedFile, keep_file
from renewals.services.news import news_since, wording_of
from renewals.services.quotes import draft_quote, lock_version, move_version
from renewals.services.sales import Carried, Sale, add_licences, covering_deed, sales_of, write_sales
from renewals.states import OrderState, QuoteState, next_order_state, next_quote_state


class LockedDongle(NamedTuple):
    """A dongle of the quote under its row lock, with what it carries now."""

    quoted: QuoteDongle
    carried: Carried

    @property
    def dongle(self) -> Dongle:
        return self.quoted.dongle

    @property
    def fingerprint(self) -> str:
        return coverage.fingerprint([(licence.pk, covered) for licence, covered in self.carried])

    @property
    def has_changed(self) -> bool:
        """Q1: whether it is not what was quoted any more. A lost dongle can still be replaced (Q8)."""
        usable = {Dongle.State.ACTIVE, Dongle.State.LOST} if self.quoted.replacement else {Dongle.State.ACTIVE}
        return self.fingerprint != self.quoted.fingerprint or self.dongle.state not in usable


class Fulfilled(NamedTuple):
    """What was fulfilled: the deeds for the audit trail, and what was sold."""

    deeds: Sequence[Deed]
    sold: Sequence[Sale]


def accept_quote(
    *,
    version: QuoteVersion,
    accepted_by: str,
    actor: Actor,
    at: datetime,
    purchase_order_number: str = "",
    purchase_order_file: NamedFile | None = None,
    terms: str = "",
) -> Order:
    """Turn the sent version into the quote's one order, and fulfil it unless the customer pays first (Q1, Q2, Q6).

    The purchase order's file is kept in the same transaction: what `keep_file` refuses leaves no order. `terms` is the
    text that a customer has agreed to.
    Accepted again, the same order is returned. Refuses what the state refuses (`quote_not_sent`, `quote_superseded`,
    `quote_declined`), `quote_expired`, `purchase_order_missing`, `quote_straddled` (policy `requote`),
    `serial_taken` (Q8), and `dongle_changed`: then a new version has been drafted, whose number is in the data.
    """
    with transaction.atomic():
        version = lock_version(version).version
        if version.state == QuoteState.ACCEPTED:
            order = Order.objects.get(version=version)
            _attach(order, purchase_order_file, actor, at)
            return order
        today = timezone.localdate(at)
        customer = version.quote.customer
        purchase_order_number = purchase_order_number.strip()
        _check_acceptable(version, customer, purchase_order_number, today)
        dongles = lock_quoted(version)
        if not has_changed(dongles, version):
            order = _take_order(version, dongles, purchase_order_number, accepted_by, terms, actor, at)
            _attach(order, purchase_order_file, actor, at)
            return order
        newer = _draft_of_today(version, dongles, today) or draft_quote(
            customer=customer,
            requests=requests_of(version),
            actor=Actor("Portal", None, version.drafted_by.role if version.drafted_by else "system"),
            at=at,
            concessions=concessions_of(version),
            part_month=version.part_month,
            discount_reason=version.discount_reason,
            note=version.note,
            revises=version.quote,
        )
    raise DomainError(
        "dongle_changed",
        "A dongle's licences or coverage have changed since this quote, or another order for it is on its way."
        f" Version {newer.number} has been drafted with what is true now.",
        {"version": newer.number},
    )


@transaction.atomic
def fulfil_order(*, order: Order, actor: Actor, at: datetime, paid_on: date) -> Order:
    """Record the payment of an accepted order and fulfil it: periods, revenue and codes in one transaction (Q6).

    Fulfilled again, nothing happens. Refuses `order_cancelled`, `paid_in_future`, `paid_before_quote`, `dongle_changed`
    and `serial_taken` (Q8).
    """
    check_ability(actor, "settle")
    version = lock_version(order.version).version
    order = Order.objects.select_related("customer").get(pk=order.pk)
    if order.state == OrderState.FULFILLED:
        return order
    next_order_state(order.state, "fulfil")
    if paid_on > timezone.localdate(at):
        raise DomainError("paid_in_future", "The day of payment is in the future.", {"field": "paid_on"})
    if paid_on < version.priced_on:
        raise DomainError(
            "paid_before_quote", f"The quote was made on {write_day(version.priced_on)}.", {"field": "paid_on"}
        )
    dongles = lock_quoted(version)
    if has_changed(dongles, version):
        raise DomainError(
            "dongle_changed",
            "A dongle's licences or coverage have changed since this quote: cancel the order and quote again.",
        )
    order.paid_on = paid_on
    fulfilled = _fulfil(order, dongles, actor, at)
    audit.record(actor, at, *fulfilled.deeds)
    if order.accepted_on > version.priced_on or tell_facts(fulfilled.sold):
        note_facts([order])
    return order


def _take_order(
    version: QuoteVersion,
    dongles: Sequence[LockedDongle],
    purchase_order_number: str,
    accepted_by: str,
    terms: str,
    actor: Actor,
    at: datetime,
) -> Order:
    today = timezone.localdate(at)
    news = news_since(version, [(each.quoted, each.carried) for each in dongles if not each.quoted.replacement], today)
    order = Order(
        quote=version.quote,
        version=version,
        customer=version.quote.customer,
        state=OrderState.ACCEPTED,
        purchase_order_number=purchase_order_number,
        accepted_by=accepted_by,
        accepted_on=today,
        terms=terms,
    )
    accepted = move_version(version, "accept")
    if order.customer.fulfil_on == Customer.FulfilOn.ACCEPTANCE:
        fulfilled = _fulfil(order, dongles, actor, at)
    else:
        order.save()
        fulfilled = Fulfilled([], [])
    ordered = {"purchase_order_number": purchase_order_number, "accepted_by": accepted_by, "accepted_on": str(today)}
    if terms:
        ordered["terms"] = terms
    taken = Deed("accept", order, after={"state": OrderState.ACCEPTED, **ordered, **news}, reason=wording_of(news))
    audit.record(actor, at, accepted, taken, *fulfilled.deeds)
    if order.state == OrderState.FULFILLED and (news or tell_facts(fulfilled.sold)):
        note_facts([order])
    return order


def _attach(order: Order, file: NamedFile | None, actor: Actor, at: datetime) -> None:
    if file is not None:
        keep_file(order=order, name=file.name or "", content=file, actor=actor, at=at)


def _check_acceptable(version: QuoteVersion, customer: Customer, purchase_order_number: str, today: date) -> None:
    next_quote_state(version.state, "accept")
    assert version.valid_until is not None
    if today > version.valid_until:
        raise DomainError("quote_expired", f"This quote was valid until {write_day(version.valid_until)}.")
    if customer.fulfil_on == Customer.FulfilOn.ACCEPTANCE and not purchase_order_number:
        raise DomainError(
            "purchase_order_missing", "Enter the purchase order number.", {"field": "purchase_order_number"}
        )


def _draft_of_today(version: QuoteVersion, dongles: Sequence[LockedDongle], today: date) -> QuoteVersion | None:
    """The quote's draft, if it was priced today with what the dongles carry now: then no other is needed."""
    draft = version.quote.versions.filter(state=QuoteState.DRAFT, priced_on=today).first()
    if draft is None:
        return None
    priced = dict(draft.dongles.values_list("dongle_id", "fingerprint"))
    return draft if priced == {each.dongle.pk: each.fingerprint for each in dongles} else None


def lock_quoted(version: QuoteVersion) -> list[LockedDongle]:
    """The version's dongles under their row locks, with what they carry now; one that is to take a place (Q8) too."""
    quoted = list(QuoteDongle.objects.filter(version=version).order_by("dongle_id"))
    coming = [row.replacement["serial"] for row in quoted if row.replacement]
    on_record = Dongle.objects.filter(serial__in=coming).values_list("pk", flat=True) if coming else ()
    locked = dongle_services.lock_dongles([*(row.dongle_id for row in quoted), *on_record])
    for row in quoted:
        row.dongle = locked[row.dongle_id]
    carried: dict[int, Carried] = {row.dongle_id: [] for row in quoted}
    for licence in dongle_queries.licences_of(row.dongle for row in quoted):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    return [LockedDongle(row, carried[row.dongle_id]) for row in quoted]


def has_changed(dongles: Sequence[LockedDongle], version: QuoteVersion) -> bool:
    """Q1: whether licences or coverage differ from what was quoted, or another accepted order is not yet fulfilled."""
    customer_id = version.quote.customer_id
    return any(each.has_changed or each.dongle.customer_id != customer_id for each in dongles) or (
        Order.objects.filter(state=OrderState.ACCEPTED, version__dongles__dongle__in=[each.dongle for each in dongles])
        .exclude(version=version)
        .exists()
    )


def _fulfil(order: Order, dongles: Sequence[LockedDongle], actor: Actor, at: datetime) -> Fulfilled:
    """Save the order as fulfilled; write periods, order lines, revenue and codes."""
    today = timezone.localdate(at)
    before = order.state
    order.state = next_order_state(before, "fulfil")
    order.fulfilled_on = today
    order.save()
    lines: dict[int, list[QuoteLine]] = {each.quoted.pk: [] for each in dongles}
    for line in QuoteLine.objects.filter(quoted__in=lines).select_related("product__family"):
        lines[line.quoted_id].append(line)
    redated = [redate(quoted_terms(each.quoted, order.version, lines[each.quoted.pk]), today) for each in dongles]
    added = [
        deed
        for each in dongles
        for deed in add_licences(order, each.dongle, each.carried, lines[each.quoted.pk], today)
    ]
    sold = [
        sale
        for each, dates in zip(dongles, redated, strict=True)
        for sale in sales_of(each.carried, lines[each.quoted.pk], dates)
    ]
    deeds = [write_sales(order, sold, before, today, at), *added]
    deeds += [covering_deed(order, sale) for sale in sold if sale.period]

    codes = []
    for each, dates in zip(dongles, redated, strict=True):
        if each.quoted.replacement:
            _exchange(order, each, actor, at)
            continue
        covered_now = [
            (
                licence,
                covered._replace(
                    periods=covered.periods
                    + tuple(sale.period for sale in sold if sale.licence is licence and sale.period)
                ),
            )
            for licence, covered in each.carried
        ]
        present = each.dongle.issued_expiry_on
        code = dongle_services.issue_unlock_code(
            dongle=each.dongle,
            cause=f"order {order.number}",
            expiry_on=max(dates.covered_through, present or dates.covered_through),
            licences=covered_now,
            actor=actor,
            at=at,
        )
        codes.append(code)
        deeds.append(dongle_services.code_deed(code))
    if not codes:
        return Fulfilled(deeds, sold)
    dongle_services.mark_releases_sold_against(
        families={covered.family for each in dongles for _, covered in each.carried}, actor=actor, at=at
    )
    outbox.post("code_issued", [{"order": order.pk, "codes": [code.pk for code in codes]}], at=at)
    return Fulfilled(deeds, sold)


def _exchange(order: Order, each: LockedDongle, actor: Actor, at: datetime) -> None:
    """Q8: the dongle that was ordered takes the place of the quoted one; a quote of a replacement has no other part."""
    exchange = dongle_services.exchange_dongle(
        dongle=each.dongle, **each.quoted.replacement, issued_for=f"order {order.number}", actor=actor, at=at
    )
    post_exchange(exchange, at)


def post_exchange(exchange: dongle_services.Exchange, at: datetime) -> None:
    """Have the codes of a replacement mailed to the owner's contacts."""
    codes = [code.pk for code in exchange.codes]
    outbox.post("dongle_replaced", [{"replacement": exchange.replacement.pk, "codes": codes}], at=at)

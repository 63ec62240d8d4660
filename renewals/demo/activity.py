"""What has happened in the demo: quotes in each state and orders, made by the real services at past moments."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from dongles.models import Dongle, UnlockCode
from dongles.services import confirm_receipt
from dongles.unlock import receipt_of
from portal.audit import Actor
from portal.models import User
from renewals.demo.paper import purchase_order_pdf
from renewals.models import Order, QuoteVersion
from renewals.pricing import AddedLicence
from renewals.queries import Concessions, DongleRequest
from renewals.services import orders, quotes
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.files import attach_purchase_order
from renewals.services.replacements import replace_dongle
from renewals.services.requests import record_request

OFFICE_OPENS = time(8)


class Desk:
    """The sales desk of the demo: does what it is told, so many days before the demo's day."""

    def __init__(self, on: date, users: Mapping[str, User]) -> None:
        self._on = on
        self._sales, self._finance = Actor.of(users["sales"]), Actor.of(users["finance"])
        self._lead = Actor.of(users["lead"])

    def draft(self, serials: str | Sequence[str], days_ago: int, **asked: Any) -> QuoteVersion:
        """A draft for a dongle, or for several of a customer: a year unless asked otherwise."""
        names = ("concessions", "discount_reason", "note", "revises")
        terms = {key: asked.pop(key) for key in names if key in asked}
        wanted = [serials] if isinstance(serials, str) else list(serials)
        dongles = Dongle.objects.select_related("customer").in_bulk(wanted, field_name="serial")
        customer = dongles[wanted[0]].customer
        assert customer is not None
        return quotes.draft_quote(
            customer=customer,
            requests=[DongleRequest(dongles[serial], **(asked or {"renew_years": 1})) for serial in wanted],
            actor=self._sales,
            at=self._moment(days_ago),
            **terms,
        )

    def send(self, serial: str, days_ago: int, **asked: Any) -> QuoteVersion:
        return self.send_draft(self.draft(serial, days_ago, **asked), days_ago)

    def send_draft(self, version: QuoteVersion, days_ago: int) -> QuoteVersion:
        return quotes.send_quote(version=version, actor=self._sales, at=self._moment(days_ago))

    def approve(self, version: QuoteVersion, days_ago: int, reason: str) -> None:
        quotes.approve_quote(version=version, actor=self._lead, at=self._moment(days_ago), reason=reason)

    def note_request(self, serial: str, days_ago: int, name: str, email: str, message: str) -> None:
        """Somebody asks for a quote by telephone."""
        record_request(
            serial=serial, name=name, email=email, message=message, actor=self._sales, at=self._moment(days_ago)
        )

    def decline(self, version: QuoteVersion, days_ago: int, reason: str) -> None:
        quotes.decline_quote(version=version, actor=self._sales, at=self._moment(days_ago), reason=reason)

    def accept(self, version: QuoteVersion, days_ago: int, purchase_order_number: str) -> Order:
        customer = version.quote.customer
        return orders.accept_quote(
            version=version,
            accepted_by=customer.contacts.order_by("pk").first().name,
            actor=self._sales,
            at=self._moment(days_ago),
            purchase_order_number=purchase_order_number,
        )

    def attach(self, order: Order, days_ago: int, name: str, *lines: str) -> None:
        """The purchase order as a PDF with these lines is added to the order."""
        attach_purchase_order(
            order=order, name=name, content=purchase_order_pdf(lines), actor=self._sales, at=self._moment(days_ago)
        )

    def bridge(self, version: QuoteVersion, days_ago: int, days_ahead: int, reason: str) -> None:
        moment = self._moment(days_ago)
        until = self._on + timedelta(days=days_ahead)
        grant_bridge(version=version, until=until, reason=reason, actor=self._sales, at=moment)

    def replace(self, serial: str, days_ago: int, successor: str, reason: str) -> None:
        """A broken dongle was handed back; another takes its place, which is free."""
        dongle, moment = Dongle.objects.get(serial=serial), self._moment(days_ago)
        replace_dongle(dongle=dongle, serial=successor, cause="broken", reason=reason, actor=self._sales, at=moment)

    def settle(self, order: Order, days_ago: int) -> None:
        moment = self._moment(days_ago)
        orders.fulfil_order(order=order, actor=self._finance, at=moment, paid_on=timezone.localdate(moment))

    def confirm(self, order: Order, days_ago: int) -> None:
        """The customer reads the receipts from the dongles of an order and sales enters them."""
        for code in UnlockCode.objects.filter(cause=f"order {order.number}").select_related("dongle"):
            confirm_receipt(
                dongle=code.dongle,
                receipt=receipt_of(code.dongle.serial, code.generation, code.sequence, code.expiry_on),
                actor=self._sales,
                at=self._moment(days_ago),
            )

    def cancel(self, order: Order, days_ago: int, reason: str) -> None:
        moment = self._moment(days_ago)
        cancel_order(order=order, from_on=timezone.localdate(moment), reason=reason, actor=self._sales, at=moment)

    def annul(self, order: Order, days_ago: int, reason: str) -> None:
        """An order made by mistake is taken back whole."""
        at = self._moment(days_ago)
        cancel_order(
            order=order, from_on=timezone.localdate(at), reason=reason, actor=self._sales, at=at, is_mistake=True
        )

    def _moment(self, days_ago: int) -> datetime:
        return opening_of(self._on - timedelta(days=days_ago))


def opening_of(day: date) -> datetime:
    """When the office opens on a day."""
    return datetime.combine(day, OFFICE_OPENS, timezone.get_default_timezone())


def act_out(on: date, users: Mapping[str, User]) -> None:
    """Let the past half year of the situations happen, in the order of the days."""
    desk = Desk(on, users)

    cancelled = desk.accept(desk.send("104405", 180), 176, "PO-20417")
    desk.confirm(cancelled, 175)
    upgraded = desk.accept(desk.send("104402", 170, note="Back in use after the move."), 165, "4500071203")
    desk.confirm(upgraded, 163)
    renewed = desk.accept(desk.send("104401", 150, renew_years=3), 140, "BST-9917")
    desk.confirm(renewed, 139)
    desk.attach(renewed, 139, "BST-9917.pdf", "Purchase order BST-9917", "SMA of dongle 104401, three years, as quoted")
    added = desk.accept(desk.send("104403", 75, added=(AddedLicence("VOL-ACQ", 1),)), 60, "RB-2044")
    desk.confirm(added, 58)
    desk.send("104408", 50)
    desk.replace("104415", 47, "104416", "It is not recognised by any computer any more.")
    paid = desk.accept(desk.send("104413", 45), 40, "")
    desk.cancel(cancelled, 30, "The instrument was sold.")
    desk.settle(paid, 28)
    declined = desk.send("104409", 25)
    desk.decline(declined, 18, "No budget before the new year.")
    waiting = desk.send("104406", 12)
    desk.accept(desk.send("104404", 11), 10, "AU-55810")
    first = desk.send("104412", 9)
    desk.accept(waiting, 8, "HP-3308")
    desk.send("104407", 6)
    late = desk.send("104414", 5)
    desk.bridge(late, 1, 20, "The purchase order waits for the signature of the head of department.")
    desk.send("104412", 2, renew_years=3, revises=first.quote)
    desk.draft(
        "104410",
        0,
        renew_years=2,
        concessions=Concessions(Decimal("0.2")),
        discount_reason="Reference site for two years.",
    )
    desk.draft("104411", 0, note="Asked for by telephone.")
    desk.note_request("104-303", 2, "Ruth Abel", "ruth.abel@fenbridge.example", "Three years, if that is cheaper.")
    desk.note_request("199999", 1, "J. Marsh", "marsh@university.example", "Read from a worn label.")

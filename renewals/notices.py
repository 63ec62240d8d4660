"""The mails to customers: a sent quote, the unlock codes of an order, and a bridging code.

They are handlers of the outbox (portal/outbox.py) and may run more than once, and late: what has been
replaced meanwhile by something newer is not mailed any more.
"""

from collections.abc import Collection
from typing import NamedTuple

from dongles import queries as dongle_queries
from dongles.models import Dongle, UnlockCode
from dongles.unlock import printed_rows
from portal.errors import DomainError
from portal.mail import Attachment, send_mail
from portal.models import Customer, OutboxMessage
from portal.wording import count
from renewals.documents import Wording, acceptance_address
from renewals.models import Order, QuoteVersion
from renewals.states import OrderState, QuoteState


class MailedCode(NamedTuple):
    """A code as it is printed, and what it states in words."""

    code: UnlockCode
    rows: list[str]
    stated: list[str]


def send_quote(message: OutboxMessage) -> None:
    """Mail a sent version (Q1) to the contacts that it was sent to and that have not left since (Q5).

    Payload: `version` (id), `recipients` (addresses). A version that a newer one has superseded is not mailed (Q2).
    """
    version = QuoteVersion.objects.select_related("quote__customer", "document").get(pk=message.payload["version"])
    if version.state == QuoteState.SUPERSEDED:
        return
    customer = version.quote.customer
    dongles = list(version.dongles.select_related("dongle").prefetch_related("lines__product"))
    send_mail(
        message,
        recipients=addresses_of(customer, message.payload["recipients"]),
        subject=f"Quote {version.quote.number}, version {version.number}: SMA for "
        + named([quoted.dongle for quoted in dongles]),
        template="quote",
        context={
            "version": version,
            "quote": version.quote,
            "customer": customer,
            "dongles": dongles,
            "address": acceptance_address(version),
            "wording": Wording(customer.locale, version.currency),
        },
        attachments=[
            Attachment(f"{version.quote.number}-{version.number}.pdf", bytes(version.document.pdf), "application/pdf")
        ],
    )


def send_codes(message: OutboxMessage) -> None:
    """Mail the unlock codes of an order, or of its cancellation (Q6), to the customer's contacts (U1).

    Payload: `order` (id), `codes` (ids). A code states everything, so one that a newer code of its dongle replaces is
    left out; where none is left, nothing is mailed.
    """
    order = Order.objects.select_related("customer").get(pk=message.payload["order"])
    newest = mailed_codes(message.payload["codes"])
    if not newest:
        return
    send_mail(
        message,
        recipients=addresses_of(order.customer),
        subject=f"Unlock code for {named([each.code.dongle for each in newest])} (order {order.number})",
        template="codes",
        context={
            "order": order,
            "customer": order.customer,
            "is_cancelled": order.state == OrderState.CANCELLED,
            "codes": newest,
        },
    )


def send_bridge(message: OutboxMessage) -> None:
    """Mail the bridging codes of a sent quote (Q7) to the customer's contacts: until when, and what is needed then.

    Payload: `version` (id), `codes` (ids). A code that a newer one of its dongle replaces, as the order's does, is left
    out; where none is left, nothing is mailed.
    """
    version = QuoteVersion.objects.select_related("quote__customer").get(pk=message.payload["version"])
    newest = mailed_codes(message.payload["codes"])
    if not newest:
        return
    customer = version.quote.customer
    send_mail(
        message,
        recipients=addresses_of(customer),
        subject=f"Bridging code for {named([each.code.dongle for each in newest])} (quote {version.quote.number})",
        template="bridge",
        context={
            "version": version,
            "quote": version.quote,
            "customer": customer,
            "until": newest[0].code.expiry_on,
            "codes": newest,
        },
    )


def mailed_codes(code_ids: Collection[int]) -> list[MailedCode]:
    """The codes as they are mailed, without those that a newer code of their dongle replaces."""
    codes = UnlockCode.objects.filter(pk__in=code_ids).select_related("dongle").order_by("pk")
    return [
        MailedCode(
            code,
            list(printed_rows(code.letters)),
            [f"{product}, {count(seats, 'seat')}" for product, seats in dongle_queries.stated_licences(code)],
        )
        for code in codes
        if (code.generation, code.sequence) == (code.dongle.generation, code.dongle.sequence)
    ]


def addresses_of(customer: Customer, among: Collection[str] | None = None) -> list[str]:
    """The addresses of the customer's contacts that have not left; `no_contact` where there is none.

    The refusal stays with the message, which is tried again: once a contact is on file the mail goes out.
    """
    contacts = customer.contacts.filter(left_on__isnull=True).order_by("pk")
    addresses = [contact.email for contact in contacts if among is None or contact.email in among]
    if not addresses:
        raise DomainError("no_contact", f"{customer.name} has no contact with an e-mail address on file.")
    return addresses


def named(dongles: list[Dongle]) -> str:
    """One dongle by its serial, several by their number."""
    return f"dongle {dongles[0].serial}" if len(dongles) == 1 else count(len(dongles), "dongle")

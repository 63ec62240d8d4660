"""The mails to customers: a sent quote, the unlock codes of an order, of a replacement, a bridging code, and reminders.

They are handlers of the outbox (portal/outbox.py) and may run more than once, and late: what has been
replaced meanwhile by something newer is not mailed any more.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from dongles import queries as dongle_queries
from dongles.models import Dongle, Replacement, UnlockCode
from dongles.unlock import printed_rows
from portal.errors import DomainError
from portal.mail import Attachment, send_mail
from portal.models import Contact, Customer, OutboxMessage
from portal.wording import count
from renewals.documents import Wording, acceptance_address
from renewals.models import Order, QuoteDocument, QuoteQuestion, QuoteVersion, Reminder
from renewals.overviews.dongles import wording_of_releases
from renewals.overviews.reminded import RemindedDongle, reminded_dongles
from renewals.states import OrderState, QuoteState

MOST_QUOTES_ATTACHED = 2  # to a reminder; of further quotes it says only the address


class MailedCode(NamedTuple):
    """A code as it is printed, and what it states in words."""

    code: UnlockCode
    rows: list[str]
    stated: list[str]


def send_quote(message: OutboxMessage) -> None:
    """Mail a sent version (Q1) to the contacts that it was sent to and that have not left since (Q5).

    Payload: `version` (id), `recipients` (addresses). A version that a newer one has superseded is not mailed (Q2).
    """
    version = QuoteVersion.objects.select_related("quote__customer").get(pk=message.payload["version"])
    if version.state == QuoteState.SUPERSEDED:
        return
    customer = version.quote.customer
    dongles = list(version.dongles.select_related("dongle").prefetch_related("lines__product"))
    send_mail(
        message,
        recipients=addresses_of(customer, message.payload["recipients"]),
        subject=f"{version.name_for_customers}:"
        f" {'replacement of' if dongles[0].replacement else 'SMA for'} " + named([quoted.dongle for quoted in dongles]),
        template="quote",
        context={
            "version": version,
            "quote": version.quote,
            "customer": customer,
            "dongles": dongles,
            "address": acceptance_address(version),
            "wording": Wording(customer.locale, version.currency),
        },
        attachments=[quote_attachment(version)],
        secrets=[version.key] if version.key else [],
    )


def send_question(message: OutboxMessage) -> None:
    """Mail a question about a quote to the vendor; an answer to that mail goes to who asked.

    Payload: `question` (id), `version` (id), by which the queue finds it.
    """
    question = QuoteQuestion.objects.select_related("version__quote__customer").get(pk=message.payload["question"])
    version = question.version
    send_mail(
        message,
        recipients=[settings.VENDOR["email"]],
        subject=f"Question about quote {version.quote.number}, version {version.number}",
        template="question",
        context={
            "question": question,
            "version": version,
            "quote": version.quote,
            "customer": version.quote.customer,
            "address": settings.ADDRESS + reverse("renewals:quote_version", args=[version.quote_id, version.number]),
        },
        headers={"Reply-To": question.email},
    )


def send_codes(message: OutboxMessage) -> None:
    """Mail the unlock codes of an order, or of its cancellation (Q6), to the customer's contacts (U1).

    Payload: `order` (id), `codes` (ids, of dongles of one owner). A code states everything, so one that a newer code of
    its dongle replaces is left out; where none is left, nothing is mailed. It goes to whoever has the dongle now.
    """
    order = Order.objects.select_related("customer").get(pk=message.payload["order"])
    newest = mailed_codes(message.payload["codes"])
    if not newest:
        return
    owner = dongle_queries.owner_of(newest[0].code.dongle)
    send_mail(
        message,
        recipients=addresses_of(owner),
        subject=f"Unlock code for {named([each.code.dongle for each in newest])} (order {order.number})",
        template="codes",
        context={
            "order": order,
            "customer": owner,
            "is_cancelled": order.state == OrderState.CANCELLED,
            "codes": newest,
            "check_address": check_address(newest),
            "own_address": settings.ADDRESS + reverse("renewals:my_home"),
        },
    )


def send_replacement(message: OutboxMessage) -> None:
    """Mail the codes of a replacement (Q8) to the owner's contacts: the new dongle's, and one that empties the old one.

    Payload: `replacement` (id), `codes` (ids). Where the new dongle has a newer code already, nothing is mailed.
    """
    about = Replacement.objects.select_related("predecessor", "successor__customer").get(
        pk=message.payload["replacement"]
    )
    codes = {each.code.dongle_id: each for each in mailed_codes(message.payload["codes"])}
    if about.successor_id not in codes:
        return
    owner = dongle_queries.owner_of(about.successor)
    send_mail(
        message,
        recipients=addresses_of(owner),
        subject=f"Unlock code for dongle {about.successor}, which replaces {about.predecessor}",
        template="replacement",
        context={
            "replacement": about,
            "customer": owner,
            "programming": codes[about.successor_id],
            "emptying": codes.get(about.predecessor_id),
            "check_address": check_address([codes[about.successor_id]]),
            "own_address": settings.ADDRESS + reverse("renewals:my_home"),
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
            "check_address": check_address(newest),
            "own_address": settings.ADDRESS + reverse("renewals:my_home"),
        },
    )


class MailedReminder(NamedTuple):
    """A dongle in a reminder, in words. It `is_renewable` after its end without a gap, or `has_lapsed` (C4)."""

    reminded: RemindedDongle
    licences: Sequence[str]
    when: str
    is_renewable: bool
    has_lapsed: bool
    missed: str
    offer: str
    address: str


def send_reminder(
    message: OutboxMessage,
    *,
    customer: Customer,
    to: Contact,
    recipients: Sequence[Contact],
    reminders: Sequence[Reminder],
    on: date,
) -> None:
    """Mail a contact their copy of a reminder, as of the day of its delivery.

    Every copy names all `recipients`, and has the address with which this one of them stops reminders, for mail
    programs too (RFC 8058). The first few quotes that are open for the dongles go with it.
    """
    reminded = reminded_dongles(customer, reminders, on)
    offers = {each.offer.pk: each.offer for each in reminded if each.offer}
    attached = list(offers.values())[:MOST_QUOTES_ATTACHED]
    address = settings.ADDRESS + reverse("renewals:reminders_of_key", args=[to.reminders_key])
    send_mail(
        message,
        recipients=[to.email],
        subject=subject_of_reminder(reminded, on),
        template="reminder",
        context={
            "customer": customer,
            "dongles": [_mailed_reminder(each, customer, on) for each in reminded],
            "goes_on": any(each.ends_on >= on for each in reminded),
            "offers": len(offers),
            "attached": len(attached),
            "lacks_offer": any(each.offer is None for each in reminded),
            "recipients": [contact.email for contact in recipients],
            "contact": to,
            "stop_address": address,
            "vendor": settings.VENDOR,
            "renew_address": settings.ADDRESS + reverse("renewals:renew"),
            "wording": Wording(customer.locale, customer.currency),
        },
        attachments=[quote_attachment(version) for version in attached],
        secrets=[version.key for version in offers.values() if version.key],
        headers={
            "To": ", ".join(contact.email for contact in recipients),
            "List-Unsubscribe": f"<{address}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )


def subject_of_reminder(reminded: Sequence[RemindedDongle], on: date) -> str:
    """“The SMA of dongle 104233 ends in 30 days”; of several dongles what is next."""
    if len(reminded) == 1:
        return f"The SMA of dongle {reminded[0].dongle.serial} {write_end(reminded[0].ends_on, on)}"
    what = f"The SMA of {len(reminded)} dongles"
    coming = [each.ends_on for each in reminded if each.ends_on >= on]
    if not coming:
        return f"{what} has ended"
    return f"{what}: the next {write_end(min(coming), on)}"


def write_end(ends_on: date, on: date) -> str:
    """“ends in 30 days”, “ends today”, “ended yesterday”; in days, however many."""
    days = (ends_on - on).days
    if abs(days) <= 1:
        return ("ended yesterday", "ends today", "ends tomorrow")[days + 1]
    return f"ends in {days} days" if days > 0 else f"ended {-days} days ago"


def _mailed_reminder(each: RemindedDongle, customer: Customer, on: date) -> MailedReminder:
    version = each.offer
    offer = address = ""
    if version is not None and version.valid_until is not None:
        wording = Wording(customer.locale, version.currency)
        quoted = len(version.dongles.all())
        offer = (
            f"quote {version.quote.number}{f' for {quoted} dongles' if quoted > 1 else ''},"
            f" {wording.money(version.total)} in all, valid until {wording.day(version.valid_until)}"
        )
        address = acceptance_address(version)
    return MailedReminder(
        each,
        [f"{licence.product}, {count(licence.seats, 'seat')}" for licence in each.licences],
        write_end(each.ends_on, on),
        each.ends_on < on <= each.renewable_through,
        each.renewable_through < on,
        wording_of_releases(each.missed),
        offer,
        address,
    )


def quote_attachment(version: QuoteVersion) -> Attachment:
    """The PDF of a sent version, as it was frozen."""
    document = QuoteDocument.objects.get(version=version)
    return Attachment(f"{version.quote.number}-{version.number}.pdf", bytes(document.pdf), "application/pdf")


def mailed_codes(code_ids: Collection[int]) -> list[MailedCode]:
    """The codes as they are mailed, without those that a newer code of their dongle replaces; of a retired dongle (Q8)
    only one that empties it."""
    codes = UnlockCode.objects.filter(pk__in=code_ids).select_related("dongle__customer").order_by("pk")
    return [
        MailedCode(
            code,
            list(printed_rows(code.letters)),
            [f"{product}, {count(seats, 'seat')}" for product, seats in dongle_queries.stated_licences(code)],
        )
        for code in codes
        if (code.generation, code.sequence) == (code.dongle.generation, code.dongle.sequence)
        and not (code.licences and code.dongle.state == Dongle.State.RETIRED)
    ]


def check_address(codes: Sequence[MailedCode]) -> str:
    """Where codes are read and checked in the browser; the only dongle's serial is named to the page, not to us."""
    serials = {each.code.dongle.serial for each in codes}
    return settings.ADDRESS + reverse("dongles:check_code") + (f"#{serials.pop()}" if len(serials) == 1 else "")


def addresses_of(customer: Customer, among: Collection[str] | None = None) -> list[str]:
    """The addresses of the customer's contacts that have not left; `no_contact` where there is none.

    The refusal stays with the message, which is tried again: once a contact is on file the mail goes out.
    """
    contacts = customer.reachable_contacts()
    addresses = [contact.email for contact in contacts if among is None or contact.email in among]
    if not addresses:
        raise DomainError("no_contact", f"{customer.name} has no contact with an e-mail address on file.")
    return addresses


def named(dongles: list[Dongle]) -> str:
    """One dongle by its serial, several by their number."""
    return f"dongle {dongles[0].serial}" if len(dongles) == 1 else count(len(dongles), "dongle")

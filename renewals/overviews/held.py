"""Everything that is held about a customer, for the customer: one JSON text, written piece by piece.

Nothing of other customers is in it, and nothing that opens anything: no keys, no links that log in, no hashes. Of a
dongle that another customer has handed on, it begins with the day on which it came.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Prefetch, Q, QuerySet

from dongles.models import Dongle, Licence, UnlockCode
from portal.api.fields import write_exact_amount
from portal.deeds import changes_of
from portal.models import AuditEvent, Customer, SentMail, User, has_address
from portal.trail import events_of, listed
from renewals.models import QuoteDongle, QuoteVersion, RenewalRequest
from renewals.overviews.my.order import own_serial

Row = dict[str, Any]
T = TypeVar("T")
AT_ONCE = 200  # rows read and written at once
QUOTED = "lines__quote_line__quoted__dongle"

# What was done to sent quotes that a customer knows of; how they were drafted and approved is the vendor's business.
OF_QUOTES = ("send", "resend", "accept", "decline", "supersede", "ask")
# Fields of a customer, a contact or a user whose changes are told; the others are how the vendor keeps its books.
TOLD_FIELDS = {"name", "email", "left_on", "reminders_stopped_at", "postal_address", "invoice_address", "by"}
# Mails by the kind of their message: the key of its payload, and whose ids stand there.
MAILS = {
    "quote_sent": ("version", "versions"),
    "bridge_issued": ("version", "versions"),
    "code_issued": ("order", "orders"),
    "reminder": ("mailing", "mailings"),
    "contacts_changed": ("contact", "contacts"),
}
MAILS_OF_CODES = ("code_issued", "dongle_replaced")


class Part(NamedTuple):
    """A list in the export: its name, what it holds in words, and its rows."""

    name: str
    words: str
    rows: Callable[[Customer], Iterator[Row]]


def held_about(customer: Customer, at: datetime) -> Iterator[str]:
    """The whole as pieces of one JSON text. No list is ever in memory as a whole."""
    yield f'{{\n"written_at": {_json(at)},\n"written_by": {_json(settings.VENDOR["name"])},\n'
    yield f'"parts": {_json({part.name: part.words for part in PARTS})},\n'
    yield f'"organisation": {_json(_organisation(customer))}'
    for part in PARTS:
        yield f',\n"{part.name}": ['
        for number, row in enumerate(part.rows(customer)):
            yield f"{',' if number else ''}\n{_json(row)}"
        yield "\n]"
    yield "\n}\n"


def recent_changes(customer: Customer, most: int) -> list[Row]:
    """What was changed last about an organisation's contacts and addresses, newest first, and by whom."""
    kept = [*customer.contacts.all(), customer]
    events = events_of(*kept).select_related("actor").order_by("-pk")
    told = (_told(event, listed_event) for event, listed_event in _listed(events.iterator(AT_ONCE)))
    return list(islice((row for row in told if row["changes"]), most))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)


def _pieces(rows: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(rows)
    while piece := list(islice(waiting, AT_ONCE)):
        yield piece


def _organisation(customer: Customer) -> Row:
    return {
        "name": customer.name,
        "country": customer.country,
        "postal_address": customer.postal_address,
        "invoice_address": customer.invoice_address,
        "currency": customer.currency,
        "segment": customer.get_segment_display(),
        "tax_status": customer.get_tax_status_display(),
        "orders_are_fulfilled": customer.get_fulfil_on_display(),
        "language": customer.locale,
    }


def _contacts(customer: Customer) -> Iterator[Row]:
    for each in customer.contacts.order_by("pk").iterator(AT_ONCE):
        yield {
            "name": each.name,
            "email": each.email,
            "left_on": each.left_on,
            "gets_reminders": each.reminders_stopped_at is None,
            "reminders_stopped_at": each.reminders_stopped_at,
        }


def _users(customer: Customer) -> QuerySet[User]:
    """Who logs in as one of the organisation, and is on file with it still.

    An address is put on file by whoever likes: what its owner does at another organisation is not told here.
    """
    emails = {email.lower() for email in customer.reachable_contacts().values_list("email", flat=True)}
    return User.objects.filter(email__in=emails, role=User.Role.CUSTOMER, customer=customer).order_by("pk")


def _logins(customer: Customer) -> Iterator[Row]:
    for user in _users(customer).iterator(AT_ONCE):
        passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk")
        yield {
            "email": user.email,
            "name": user.name,
            "last_login": user.last_login,
            "passkeys": [
                {"name": str(each), "added_at": each.created_at, "last_used_at": each.last_used_at} for each in passkeys
            ],
        }


def _dongles(customer: Customer) -> Iterator[Row]:
    licences = Licence.objects.select_related("product").prefetch_related("periods").order_by("pk")
    dongles = customer.dongles.order_by("serial").prefetch_related(Prefetch("licences", licences))
    for dongle in dongles.iterator(AT_ONCE):
        yield {
            "serial": dongle.serial,
            "kind": dongle.get_kind_display(),
            "state": dongle.get_state_display(),
            "sma_expiry_date": dongle.issued_expiry_on,
            "sma_expiry_date_in_the_dongle": dongle.confirmed_expiry_on,
            "licences": [
                {
                    "product": licence.product.name,
                    "product_code": licence.product.code,
                    "seats": licence.seats,
                    "acquired_on": licence.acquired_on,
                    "withdrawn_on": licence.withdrawn_on,
                    "sma_periods": [
                        {"from": each.starts_on, "to": each.ends_on, "cancelled": each.is_cancelled}
                        for each in licence.periods.all()
                    ],
                }
                for licence in dongle.licences.all()
            ],
        }


def _versions(customer: Customer) -> QuerySet[QuoteVersion]:
    """The versions that were sent: those with a document."""
    versions = QuoteVersion.objects.filter(quote__customer=customer, document__isnull=False)
    return versions.select_related("quote").order_by("pk")


def _quotes(customer: Customer) -> Iterator[Row]:
    quoted = QuoteDongle.objects.select_related("dongle").prefetch_related("lines__product")
    for version in _versions(customer).prefetch_related(Prefetch("dongles", quoted)).iterator(AT_ONCE):
        yield {
            "number": version.quote.number,
            "version": version.number,
            "state": version.get_state_display(),
            "priced_on": version.priced_on,
            "valid_until": version.valid_until,
            "note": version.note,
            "dongles": [
                {
                    "serial": each.dongle.serial,
                    "covered_through": each.covered_through,
                    "lines": [
                        {
                            "product": line.product.name,
                            "what": line.description,
                            "from": line.starts_on,
                            "to": line.ends_on,
                            "net": write_exact_amount(line.net, version.currency),
                        }
                        for line in each.lines.all()
                    ],
                }
                for each in version.dongles.all()
            ],
            "currency": version.currency,
            **{name: write_exact_amount(getattr(version, name), version.currency) for name in ("net", "tax", "total")},
        }


def _orders(customer: Customer) -> Iterator[Row]:
    orders = customer.orders.select_related("version", "quote").order_by("pk")
    whole = orders.prefetch_related(
        "files", "lines__licence__product", "lines__licence__dongle", "lines__period", QUOTED
    )
    for order in whole.iterator(AT_ONCE):
        yield {
            "number": order.number,
            "quote": order.quote.number,
            "state": order.get_state_display(),
            "purchase_order_number": order.purchase_order_number,
            "accepted_by": order.accepted_by,
            "accepted_on": order.accepted_on,
            "paid_on": order.paid_on,
            "fulfilled_on": order.fulfilled_on,
            "cancelled_from": order.cancelled_from,
            "currency": order.version.currency,
            "total": write_exact_amount(order.version.total, order.version.currency),
            "lines": [
                {
                    "dongle": own_serial(line, customer),
                    "product": line.licence.product.name,
                    "from": line.period and line.period.starts_on,
                    "to": line.period and line.period.ends_on,
                    "net": write_exact_amount(line.net, order.version.currency),
                }
                for line in order.lines.all()
            ],
            "files": [
                {"name": each.name, "bytes": each.size, "uploaded_at": each.uploaded_at} for each in order.files.all()
            ],
        }


def _handed_on(dongles: Iterable[int]) -> dict[int, datetime]:
    """When each of these dongles last came from another customer, of those that did."""
    events = AuditEvent.objects.filter(subject_kind="dongle", subject_id__in=dongles, action="transfer")
    return dict(events.order_by("at").values_list("subject_id", "at"))


def _code_rows(customer: Customer) -> Iterator[UnlockCode]:
    """The codes of its dongles since they are its own."""
    for ids in _pieces(customer.dongles.order_by("pk").values_list("pk", flat=True).iterator(AT_ONCE)):
        since = _handed_on(ids)
        codes = UnlockCode.objects.filter(dongle__in=ids).select_related("dongle", "receipt").order_by("dongle", "pk")
        for code in codes.iterator(AT_ONCE):
            if code.dongle_id not in since or code.issued_at >= since[code.dongle_id]:
                yield code


def _codes(customer: Customer) -> Iterator[Row]:
    for code in _code_rows(customer):
        receipt = getattr(code, "receipt", None)
        yield {
            "dongle": code.dongle.serial,
            "number": f"{code.generation}-{code.sequence}",
            "issued_at": code.issued_at,
            "sma_expiry_date": code.expiry_on,
            "code": code.letters,
            "receipt_confirmed_at": receipt and receipt.confirmed_at,
        }


def _request_rows(customer: Customer) -> QuerySet[RenewalRequest]:
    """What contacts of its own have asked for its dongles; what strangers have asked is theirs."""
    emails = customer.contacts.exclude(email="").values_list("email", flat=True)
    asked = Q(pk__in=[])
    for email in emails:
        asked |= Q(has_address(email))
    return RenewalRequest.objects.filter(asked, dongle__customer=customer).select_related("quote").order_by("pk")


def _requests(customer: Customer) -> Iterator[Row]:
    for each in _request_rows(customer).iterator(AT_ONCE):
        yield {
            "number": each.number,
            "received_at": each.received_at,
            "serial": each.serial,
            "name": each.name,
            "email": each.email,
            "telephone": each.telephone,
            "message": each.message,
            "state": each.get_state_display(),
            "quote": each.quote and each.quote.number,
        }


def _addresses(customer: Customer) -> set[str]:
    """The e-mail addresses that its contacts have or had."""
    found = {email.lower() for email in customer.contacts.values_list("email", flat=True)}
    events = AuditEvent.objects.filter(subject_kind="customer", subject_id=customer.pk, action="change_contact")
    return found | {before.get("email", "").lower() for before in events.values_list("before", flat=True)} - {""}


def _mails(customer: Customer) -> Iterator[Row]:
    """Mails about its own things to its own people, each once. Links are left out: who has one is let in."""
    addresses, seen = _addresses(customer), set()
    for mail in _mail_rows(customer):
        recipients = [each for each in mail.recipients if each.lower() in addresses]
        if mail.pk in seen or not recipients:
            continue
        seen.add(mail.pk)
        yield {
            "sent_at": mail.sent_at,
            "recipients": recipients,
            "subject": mail.subject,
            "text": re.sub(rf"{re.escape(settings.ADDRESS)}/\S+", "(link)", mail.text),
            "attachments": [each["name"] for each in mail.attachments],
        }


def _mail_rows(customer: Customer) -> Iterator[SentMail]:
    rows: dict[str, QuerySet[Any]] = {
        "versions": _versions(customer),
        "orders": customer.orders.all(),
        "mailings": customer.reminder_mailings.all(),
        "contacts": customer.contacts.all(),
    }
    for kind, (key, whose) in MAILS.items():
        for piece in _pieces(rows[whose].order_by("pk").values_list("pk", flat=True).iterator(AT_ONCE)):
            yield from _mails_naming((kind,), [{key: pk} for pk in piece])
    for codes in _pieces(_code_rows(customer)):
        yield from _mails_naming(MAILS_OF_CODES, [{"codes": [code.pk]} for code in codes])


def _mails_naming(kinds: Iterable[str], payloads: Iterable[Row]) -> Iterator[SentMail]:
    named = Q(pk__in=[])
    for payload in payloads:
        named |= Q(message__payload__contains=payload)
    return SentMail.objects.filter(named, message__kind__in=kinds).order_by("pk").iterator(AT_ONCE)


def _deeds(customer: Customer) -> Iterator[Row]:
    """Who did what to its things, by kind of thing; of the vendor's people it says only that they are the vendor's."""
    for subjects in (
        [customer],
        customer.contacts.all(),
        _users(customer),
        customer.dongles.all(),
        _versions(customer),
        customer.orders.all(),
        _code_rows(customer),
        _request_rows(customer),
    ):
        rows: Iterable[Model] = subjects.iterator(AT_ONCE) if isinstance(subjects, QuerySet) else subjects
        for piece in _pieces(rows):
            handed_on = _handed_on([each.pk for each in piece]) if isinstance(piece[0], Dongle) else {}
            events = events_of(*piece).select_related("actor").order_by("pk")
            for event, told in _listed(events.iterator(AT_ONCE)):
                is_draft = event.subject_kind == "quoteversion" and event.action not in OF_QUOTES
                if not is_draft and event.at >= handed_on.get(event.subject_id, event.at):
                    yield _told(event, told)


def _listed(events: Iterable[AuditEvent]) -> Iterator[tuple[AuditEvent, Any]]:
    for piece in _pieces(events):
        yield from zip(piece, listed(piece), strict=True)


def _told(event: AuditEvent, told: Any) -> Row:
    is_told = event.subject_kind in ("customer", "contact", "user")
    before, after = (
        {name: value for name, value in values.items() if is_told and name in TOLD_FIELDS}
        for values in (event.before, event.after)
    )
    return {
        "at": event.at,
        "by": _who(event),
        "what": told.told.what,
        "kind": told.kind,
        "which": told.name,
        "changes": [change._asdict() for change in changes_of(before, after)],
    }


def _who(event: AuditEvent) -> str:
    """Who did it: a person of the customer's or a part of the portal by name, the vendor's people as the vendor."""
    is_vendor = event.actor is not None and event.actor.role != User.Role.CUSTOMER
    return settings.VENDOR["name"] if is_vendor else event.actor_name


PARTS = (
    Part("contacts", "The people on file, with who gets reminders and who has left.", _contacts),
    Part("logins", "Who of them logs in, with the names of their passkeys.", _logins),
    Part("dongles", "Your dongles with their licences and the SMA periods of each.", _dongles),
    Part("quotes", "Every quote that was sent to you, version by version and line by line.", _quotes),
    Part("orders", "What you ordered, with dates, purchase order numbers and the names of your files.", _orders),
    Part("codes", "The unlock codes of your dongles, and when each was reported as applied.", _codes),
    Part("requests", "What your contacts have asked us for.", _requests),
    Part("mails", "Mails to your contacts about quotes, codes, reminders and contacts; links are left out.", _mails),
    Part("deeds", "Who did what to any of this, and when.", _deeds),
)

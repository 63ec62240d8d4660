"""What is done for customers and their contacts: by sales, and of their own organisation by contacts who log in.

Which of it customers may do themselves is decided in `portal.access.check_keeps_contacts`. What a contact has changed
about contacts, the others are told by mail: whoever is on file gets quotes and codes, and may log in.
"""

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from portal import outbox
from portal.access import check_ability, check_keeps_contacts
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import Contact, Customer, User


class CustomerDetails(NamedTuple):
    """What is on record of a customer beside its contacts and dongles."""

    name: str
    country: str
    currency: str
    segment: str = Customer.Segment.COMMERCIAL
    tax_status: str = Customer.TaxStatus.STANDARD
    fulfil_on: str = Customer.FulfilOn.ACCEPTANCE
    locale: str = "en_GB"
    owner: User | None = None
    postal_address: str = ""
    invoice_address: str = ""

    @classmethod
    def of(cls, customer: Customer) -> "CustomerDetails":
        return cls(*(getattr(customer, name) for name in cls._fields))

    @property
    def fingerprint(self) -> str:
        """Identifies these details, so that a form can say which ones it was opened with."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, str]:
        return {name: str(value or "") for name, value in self._asdict().items()}


@transaction.atomic
def create_customer(*, details: CustomerDetails, actor: Actor, at: datetime) -> Customer:
    """Put a customer on record. Refuses `customer_invalid` and `customer_name_taken`."""
    check_ability(actor, "sell")
    customer = Customer(**details._asdict())
    _check_customer(customer)
    customer.save()
    record(actor, at, Deed("create", customer, after=CustomerDetails.of(customer).as_json()))
    return customer


@transaction.atomic
def change_customer(
    *, customer: Customer, details: CustomerDetails, known: str = "", actor: Actor, at: datetime
) -> Customer:
    """Change what is on record of a customer. Quotes and orders that are there keep their currency, prices and tax.

    `known` is the fingerprint of the details that the change was made from: if they are others by now, it is refused
    (`customer_changed`). The same again changes nothing. Refuses `customer_invalid` and `customer_name_taken`.
    """
    check_ability(actor, "sell")
    customer = Customer.objects.select_for_update(of=("self",)).select_related("owner").get(pk=customer.pk)
    before = CustomerDetails.of(customer)
    if details == before:
        return customer
    if known and known != before.fingerprint:
        raise DomainError(
            "customer_changed",
            f"Meanwhile somebody else has changed what is on record of {before.name}. Look at it before you change it.",
        )
    for name, value in details._asdict().items():
        setattr(customer, name, value)
    _check_customer(customer)
    after = CustomerDetails.of(customer)
    changed = [name for name in after._fields if getattr(after, name) != getattr(before, name)]
    if changed:
        customer.save(update_fields=changed)
        was, now = before.as_json(), after.as_json()
        deed = Deed("change", customer, {name: was[name] for name in changed}, {name: now[name] for name in changed})
        record(actor, at, deed)
    return customer


class Addresses(NamedTuple):
    """Where a customer's post goes, and where its invoices go; lines of text without the country."""

    postal_address: str = ""
    invoice_address: str = ""

    @classmethod
    def of(cls, customer: Customer) -> "Addresses":
        return cls(customer.postal_address, customer.invoice_address)


@transaction.atomic
def change_addresses(*, customer: Customer, addresses: Addresses, actor: Actor, at: datetime) -> Customer:
    """Change the addresses of a customer, by its own contacts too. The same again changes nothing.

    Refuses `not_allowed` and `customer_invalid`.
    """
    customer = _kept(customer.pk, actor)
    before, after = Addresses.of(customer), Addresses(*map(_lines, addresses))
    customer.postal_address, customer.invoice_address = after
    if objection := _objection(customer):
        field, sentence = objection
        raise DomainError("customer_invalid", sentence, {"field": field})
    if was := {name: value for name, value in before._asdict().items() if value != getattr(after, name)}:
        customer.save(update_fields=list(was))
        record(actor, at, Deed("change", customer, was, {name: getattr(after, name) for name in was}))
    return customer


def _lines(text: str) -> str:
    """Typed lines without empty ones, each without spaces around it."""
    return "\n".join(line for each in text.splitlines() if (line := " ".join(each.split())))


def _check_customer(customer: Customer) -> None:
    """Refuse details that can't be, and a name that another customer in the country has: who could tell them apart?"""
    customer.name = " ".join(customer.name.split())
    customer.postal_address, customer.invoice_address = (
        _lines(customer.postal_address),
        _lines(customer.invoice_address),
    )
    if objection := _objection(customer):
        field, sentence = objection
        raise DomainError("customer_invalid", sentence, {"field": field})
    same = Customer.objects.filter(name__iexact=customer.name, country=customer.country, merged_into__isnull=True)
    if other := same.exclude(pk=customer.pk).first():
        raise DomainError(
            "customer_name_taken",
            f"{other.name} is on record already. If this is another one, add the town to its name.",
            {"field": "name", "customer": other.pk},
        )


def _objection(row: Model) -> tuple[str, str] | None:
    """The first field of a row that can't be as it is, and why."""
    try:
        row.clean_fields()
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        return field, sentences[0]
    return None


@transaction.atomic
def add_contact(*, customer: Customer, name: str, email: str, actor: Actor, at: datetime) -> Contact:
    """Put a person on file to whom the customer's quotes and codes may go.

    Refuses `not_allowed`, `contact_invalid`, and `contact_exists` for an address that is on file for this customer.
    """
    contact = Contact(customer=_kept(customer.pk, actor), name=" ".join(name.split()), email=email.strip())
    _check_contact(contact)
    contact.save()
    record(actor, at, Deed("add_contact", contact.customer, after=_told(contact)))
    _tell_others(contact, "added", actor, at)
    return contact


@transaction.atomic
def change_contact(*, contact: Contact, name: str, email: str, actor: Actor, at: datetime) -> Contact:
    """Change a contact's name or address. The same again changes nothing. Refuses as `add_contact` does."""
    contact = _kept_contact(contact, actor)
    before = _told(contact)
    contact.name, contact.email = " ".join(name.split()), email.strip()
    _check_contact(contact)
    if (after := _told(contact)) != before:
        contact.save(update_fields=["name", "email"])
        record(actor, at, Deed("change_contact", contact.customer, before, after))
        if before["email"] != after["email"]:
            _tell_others(contact, "changed", actor, at)
    return contact


@transaction.atomic
def contact_left(*, contact: Contact, actor: Actor, at: datetime) -> Contact:
    """Remember that a person has left: the row stays, and no mail goes there any more. Again, nothing happens.

    Refuses a customer's own contact (`last_contact`) where nobody would be left who could log in; sales may do so.
    """
    contact = _kept_contact(contact, actor)
    if contact.left_on is None:
        others = contact.customer.reachable_contacts().exclude(pk=contact.pk)
        if actor.role == User.Role.CUSTOMER and not others.exists():
            sentence = f"{contact.name} is the only one on file who can be reached. Add somebody else first."
            raise DomainError("last_contact", sentence, {"contact": contact.pk})
        contact.left_on = timezone.localdate(at)
        contact.save(update_fields=["left_on"])
        record(actor, at, Deed("contact_left", contact.customer, after=_told(contact)))
        _tell_others(contact, "left", actor, at)
    return contact


@transaction.atomic
def contact_came_back(*, contact: Contact, actor: Actor, at: datetime) -> Contact:
    """Take back that a person has left. Again, nothing happens."""
    contact = _kept_contact(contact, actor)
    if contact.left_on is not None:
        before, contact.left_on = _told(contact), None
        contact.save(update_fields=["left_on"])
        record(actor, at, Deed("contact_came_back", contact.customer, before, _told(contact)))
        _tell_others(contact, "came_back", actor, at)
    return contact


def _kept(customer_id: int, actor: Actor) -> Customer:
    """The customer under the lock of its row, which whoever changes its contacts holds. Refuses who may not."""
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    check_keeps_contacts(actor, customer)
    return customer


def _kept_contact(contact: Contact, actor: Actor) -> Contact:
    _kept(contact.customer_id, actor)
    return Contact.objects.select_related("customer").get(pk=contact.pk)


def _tell_others(contact: Contact, what: str, actor: Actor, at: datetime) -> None:
    """Have the organisation's reachable contacts told what one of them has done about a contact; not what sales has.

    Who was added or is back is not told: a mistyped address is a stranger's. Recipients are chosen at delivery.
    """
    if actor.role == User.Role.CUSTOMER:
        outbox.post("contacts_changed", [{"contact": contact.pk, "what": what, "by": actor.name}], at=at)


def _told(contact: Contact) -> dict[str, Any]:
    """A contact as the audit trail of its customer has it."""
    told = {"contact": contact.pk, "name": contact.name, "email": contact.email}
    return {**told, "left_on": contact.left_on.isoformat()} if contact.left_on else told


def _check_contact(contact: Contact) -> None:
    if not contact.email:  # an import may bring contacts without one; a person who enters one knows it
        raise DomainError("contact_invalid", "Enter the e-mail address.", {"field": "email"})
    if objection := _objection(contact):
        field, sentence = objection
        raise DomainError("contact_invalid", sentence, {"field": field})
    if not contact.email.rpartition("@")[0].isascii():  # Django lets some letters pass that look like others
        sentence = "Write what stands before the @ in plain letters: A–Z, digits and signs."
        raise DomainError("contact_invalid", sentence, {"field": "email"})
    others = contact.customer.contacts.filter(email__iexact=contact.email).exclude(pk=contact.pk)
    if other := others.first():
        what = "has left, and can be marked as back" if other.left_on else "is on file already"
        raise DomainError(
            "contact_exists",
            f"{other.name}, {other.email}, {what}.",
            {"field": "email", "contact": other.pk},
        )

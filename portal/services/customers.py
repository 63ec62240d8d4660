"""What sales does for customers and their contacts."""

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from portal.access import check_ability
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


def _check_customer(customer: Customer) -> None:
    """Refuse details that can't be, and a name that another customer in the country has: who could tell them apart?"""
    customer.name = " ".join(customer.name.split())
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

    Refuses `contact_invalid`, and `contact_exists` for an address that is on file for this customer.
    """
    check_ability(actor, "sell")
    contact = Contact(customer=_locked(customer.pk), name=" ".join(name.split()), email=email.strip())
    _check_contact(contact)
    contact.save()
    record(actor, at, Deed("add_contact", contact.customer, after=_told(contact)))
    return contact


@transaction.atomic
def change_contact(*, contact: Contact, name: str, email: str, actor: Actor, at: datetime) -> Contact:
    """Change a contact's name or address. The same again changes nothing. Refuses as `add_contact` does."""
    check_ability(actor, "sell")
    contact = _locked_contact(contact)
    before = _told(contact)
    contact.name, contact.email = " ".join(name.split()), email.strip()
    _check_contact(contact)
    if (after := _told(contact)) != before:
        contact.save(update_fields=["name", "email"])
        record(actor, at, Deed("change_contact", contact.customer, before, after))
    return contact


@transaction.atomic
def contact_left(*, contact: Contact, actor: Actor, at: datetime) -> Contact:
    """Remember that a person has left: the row stays, and no mail goes there any more. Again, nothing happens."""
    check_ability(actor, "sell")
    contact = _locked_contact(contact)
    if contact.left_on is None:
        contact.left_on = timezone.localdate(at)
        contact.save(update_fields=["left_on"])
        record(actor, at, Deed("contact_left", contact.customer, after=_told(contact)))
    return contact


@transaction.atomic
def contact_came_back(*, contact: Contact, actor: Actor, at: datetime) -> Contact:
    """Take back that a person has left. Again, nothing happens."""
    check_ability(actor, "sell")
    contact = _locked_contact(contact)
    if contact.left_on is not None:
        before, contact.left_on = _told(contact), None
        contact.save(update_fields=["left_on"])
        record(actor, at, Deed("contact_came_back", contact.customer, before, _told(contact)))
    return contact


def _locked(customer_id: int) -> Customer:
    """Whoever changes a customer's contacts holds its row."""
    return Customer.objects.select_for_update().get(pk=customer_id)


def _locked_contact(contact: Contact) -> Contact:
    _locked(contact.customer_id)
    return Contact.objects.select_related("customer").get(pk=contact.pk)


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
    others = contact.customer.contacts.filter(email__iexact=contact.email).exclude(pk=contact.pk)
    if other := others.first():
        what = "has left, and can be marked as back" if other.left_on else "is on file already"
        raise DomainError(
            "contact_exists",
            f"{other.name}, {other.email}, {what}.",
            {"field": "email", "contact": other.pk},
        )

"""Customers and their contacts: put on record, changed, refused; each deed in the audit trail, nothing on refusal."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer
from portal.services import customers as services
from portal.services.customers import CustomerDetails
from renewals.services import quotes
from tests import world

NOON = world.at("2026-02-01")
BY = {"actor": world.SALES, "at": NOON}
CELLS = CustomerDetails("Institute of Cells", "DE", "EUR")


def deeds():
    events = AuditEvent.objects.filter(subject_kind="customer").order_by("pk")
    return [(event.action, event.subject_id, event.before, event.after) for event in events]


def is_refused(code, service, **asked):
    """The refusal; the database is as it was before."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Customer, Contact, AuditEvent)]
    with pytest.raises(DomainError) as refusal:
        service(**{**BY, **asked})
    assert refusal.value.code == code
    assert [list(model.objects.order_by("pk").values()) for model in (Customer, Contact, AuditEvent)] == rows
    return refusal.value


@pytest.fixture
def customer(db):
    return world.make_customer()


@pytest.fixture
def ada(customer):
    return customer.contacts.get()


def test_a_customer_is_put_on_record_and_that_is_recorded(db):
    owner = world.make_user()
    details = CELLS._replace(name="  Institute   of Cells ", locale="de_DE", owner=owner)
    customer = services.create_customer(details=details, **BY)
    customer.refresh_from_db()
    assert CustomerDetails.of(customer) == CELLS._replace(locale="de_DE", owner=owner)
    written = {
        "name": "Institute of Cells", "country": "DE", "currency": "EUR", "segment": "commercial",
        "tax_status": "standard", "fulfil_on": "acceptance", "locale": "de_DE", "owner": "Sales",
        "postal_address": "", "invoice_address": "",
    }  # fmt: skip
    assert deeds() == [("create", customer.pk, {}, written)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 201), ("country", "Germany"), ("country", "ZZ"),
     ("country", "de"), ("currency", "XXX"), ("currency", "Euro"), ("segment", "rich"), ("tax_status", ""),
     ("fulfil_on", "never"), ("locale", "klingon")],
)  # fmt: skip
def test_a_detail_that_cannot_be_is_refused_and_named(customer, field, value):
    details = CustomerDetails.of(customer)._replace(name="Another")._replace(**{field: value})
    assert is_refused("customer_invalid", services.create_customer, details=details).data == {"field": field}
    refusal = is_refused("customer_invalid", services.change_customer, customer=customer, details=details)
    assert refusal.data == {"field": field}


def test_nobody_of_a_customers_looks_after_one(customer):
    user = world.make_user("customer", customer=customer)
    details = CELLS._replace(name="Another", owner=user)
    assert is_refused("customer_invalid", services.create_customer, details=details).data == {"field": "owner"}


def test_two_customers_have_no_name_in_common_whatever_the_case(customer):
    other = world.make_customer("Other")
    details = CELLS._replace(name="INSTITUTE of  cells")
    assert is_refused("customer_name_taken", services.create_customer, details=details).data["customer"] == customer.pk
    is_refused("customer_name_taken", services.change_customer, customer=other, details=details)


def test_two_customers_in_two_countries_may_have_one_name(customer):
    made = services.create_customer(details=CELLS._replace(name="Institute of Cells", country="FR"), **BY)
    assert made.pk != customer.pk


def test_a_customers_own_name_may_change_its_case(customer):
    details = CELLS._replace(name="INSTITUTE OF CELLS")
    assert services.change_customer(customer=customer, details=details, **BY).name == "INSTITUTE OF CELLS"


def test_a_change_records_what_it_changes_and_the_same_again_nothing(customer):
    details = CELLS._replace(currency="USD", tax_status="exempt")
    for _ in range(2):
        services.change_customer(customer=customer, details=details, **BY)
    before, after = {"currency": "EUR", "tax_status": "standard"}, {"currency": "USD", "tax_status": "exempt"}
    assert deeds() == [("change", customer.pk, before, after)]


def test_details_that_somebody_else_has_changed_are_not_overwritten(customer):
    known = CustomerDetails.of(customer).fingerprint
    services.change_customer(customer=customer, details=CELLS._replace(country="AT"), known=known, **BY)
    mine = CELLS._replace(currency="USD")
    is_refused("customer_changed", services.change_customer, customer=customer, details=mine, known=known)


def test_a_quote_that_was_sent_keeps_its_currency_and_is_ordered_in_it(dongle):
    version = world.send(dongle, "2026-02-01")
    services.change_customer(customer=dongle.customer, details=CELLS._replace(currency="USD"), **BY)
    order = world.accept(version, "2026-02-02")
    # 1,200.00 + 900.00 with 19 % tax, as promised
    assert (order.version.currency, order.version.total) == ("EUR", 249_900)
    segments = {segment.currency for line in order.lines.all() for segment in line.segments.all()}
    assert segments == {"EUR"}


def test_a_new_quote_asks_for_a_price_list_of_the_new_currency(dongle):
    services.change_customer(customer=dongle.customer, details=CELLS._replace(currency="USD"), **BY)
    dongle.refresh_from_db()
    with pytest.raises(DomainError, match="no price list in USD"):
        world.draft(dongle, "2026-02-01")


def test_a_contact_is_added_changed_leaves_and_comes_back(customer, ada):
    grace = services.add_contact(customer=customer, name=" Grace  Holm ", email=" grace@cells.example ", **BY)
    for _ in range(2):
        services.change_contact(contact=grace, name="Grace Holm-Lenz", email="grace@cells.example", **BY)
        services.contact_left(contact=grace, **BY)
    grace.refresh_from_db()
    assert (grace.name, grace.email, grace.left_on.isoformat()) == (
        "Grace Holm-Lenz",
        "grace@cells.example",
        "2026-02-01",
    )
    for _ in range(2):
        services.contact_came_back(contact=grace, **BY)
    grace.refresh_from_db()
    assert grace.left_on is None
    was = {"contact": grace.pk, "name": "Grace Holm", "email": "grace@cells.example"}
    now = {**was, "name": "Grace Holm-Lenz"}
    gone = {**now, "left_on": "2026-02-01"}
    assert deeds() == [
        ("add_contact", customer.pk, {}, was),
        ("change_contact", customer.pk, was, now),
        ("contact_left", customer.pk, {}, gone),
        ("contact_came_back", customer.pk, gone, now),
    ]


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [("", "grace@cells.example", "name"), ("x" * 201, "grace@cells.example", "name"), ("Grace", "", "email"),
     ("Grace", "grace", "email"), ("Grace", "a@b.example, c@d.example", "email")],
)  # fmt: skip
def test_a_contact_that_cannot_be_mailed_is_refused(customer, ada, name, email, field):
    asked = {"name": name, "email": email}
    assert is_refused("contact_invalid", services.add_contact, customer=customer, **asked).data == {"field": field}
    assert is_refused("contact_invalid", services.change_contact, contact=ada, **asked).data == {"field": field}


def test_an_address_is_on_file_once_for_a_customer_and_may_be_at_another(customer, ada):
    refusal = is_refused("contact_exists", services.add_contact, customer=customer, name="Ada", email=ada.email.upper())
    assert refusal.data == {"field": "email", "contact": ada.pk}
    other = world.make_customer("Other")
    services.add_contact(customer=other, name="Ada Lenz", email=ada.email, **BY)
    mine = other.contacts.exclude(email=ada.email).get()
    is_refused("contact_exists", services.change_contact, contact=mine, name="Ada", email=ada.email)


def test_an_address_of_somebody_who_has_left_says_so(customer, ada):
    services.contact_left(contact=ada, **BY)
    refusal = is_refused("contact_exists", services.add_contact, customer=customer, name="Ada", email=ada.email)
    assert "has left, and can be marked as back" in refusal.message


def test_who_has_left_gets_no_quote(dongle):
    services.contact_left(contact=dongle.customer.contacts.get(), **BY)
    version = world.draft(dongle, "2026-02-01")
    with pytest.raises(DomainError, match="no contact"):
        quotes.send_quote(version=version, **BY)


def test_only_who_sells_changes_customers(customer, ada):
    actor = Actor("Finn", None, "finance")
    for service, asked in (
        (services.create_customer, {"details": CELLS._replace(name="Another")}),
        (services.change_customer, {"customer": customer, "details": CELLS._replace(country="AT")}),
        (services.add_contact, {"customer": customer, "name": "Grace", "email": "grace@cells.example"}),
        (services.change_contact, {"contact": ada, "name": "Grace", "email": "grace@cells.example"}),
        (services.contact_left, {"contact": ada}),
        (services.contact_came_back, {"contact": ada}),
    ):
        is_refused("not_allowed", service, actor=actor, **asked)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_add_the_same_address_at_once_one_is_told():
    customer = world.make_customer()

    def add(name):
        try:
            return services.add_contact(customer=customer, name=name, email="grace@cells.example", **BY)
        except DomainError as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as both:
        told = list(both.map(add, ("Grace", "Grace Holm")))
    assert told.count("contact_exists") == 1
    assert customer.contacts.filter(email="grace@cells.example").count() == 1
    assert [deed[0] for deed in deeds()] == ["add_contact"]

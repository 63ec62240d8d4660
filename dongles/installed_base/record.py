"""Reads what is on record, as far as a file touches it. Five queries, whatever the number of rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from dongles.coverage import Period
from dongles.installed_base.heads import fold_head
from dongles.installed_base.owners import fold_name
from dongles.installed_base.plans import Record, RecordedCustomer, RecordedDongle, RecordedLicence
from dongles.installed_base.rows import Row
from dongles.models import Dongle, Licence, Product, SmaPeriod
from portal.models import Contact, Customer

FACTS = ("name", "country", "currency", "segment", "tax_status")


def products_by_word() -> dict[str, str]:
    """The codes of all products by their folded names and codes; a code counts before a name."""
    products = list(Product.objects.values_list("code", "name"))
    return {fold_head(name): code for code, name in products} | {fold_head(code): code for code, _ in products}


def record_for(rows: Iterable[Row], *, is_locked: bool) -> Record:
    """The customers and dongles that the rows name; `is_locked` locks the dongles' rows until the transaction ends."""
    names, serials = set(), set()
    for row in rows:
        serials.add(row.serial)
        if row.customer:
            names.add(fold_name(row.customer))
    return Record(_customers(names), _dongles(serials, is_locked))


def _customers(names: set[str]) -> dict[str, list[RecordedCustomer]]:
    """By folded name. A spelling that was merged into another customer leads to that one."""
    every = {customer.pk: customer for customer in Customer.objects.order_by("pk").only(*FACTS, "merged_into")}
    found = [(spelling, _standing(spelling, every)) for spelling in every.values() if fold_name(spelling.name) in names]
    emails, contact_names = defaultdict(set), defaultdict(set)
    contacts = Contact.objects.filter(customer__in={customer.pk for _, customer in found})
    for customer_id, name, email in contacts.values_list("customer_id", "name", "email"):
        emails[customer_id].add(email.lower())
        contact_names[customer_id].add(fold_name(name))
    by_name: dict[str, list[RecordedCustomer]] = defaultdict(list)
    for spelling, customer in found:
        by_name[fold_name(spelling.name)].append(
            RecordedCustomer(
                customer.pk,
                customer.name,
                spelling.country,
                customer.currency,
                customer.segment,
                customer.tax_status,
                frozenset(emails[customer.pk]),
                frozenset(contact_names[customer.pk]),
            )
        )
    return by_name


def _standing(customer: Customer, every: Mapping[int, Customer]) -> Customer:
    """The customer into which this one was merged, in however many steps; itself if it was not."""
    while customer.merged_into_id is not None:
        customer = every[customer.merged_into_id]
    return customer


def _dongles(serials: set[str], is_locked: bool) -> dict[str, RecordedDongle]:
    every = Dongle.objects.select_for_update() if is_locked else Dongle.objects.all()
    dongles = list(every.filter(serial__in=serials).order_by("pk"))
    if not dongles:
        return {}
    ids = [dongle.pk for dongle in dongles]
    periods: dict[int, list[tuple[Period, bool]]] = defaultdict(list)
    spans = SmaPeriod.objects.filter(licence__dongle__in=ids)
    for licence_id, starts_on, ends_on, is_cancelled in spans.values_list(
        "licence_id", "starts_on", "ends_on", "is_cancelled"
    ):
        periods[licence_id].append((Period(starts_on, ends_on), is_cancelled))
    licences: dict[int, list[RecordedLicence]] = defaultdict(list)
    facts = ("pk", "product__code", "seats", "acquired_on", "withdrawn_on")
    for dongle_id, pk, product, seats, acquired_on, withdrawn_on in Licence.objects.filter(dongle__in=ids).values_list(
        "dongle_id", *facts
    ):
        its = periods[pk]
        standing = frozenset(period for period, is_cancelled in its if not is_cancelled)
        ever = frozenset(period for period, _ in its)
        licence = RecordedLicence(pk, product, seats, acquired_on, withdrawn_on is not None, ever, standing)
        licences[dongle_id].append(licence)
    return {
        dongle.serial: RecordedDongle(
            dongle.pk,
            dongle.serial,
            dongle.kind,
            dongle.state,
            dongle.customer_id,
            dongle.issued_expiry_on,
            dongle.sequence > 0 or dongle.generation > 0,
            tuple(licences[dongle.pk]),
        )
        for dongle in dongles
    }

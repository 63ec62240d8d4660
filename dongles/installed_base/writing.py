"""Makes what a plan asks for, in bulk: customers, contacts, dongles, licences and periods, with an audit event for each
customer and dongle that is made or gets something. Part of its caller's transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from dongles.installed_base.plans import Key, Plan, PlannedCustomer, PlannedDongle
from dongles.models import Dongle, Licence, Product, SmaPeriod
from portal import audit
from portal.audit import Actor, Deed
from portal.models import Contact, Customer

T = TypeVar("T")
BATCH = 1000


class Made(NamedTuple):
    """How many of each were made, and how many dongles on record got something."""

    customers: int = 0
    contacts: int = 0
    dongles: int = 0
    changed_dongles: int = 0
    licences: int = 0
    periods: int = 0


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def write_plan(plan: Plan, *, source: str, actor: Actor, at: datetime, tell: Callable[[int], None]) -> Made:
    """Make everything that the plan asks for; `source` is the file's name, told to the audit trail. `tell` gets how
    many dongles are written."""
    owners, deeds = _write_customers(plan, source)
    made = Made(
        customers=sum(planned.id is None for planned in plan.customers.values()),
        contacts=sum(len(planned.contacts) for planned in plan.customers.values()),
        dongles=sum(planned.id is None for planned in plan.dongles),
        changed_dongles=sum(planned.id is not None for planned in plan.dongles),
        licences=sum(licence.id is None for planned in plan.dongles for licence in planned.licences),
        periods=sum(len(licence.periods) for planned in plan.dongles for licence in planned.licences),
    )
    products = dict(Product.objects.values_list("code", "pk"))
    for number, batch in enumerate(batches(plan.dongles), 1):
        dongles = _write_dongles(batch, owners)
        _write_licences(batch, dongles, products)
        deeds += [_deed_of_dongle(planned, dongle, source) for planned, dongle in zip(batch, dongles, strict=True)]
        tell(min(number * BATCH, len(plan.dongles)))
    # Last of all: whoever else writes to the trail waits no longer than that takes.
    for some in batches(deeds):
        audit.record(actor, at, *some)
    return made


def _write_customers(plan: Plan, source: str) -> tuple[dict[Key, int], list[Deed]]:
    """The customers that are new, and the contacts of all; their ids by key, and what was done."""
    new = [planned for planned in plan.customers.values() if planned.id is None]
    created = Customer.objects.bulk_create(
        [
            Customer(
                name=planned.name,
                country=planned.country,
                currency=planned.currency,
                segment=planned.segment,
                tax_status=planned.tax_status,
            )
            for planned in new
        ],
        batch_size=BATCH,
    )
    made = iter(created)
    customers: dict[Key, Customer] = {
        key: next(made) if planned.id is None else Customer(pk=planned.id, name=planned.name)
        for key, planned in plan.customers.items()
    }
    Contact.objects.bulk_create(
        [
            Contact(customer=customers[key], name=name, email=email)
            for key, planned in plan.customers.items()
            for name, email in planned.contacts
        ],
        batch_size=BATCH,
    )
    deeds = [_deed_of_customer(planned, customers[key], source) for key, planned in plan.customers.items()]
    return {**plan.owners} | {key: customer.pk for key, customer in customers.items()}, deeds


def _write_dongles(batch: Sequence[PlannedDongle], owners: dict[Key, int]) -> list[Dongle]:
    """The dongles of a batch in its order, made, or given an owner or a date."""
    dongles = [
        Dongle(
            pk=planned.id,
            serial=planned.serial,
            kind=planned.kind,
            customer_id=owners[planned.owner] if planned.owner else None,
            issued_expiry_on=planned.expiry_on,
            confirmed_expiry_on=planned.expiry_on,
        )
        for planned in batch
    ]
    known = [dongle for dongle in dongles if dongle.pk is not None]
    Dongle.objects.bulk_create([dongle for dongle in dongles if dongle.pk is None])
    Dongle.objects.bulk_update([each for each in known if each.customer_id is not None], ["customer"])
    dated = [each for each in known if each.issued_expiry_on is not None]
    Dongle.objects.bulk_update(dated, ["issued_expiry_on", "confirmed_expiry_on"])
    return dongles


def _write_licences(batch: Sequence[PlannedDongle], dongles: Sequence[Dongle], products: Mapping[str, int]) -> None:
    """The licences that are new, in the order of the file, and the periods of all."""
    pairs = [
        (
            Licence(
                pk=licence.id,
                dongle=dongle,
                product_id=products[licence.product],
                seats=licence.seats,
                acquired_on=licence.acquired_on,
            ),
            licence.periods,
        )
        for planned, dongle in zip(batch, dongles, strict=True)
        for licence in planned.licences
    ]
    Licence.objects.bulk_create([licence for licence, _ in pairs if licence.pk is None])
    SmaPeriod.objects.bulk_create(
        SmaPeriod(licence=licence, starts_on=starts_on, ends_on=ends_on, source=SmaPeriod.Source.RECORD)
        for licence, periods in pairs
        for starts_on, ends_on in periods
    )


def _deed_of_customer(planned: PlannedCustomer, customer: Customer, source: str) -> Deed:
    contacts = [f"{name} <{email}>" if email else name for name, email in planned.contacts]
    after: dict[str, Any] = {"contacts": contacts} if contacts else {}
    if planned.id is None:
        after |= {name: getattr(planned, name) for name in ("name", "country", "currency", "segment", "tax_status")}
    return Deed("import", customer, after=after, reason=_place(source, planned.row))


def _deed_of_dongle(planned: PlannedDongle, dongle: Dongle, source: str) -> Deed:
    after: dict[str, Any] = {
        "licences": [
            {
                "product": licence.product,
                "seats": licence.seats,
                "acquired_on": str(licence.acquired_on),
                "periods": [[str(starts_on), str(ends_on)] for starts_on, ends_on in licence.periods],
            }
            for licence in planned.licences
        ]
    }
    if planned.id is None:
        after |= {"serial": planned.serial, "kind": planned.kind}
    if dongle.customer_id is not None:
        after["customer"] = dongle.customer_id
    if planned.expiry_on is not None:
        after["expiry_on"] = str(planned.expiry_on)
    return Deed("import", dongle, after=after, reason=_place(source, planned.row))


def _place(source: str, row: int) -> str:
    return f"{source}, row {row}"

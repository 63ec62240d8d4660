"""Writes the demo into an empty database: in one transaction, in batches, so that memory stays flat."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from dongles.models import Dongle, Licence, Product, ProductFamily, Release, SmaPeriod
from portal import audit
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Customer, User
from renewals.demo import history
from renewals.demo.activity import act_out, opening_of
from renewals.demo.books import close_months, keep_books
from renewals.demo.builds import shelve_demo_files
from renewals.demo.catalogue import insert_catalogue, months_from
from renewals.demo.crowd import demo_dongles
from renewals.demo.customers import CUSTOMERS, insert_customers, insert_users, logins
from renewals.demo.rates import enter_rates
from renewals.demo.situations import SITUATIONS, DemoDongle
from renewals.models import PolicySettings, PriceList, TaxRate

DEFAULT_DONGLES = 120
BATCH = 2000
DONGLES_PER_FURTHER_CUSTOMER = 25
BUILDER = Actor("manage.py demo")
ON_RECORD_FOR = history.MONTHS + 1  # so many months before the demo's day what is in it came on record


def check_not_production() -> None:
    """Refuse (`demo_in_production`): the demo's passwords are published."""
    if settings.PRODUCTION:
        raise DomainError("demo_in_production", "Demo data has published passwords and is refused in production.")


def is_there() -> bool:
    """Whether the demo is in the database already."""
    return (
        Dongle.objects.filter(serial=SITUATIONS[0].serial).exists()
        and User.objects.filter(email=logins()[0].email).exists()
    )


@transaction.atomic
def build_demo(
    *,
    on: date,
    dongles: int = DEFAULT_DONGLES,
    months: int = history.MONTHS,
    tell: Callable[[int], None] = lambda written: None,
) -> None:
    """Write the demo as of that day with so many dongles and a history of so many months (none at all with 0).

    `tell` hears how many dongles are written.

    Refuses `demo_in_production`, `too_few_dongles` (the situations take some), `history_out_of_range` and
    `database_not_empty`.
    """
    check_not_production()
    if dongles < len(SITUATIONS):
        raise DomainError("too_few_dongles", f"The demo has at least {len(SITUATIONS)} dongles, one a situation.")
    if not 0 <= months <= history.MONTHS:
        raise DomainError("history_out_of_range", f"The demo has a history of 0 to {history.MONTHS} months.")
    _check_empty()
    at = opening_of(months_from(on, -ON_RECORD_FOR))
    users = insert_users()
    _record_rows(at, users.values(), insert_catalogue(on))
    further = max(0, dongles - DEFAULT_DONGLES) // DONGLES_PER_FURTHER_CUSTOMER
    customers = insert_customers(len(CUSTOMERS) + further, users)
    _record_rows(at, customers)
    written = 0
    planned = demo_dongles(on, dongles, len(customers))
    situated = list(islice(planned, len(SITUATIONS)))
    past = history.past_of(list(islice(planned, history.TAKES_PART)), on, months)
    for batch in _batches(chain(situated, past.dongles, planned)):
        _insert_dongles(batch, customers, at)
        written += len(batch)
        tell(written)
    history.retell(on, users, past.sales)
    act_out(on, users)
    enter_rates(on, ON_RECORD_FOR, users["finance"])
    keep_books(on, users)
    close_months(on, users["finance"])
    published = Release.objects.filter(is_published=True).select_related("family")
    shelve_demo_files(published.order_by("pk"), actor=BUILDER, at=opening_of(on))


def _check_empty() -> None:
    kept = (Customer, ProductFamily, Dongle, PriceList, PolicySettings, TaxRate)
    found = [str(model._meta.verbose_name_plural) for model in kept if model._default_manager.exists()]
    if User.objects.filter(email__in=[login.email for login in logins()]).exists():
        found.append("demo users")
    if found:
        raise DomainError(
            "database_not_empty",
            f"This database holds {', '.join(found)} already. Demo data goes into an empty one; nothing is deleted.",
            {"found": found},
        )


def _batches(dongles: Iterator[DemoDongle]) -> Iterator[Sequence[DemoDongle]]:
    while batch := list(islice(dongles, BATCH)):
        yield batch


def _record_rows(at: datetime, *groups: Iterable[Model]) -> None:
    """Leave an audit event for each row, saying what it is."""
    audit.record(BUILDER, at, *(Deed("create", row, after={"is": str(row)}) for rows in groups for row in rows))


def _insert_dongles(batch: Sequence[DemoDongle], customers: Sequence[Customer], at: datetime) -> None:
    """Write a batch with few bulk inserts; the audit event of a dongle says its licences too."""
    products: dict[str, Any] = {product.code: product for product in Product.objects.all()}
    dongles = Dongle.objects.bulk_create(
        Dongle(
            serial=each.serial,
            kind=each.kind,
            state=each.state,
            customer=None if each.customer is None else customers[each.customer],
            issued_expiry_on=each.expiry_on,
            confirmed_expiry_on=each.expiry_on,
        )
        for each in batch
    )
    planned = [(dongle, each) for dongle, spec in zip(dongles, batch, strict=True) for each in spec.licences]
    written = Licence.objects.bulk_create(
        Licence(
            dongle=dongle,
            product=products[each.product],
            seats=each.seats,
            acquired_on=each.acquired_on,
            withdrawn_on=each.withdrawn_on,
            withdrawal_reason="Not used any more" if each.withdrawn_on else "",
        )
        for dongle, each in planned
    )
    SmaPeriod.objects.bulk_create(
        SmaPeriod(licence=licence, starts_on=starts_on, ends_on=ends_on, source=SmaPeriod.Source.RECORD)
        for licence, (_, each) in zip(written, planned, strict=True)
        for starts_on, ends_on in each.periods
    )
    audit.record(
        BUILDER,
        at,
        *(
            Deed(
                "create",
                dongle,
                after={
                    "customer": str(dongle.customer or ""),
                    "expiry_on": str(dongle.issued_expiry_on or ""),
                    "licences": [products[licence.product].name for licence in each.licences],
                },
            )
            for dongle, each in zip(dongles, batch, strict=True)
        ),
    )

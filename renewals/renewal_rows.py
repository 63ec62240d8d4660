"""Figures of renewals (rule F5) as rows of the database: what the rules say of the facts of dongles and customers.

The service writes these rows (renewals/services/renewal_figures.py), the invariant compares with them. The columns of a
row are the fields of its tuple.
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from renewals.models import CustomerCohort, CustomerRetention, DueDongle
from renewals.renewal_facts import KnownCustomer, customer_facts, dongle_facts, known_customers
from renewals.retention import Cohort, Due, cohort_of, due_dongle, retention_changes


class DueRow(NamedTuple):
    """A row of renewals.models.DueDongle."""

    first_dongle_id: int
    due_on: date
    family_id: int | None
    product_id: int | None
    country: str
    customer_segment: str
    currency: str
    dongle_id: int
    customer_id: int
    grace_ends_on: date
    outcome: str
    order_id: int | None
    covered_again_on: date | None
    is_valued: bool
    old_value: int
    new_value: int
    kept_value: int


class RetentionRow(NamedTuple):
    """A row of renewals.models.CustomerRetention."""

    customer_id: int
    family_id: int | None
    product_id: int | None
    country: str
    customer_segment: str
    currency: str
    month: date
    value: int
    then: int
    kept: int
    now: int
    lost: int
    customers_then: int
    customers_kept: int


class CohortRow(NamedTuple):
    """A row of renewals.models.CustomerCohort."""

    customer_id: int
    family_id: int | None
    product_id: int | None
    country: str
    customer_segment: str
    currency: str
    first_year: int
    year: int
    customers: int
    value: int


class Table(NamedTuple):
    """A table of rows, with the column of the dongle or customer that a row is of."""

    name: str
    columns: tuple[str, ...]
    owner: str


DUE = Table(DueDongle._meta.db_table, DueRow._fields, "first_dongle_id")
RETENTION = Table(CustomerRetention._meta.db_table, RetentionRow._fields, "customer_id")
COHORTS = Table(CustomerCohort._meta.db_table, CohortRow._fields, "customer_id")


def due_rows(firsts: Collection[int]) -> Iterator[DueRow]:
    """What was or will be due of the lines of dongles that begin with these (ids)."""
    facts = dongle_facts(firsts)
    due = {first: due_dongle(each.chain) for first, each in facts.items()}
    known = known_customers({each.customer for found in due.values() for each in found})
    for first, found in due.items():
        for each in found:
            yield from _rows_of(first, facts[first].dongle, each, known[each.customer])


def _rows_of(first: int, dongle: int, due: Due, customer: KnownCustomer) -> Iterator[DueRow]:
    for share in due.shares:
        yield DueRow(
            first,
            due.due_on,
            *share.scope,
            customer.country,
            customer.segment,
            due.currency or customer.currency,
            dongle,
            customer.pk,
            due.grace_ends_on,
            due.outcome or "",
            due.order,
            due.covered_again_on,
            due.is_valued,
            share.old,
            share.new,
            share.kept,
        )


class CustomerRows(NamedTuple):
    """The rows of some customers."""

    retention: list[RetentionRow]
    cohorts: list[CohortRow]


def customer_rows(customers: Collection[int]) -> CustomerRows:
    """What these customers (ids) keep; those that were merged into another have nothing of their own."""
    known = {pk: each for pk, each in known_customers(customers).items() if each.pk == pk}
    retention: list[RetentionRow] = []
    cohorts: list[CohortRow] = []
    for pk, facts in customer_facts(known).items():
        customer = known[pk]
        for change in retention_changes(facts.lines):
            retention.append(
                RetentionRow(
                    pk, *change.scope, customer.country, customer.segment, change.currency, change.month, *change.by
                )
            )
        for cohort in cohort_of(facts.held, facts.lines):
            cohorts += _rows_of_cohort(customer, cohort)
    return CustomerRows(retention, cohorts)


def _rows_of_cohort(customer: KnownCustomer, cohort: Cohort) -> Iterator[CohortRow]:
    """A row for each currency in which there is a value; the customer itself counts in the one that it has now."""
    values = dict(cohort.values)
    if cohort.is_covered:
        values.setdefault(customer.currency, 0)
    for currency, value in sorted(values.items()):
        yield CohortRow(
            customer.pk,
            *cohort.scope,
            customer.country,
            customer.segment,
            currency,
            cohort.first_year,
            cohort.year,
            int(cohort.is_covered and currency == customer.currency),
            value,
        )

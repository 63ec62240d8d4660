"""The figures that reports are made of, from the sums; those of one customer from its segments, by the same formula.

What each figure means is said by renewals.models.MonthFigures. Amounts are minor units, months their first day.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model

from dongles.models import Product
from portal.models import Customer
from renewals.models import BookingTotals
from renewals.monthly import figures_of_segments
from renewals.overviews.finance import conversion
from renewals.overviews.finance.filters import REPORTING, ReportFilters

FLOWS = ("booked", "credited", "recognised", "caught_up")
MONTHLY = (*FLOWS, "current", "annual")
BY_BOOKING = ("recognised", "caught_up")
MONTHLY_TABLE, BOOKING_TABLE, TOTALS_TABLE = (
    "renewals_monthfigures",
    "renewals_bookingfigures",
    "renewals_bookingtotals",
)
NARROWING = ("family", "product", "customer", "country", "segment")
TOTALLED = frozenset({"month", "booked_month", "currency"})  # what BookingTotals are told apart by
DIMENSIONS = frozenset({"month", "booked_month", "product_id", "country", "customer_segment", "currency"})

Sums = dict[tuple[Any, ...], dict[str, int]]

VALUES = """
WITH RECURSIVE found (value) AS (
    (SELECT {name} FROM {table} ORDER BY {name} LIMIT 1)
    UNION ALL
    SELECT (SELECT {name} FROM {table} WHERE {name} > value ORDER BY {name} LIMIT 1) FROM found WHERE value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL"""


def currencies_of(filters: ReportFilters) -> list[str]:
    """The currencies in which anything was ever sold, or the one that is asked for.

    The reporting currency alone where everything is to be converted into it: all figures then are, whatever their own.
    """
    if filters.currency == REPORTING:
        return [settings.REPORTING_CURRENCY]
    if filters.currency:
        return [filters.currency]
    return values_of(BookingTotals, "currency")


def values_of(model: type[Model], column: str) -> list[str]:
    """The values that a column has, in order: one step in its index from each to the next, however many rows there are.

    PostgreSQL would read all rows for DISTINCT.
    """
    table, name = map(connection.ops.quote_name, (model._meta.db_table, column))
    with connection.cursor() as cursor:
        cursor.execute(VALUES.format(table=table, name=name))
        return [value for (value,) in cursor.fetchall()]


def month_figures(
    filters: ReportFilters,
    currency: str,
    by: Sequence[str] = ("month",),
    *,
    figures: Sequence[str] = MONTHLY,
    first_month: date | None = None,
    last_month: date | None = None,
) -> Sums:
    """The sums of a currency's months, by the named dimensions: key → figure → minor units.

    The months are those of the filters unless others are named.
    """
    months = (first_month or filters.first_month, last_month or filters.last_month)
    if filters.currency == REPORTING:
        return conversion.month_figures(_to_convert(filters), months, by, figures)
    return _read(MONTHLY_TABLE, figures, filters, currency, by, months)


def booking_figures(
    filters: ReportFilters,
    currency: str,
    by: Sequence[str] = ("booked_month", "month"),
    *,
    first_month: date | None = None,
    last_month: date | None = None,
) -> Sums:
    """What is earned in these months, by the month in which it was booked, too."""
    months = (first_month or filters.first_month, last_month or filters.last_month)
    if filters.currency == REPORTING:
        return conversion.booking_figures(_to_convert(filters), months, by)
    is_total = TOTALLED.issuperset(by) and not any(getattr(filters, name) for name in NARROWING)
    table = TOTALS_TABLE if is_total else BOOKING_TABLE
    return _read(table, BY_BOOKING, filters, currency, by, months)


def deferred_at(filters: ReportFilters, currency: str, month: date) -> int:
    """What is deferred at the end of a month: everything booked by then less everything recognised by then (F1)."""
    if filters.currency == REPORTING:
        return conversion.deferred_at(_to_convert(filters), month)
    sums = month_figures(filters, currency, (), figures=FLOWS, first_month=date.min, last_month=month)
    return deferred_by(sums.get((), {}))


def deferred_by(flows: Mapping[str, int]) -> int:
    """What these flows add to what is deferred."""
    return sum(flows.get(name, 0) for name in ("booked", "credited")) - sum(
        flows.get(name, 0) for name in ("recognised", "caught_up")
    )


def _read(
    table: str,
    figures: Sequence[str],
    filters: ReportFilters,
    currency: str,
    by: Sequence[str],
    months: tuple[date, date],
) -> Sums:
    assert DIMENSIONS.issuperset(by), "dimensions are named by the code"
    assert set(figures) <= set(MONTHLY), "figures too"
    where, values = _conditions(filters, currency, months)
    source = table if filters.customer is None else f"({_of_customer()}) figures"
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in figures)
    key = ", ".join(by)
    statement = f"SELECT {key + ', ' if by else ''}{sums} FROM {source} WHERE {where}"  # noqa: S608 - names of the code
    if by:
        statement += f" GROUP BY {key} ORDER BY {key}"
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    return {tuple(row[: len(by)]): dict(zip(figures, row[len(by) :], strict=True)) for row in rows}


def _conditions(filters: ReportFilters, currency: str, months: tuple[date, date]) -> tuple[str, dict[str, Any]]:
    said = ["month BETWEEN %(first_month)s AND %(last_month)s", "currency = %(currency)s"]
    values: dict[str, Any] = {"first_month": months[0], "last_month": months[1], "currency": currency}
    of_place, values_of_place = _place(filters)
    return " AND ".join([*said, *of_place]), {**values, **values_of_place}


def _place(filters: ReportFilters) -> tuple[list[str], dict[str, Any]]:
    """The conditions on product, country and segment, and whose the figures are."""
    said: list[str] = []
    values: dict[str, Any] = {}
    if filters.customer is not None:
        values["customers"] = customer_ids(filters.customer)
    for name, column in (("country", "country"), ("segment", "customer_segment")):
        if getattr(filters, name):
            said.append(f"{column} = %({name})s")
            values[name] = getattr(filters, name)
    if (products := product_ids(filters)) is not None:
        said.append("product_id = ANY (%(products)s)")
        values["products"] = list(products)
    return said, values


def _to_convert(filters: ReportFilters) -> conversion.Source:
    said, values = _place(filters)
    if filters.customer is None:
        return conversion.Source(BOOKING_TABLE, MONTHLY_TABLE, " AND ".join(said), values)
    return conversion.Source(
        f"({_summed('booked_month, month', BY_BOOKING)})", f"({_summed('month', MONTHLY)})", " AND ".join(said), values
    )


def _summed(months: str, figures: Sequence[str]) -> str:
    """The figures of a customer, added up as the sums of all customers are."""
    place = f"{months}, product_id, country, customer_segment, currency"
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in figures)
    return f"SELECT {place}, {sums} FROM ({_of_customer()}) each_segment GROUP BY {place}"  # noqa: S608 - of constants


def _of_customer() -> str:
    return figures_of_segments(
        "(SELECT * FROM renewals_revenuesegment WHERE customer_id = ANY (%(customers)s)) segment"
    )


def product_ids(filters: ReportFilters) -> Iterable[int] | None:
    """The products that the filters let through, by id; none where they let all."""
    if filters.product is not None:
        return [filters.product]
    if filters.family is not None:
        return list(Product.objects.filter(family=filters.family).values_list("pk", flat=True))
    return None


def customer_ids(customer: int) -> list[int]:
    """A customer and those that were merged into it, however long ago: what was sold stays with who bought it."""
    found, newest = {customer}, {customer}
    while newest:
        newest = set(Customer.objects.filter(merged_into__in=newest).values_list("pk", flat=True)) - found
        found |= newest
    return sorted(found)

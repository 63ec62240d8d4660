"""The subledger of a closed month: every segment that makes it up, with what it came to (F1, F2)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Func, Q, QuerySet, Value

from portal.sheets import Amount, Cell, Column
from renewals.calendar import last_day
from renewals.models import MonthClose, RevenueSegment
from renewals.models.orders import order_number

COLUMNS = (
    *(Column("segment", 10), Column("order", 12), Column("kind", 16), Column("customer", 36), Column("product", 32)),
    *(Column("country", 10), Column("customer segment", 14), Column("currency", 10), Column("booked month", 12)),
    *(Column("reason", 12), Column("first day", 12), Column("last day", 12), Column("amount", 16)),
    *(Column("deferred before", 16), Column("booked", 16), Column("credited", 16), Column("recognised", 16)),
    *(Column("caught up", 16), Column("deferred after", 16)),
)
FETCHED = 2000  # rows that are in memory at a time


def detail_rows(close: MonthClose) -> Iterator[list[Cell]]:
    """The segments of a month as it was closed, in the order of their ids: those booked in it, and those booked earlier
    of which something was still deferred.

    Summed up they are what the closes of the month posted. They are read through a cursor of the database, so that
    memory stays flat however many there are.
    """
    with transaction.atomic():  # the cursor lives as long as the transaction, without its rows being stored first
        for row in _segments(close).iterator(chunk_size=FETCHED):
            yield _cells(close.month_id, *row)


def _cells(
    month: date,
    pk: int,
    order: int,
    kind: str | None,
    customer: str,
    product: str,
    country: str,
    segment: str,
    currency: str,
    booked_month: date,
    reason: str,
    starts_on: date,
    ends_on: date,
    amount: int,
    before: int,
    through: int,
) -> list[Cell]:
    is_new, is_sale = booked_month == month, reason == RevenueSegment.Reason.SALE
    amounts = (
        amount,
        0 if is_new else amount - before,
        amount if is_new and is_sale else 0,
        amount if is_new and not is_sale else 0,
        through - before,
        before if is_new else 0,
        amount - through,
    )
    return [
        *(pk, order_number(order), kind, customer, product, country, segment, currency),
        *(f"{booked_month:%Y-%m}", reason, starts_on, ends_on),
        *(Amount(each, currency) for each in amounts),
    ]


def _segments(close: MonthClose) -> "QuerySet[Any]":
    """A segment that was booked after the close has a higher id than all in it: who books waits for who closes."""
    month = close.month_id
    return (
        RevenueSegment.objects.filter(booked_month__lte=month, pk__lte=close.last_segment_id)
        .filter(Q(booked_month=month) | Q(ends_on__gte=month))
        .annotate(
            before=_recognised_through(month - timedelta(days=1)),
            through=_recognised_through(last_day(month)),
        )
        .order_by("pk")
        .values_list(
            *("pk", "order_line__order_id", "order_line__quote_line__kind", "customer__name", "product__name"),
            *("country", "customer_segment", "currency", "booked_month", "reason", "starts_on", "ends_on", "amount"),
            *("before", "through"),
        )
    )


def _recognised_through(day: date) -> Func:
    names = ("basis_amount", "basis_starts_on", "starts_on", "ends_on")
    return Func(
        *map(F, names),
        Value(day, models.DateField()),
        function="recognised_through",
        output_field=models.BigIntegerField(),
    )

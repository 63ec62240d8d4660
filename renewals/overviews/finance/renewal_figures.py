"""The figures that reports of renewals are made of, from the sums (rule F5); those of one customer from its rows.

What the sums hold is said by renewals.models.DueFigures and RetentionChange. What is due and not renewed is lost or
open by the day that it is asked on: of days near enough for either, the dongles that are open are counted. Amounts are
minor units, months their first day.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from portal.sheets import Rate
from renewals.calendar import last_day
from renewals.models import (
    CohortFigures,
    CustomerCohort,
    CustomerRetention,
    DueDongle,
    DueFigures,
    OutdatedRenewal,
    RetentionFigures,
)
from renewals.overviews.finance.filters import ReportFilters
from renewals.renewal_facts import known_customers
from renewals.retention import Outcome, Retention

LONGEST_GRACE = timedelta(days=90)  # that a policy may grant (C4)


class DueSums(NamedTuple):
    """Of dongles that were due: how many, what came of them as of a day, and their annual values (F5).

    Values are those of the `valued` alone, whose value is known. `kept_value` is Σ min(new, old) of those renewed in
    time, `renewed_value` what they are worth anew.
    """

    due: int = 0
    renewed: int = 0
    won_back: int = 0
    valued: int = 0
    due_value: int = 0
    kept_value: int = 0
    renewed_value: int = 0
    won_back_value: int = 0
    unrenewed_value: int = 0
    open: int = 0
    open_value: int = 0

    @property
    def lost(self) -> int:
        return self.due - self.renewed - self.won_back - self.open

    @property
    def lost_value(self) -> int:
        return self.unrenewed_value - self.open_value

    @property
    def rate(self) -> Rate:
        """F5: by count, renewed in time ÷ due."""
        return Rate(self.renewed, self.due)

    @property
    def rate_by_value(self) -> Rate:
        """F5: by value, Σ min(new, old annual value) ÷ Σ old annual value due."""
        return Rate(self.kept_value, self.due_value)

    def plus(self, other: "DueSums") -> "DueSums":
        return DueSums(*(one + another for one, another in zip(self, other, strict=True)))


COUNTED = DueSums._fields[:-2]  # what does not depend on the day
NOTHING = DueSums()


class RenewalRate(NamedTuple):
    """F5: the rates of months that are over, by count and by value, with what they are made of."""

    by_count: Rate
    by_value: Rate
    sums: DueSums
    unfinished: int  # months left out, since something due in them is open yet


def renewal_rate(filters: ReportFilters, currency: str, today: date) -> RenewalRate:
    """The rates of all months asked for together, without those that are not over on the day."""
    total, unfinished = NOTHING, 0
    for month, sums in due_by_month(filters, currency, today).items():
        if is_over(month, sums, today):
            total = total.plus(sums)
        else:
            unfinished += 1
    return RenewalRate(total.rate, total.rate_by_value, total, unfinished)


def is_over(month: date, sums: DueSums, today: date) -> bool:
    """Whether a month's rates are final: it is over, and so is the grace of everything due in it."""
    return last_day(month) < today and not sums.open


def waiting() -> int:
    """How many changes the figures lack yet."""
    return OutdatedRenewal.objects.count()


def currencies() -> list[str]:
    """The currencies in which anything was due or sold."""
    found: set[str] = set()
    for model in (DueFigures, RetentionFigures):
        rows = model._default_manager.filter(family=None, product=None).order_by()
        found |= set(rows.values_list("currency", flat=True).distinct())
    return sorted(found)


def due_by_month(filters: ReportFilters, currency: str, today: date) -> dict[date, DueSums]:
    """What was due in each of the months asked for; all of them are there."""
    found = _due(filters, currency, today, "month")
    return {month: found.get(month, NOTHING) for month in filters.months()}


def due_by_product(filters: ReportFilters, currency: str, today: date) -> dict[int, DueSums]:
    """What was due in the months asked for, by product (id). A dongle counts with each product that it has."""
    return _due(filters, currency, today, "product")


def due_by_customer(filters: ReportFilters, currency: str, today: date, most: int) -> dict[int, DueSums]:
    """What was due in the months asked for from those customers (ids) that lost the most by value, so many at most."""
    lost = due_dongles(filters, currency).filter(outcome="", grace_ends_on__lt=today)
    worst = lost.order_by().values("customer").annotate(value=Sum("old_value"), count=Count("*"))
    chosen = [row["customer"] for row in worst.order_by("-value", "-count", "customer")[:most]]
    rows = due_dongles(filters, currency).filter(customer__in=chosen)
    found = _of_rows(rows, "customer", today)
    return {customer: found[customer] for customer in chosen}


def _due(filters: ReportFilters, currency: str, today: date, by: str) -> dict[Any, DueSums]:
    rows = due_dongles(filters, currency, by_product=by == "product")
    if by == "month":
        rows = rows.annotate(month=TruncMonth("due_on"))
    if filters.customer is not None:
        return _of_rows(rows, by, today)
    summed = DueFigures.objects.filter(month__range=(filters.first_month, filters.last_month))
    summed = _scoped(summed, filters, currency, by_product=by == "product")
    sums = {f"sum_{name}": Sum(name) for name in COUNTED}
    return _with_open(summed.order_by().values(by).annotate(**sums), rows, by, today)


def _of_rows(rows: QuerySet[DueDongle], by: str, today: date) -> dict[Any, DueSums]:
    sums = {
        "due": Count("pk"),
        "renewed": Count("pk", filter=Q(outcome=Outcome.RENEWED)),
        "won_back": Count("pk", filter=Q(outcome=Outcome.WON_BACK)),
        "valued": Count("pk", filter=Q(is_valued=True)),
        "due_value": Sum("old_value"),
        "kept_value": Sum("kept_value"),
        "renewed_value": Sum("new_value", filter=Q(outcome=Outcome.RENEWED)),
        "won_back_value": Sum("new_value", filter=Q(outcome=Outcome.WON_BACK)),
        "unrenewed_value": Sum("old_value", filter=Q(outcome="")),
    }
    summed = rows.order_by().values(by).annotate(**{f"sum_{name}": amount for name, amount in sums.items()})
    return _with_open(summed, rows, by, today)


def _with_open(summed: Any, rows: QuerySet[DueDongle], by: str, today: date) -> dict[Any, DueSums]:
    still = rows.filter(outcome="", grace_ends_on__gte=today, due_on__gte=today - LONGEST_GRACE).order_by()
    opened = {
        row[by]: {"open": row["open"], "open_value": row["open_value"]}
        for row in still.values(by).annotate(open=Count("*"), open_value=Sum("old_value"))
    }
    return {
        row[by]: DueSums(*(row[f"sum_{name}"] or 0 for name in COUNTED))._replace(**opened.get(row[by], {}))
        for row in summed
    }


def due_dongles(filters: ReportFilters, currency: str, *, by_product: bool = False) -> QuerySet[DueDongle]:
    """The dongles that were due in the months asked for."""
    days = (filters.first_month, last_day(filters.last_month))
    return _scoped(DueDongle.objects.filter(due_on__range=days), filters, currency, by_product=by_product)


def retention_by_month(filters: ReportFilters, currency: str, today: date) -> dict[date, Retention]:
    """F5: what was kept at the end of each of the months asked for that are over, against twelve months before."""
    source: Any = RetentionFigures.objects if filters.customer is None else CustomerRetention.objects
    rows = _scoped(source.filter(month__lte=filters.last_month), filters, currency).order_by("month")
    sums = {f"sum_{name}": Sum(name) for name in Retention._fields}
    found: dict[date, Retention] = {}
    total, changes = Retention(), list(rows.values("month").annotate(**sums))
    for month in filters.months():
        while changes and changes[0]["month"] <= month:
            change = changes.pop(0)
            total = total.plus(Retention(*(change[f"sum_{name}"] for name in Retention._fields)))
        if last_day(month) < today:
            found[month] = total
    return found


def kept_by_customer(filters: ReportFilters, currency: str, month: date) -> QuerySet[Any]:
    """F5: of each customer that had an annual value twelve months before a month's end what it has then, the greatest
    loss first."""
    rows = _scoped(CustomerRetention.objects.filter(month__lte=month), filters, currency).order_by()
    sums = {f"sum_{name}": Sum(name) for name in ("then", "kept", "now", "lost")}
    kept = rows.values("customer").annotate(**sums).filter(sum_then__gt=0)
    ordered: QuerySet[Any] = kept.order_by(F("sum_kept") - F("sum_then"), "customer")
    return ordered


def customers_compared(filters: ReportFilters, currency: str, month: date) -> int:
    """How many customers `kept_by_customer` has, from the sums."""
    source: Any = RetentionFigures.objects if filters.customer is None else CustomerRetention.objects
    rows = _scoped(source.filter(month__lte=month), filters, currency)
    return int(rows.aggregate(compared=Sum("customers_then"))["compared"] or 0)


class CohortSums(NamedTuple):
    """How many customers are covered at a year's end, and their annual value."""

    customers: int
    value: int


def cohorts(filters: ReportFilters, currency: str, last_year: int) -> Mapping[tuple[int, int], CohortSums]:
    """F5: by first year and later year what is left of the customers whose first SMA began in the first."""
    source: Any = CohortFigures.objects if filters.customer is None else CustomerCohort.objects
    rows = _scoped(source.filter(year__lte=last_year), filters, currency).order_by()
    summed = rows.values("first_year", "year").annotate(sum_customers=Sum("customers"), sum_value=Sum("value"))
    return {
        (row["first_year"], row["year"]): CohortSums(row["sum_customers"], row["sum_value"])
        for row in summed.order_by("first_year", "year")
    }


def _scoped(rows: QuerySet[Any], filters: ReportFilters, currency: str, *, by_product: bool = False) -> QuerySet[Any]:
    """Rows of what is asked for: of everything, of a family or of a product; or of each product by itself. Without a
    currency they are of all."""
    if by_product:
        rows = rows.filter(product__isnull=False)
        rows = rows if filters.family is None else rows.filter(family=filters.family)
        rows = rows if filters.product is None else rows.filter(product=filters.product)
    elif filters.product is not None:
        rows = rows.filter(product=filters.product)
    else:
        rows = rows.filter(family=filters.family, product=None)
    if filters.country:
        rows = rows.filter(country=filters.country)
    if filters.segment:
        rows = rows.filter(customer_segment=filters.segment)
    if filters.customer is not None:
        kept = known_customers([filters.customer]).values()
        rows = rows.filter(customer__in=[each.pk for each in kept])
    return rows.filter(currency=currency) if currency else rows

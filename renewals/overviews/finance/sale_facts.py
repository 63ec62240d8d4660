"""What was noted of sold lines, added up for reports, and the lines themselves (renewals.models.SaleFact)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Count, QuerySet, Sum

from dongles.models import Product
from portal.sheets import Amount
from renewals.models import SaleFact
from renewals.overviews.finance import conversion
from renewals.overviews.finance.figures import customer_ids, product_ids
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.reports import Figure
from renewals.pricing.rounding import round_half_up

LINES = "/finance/sold-lines/"
NOBODY = "nobody"


class FactSum(NamedTuple):
    """The facts of one kind of a month, a product and who approved them: how many lines, days or months, and amount."""

    month: date
    product_id: int
    approved_by_id: int | None
    kind: str
    lines: int
    number: int
    amount: int


class Total(NamedTuple):
    """What facts add up to."""

    lines: int = 0
    number: int = 0
    amount: int = 0


Totals = Mapping[str, Total]  # by kind


def facts_of(filters: ReportFilters, currency: str, kinds: Collection[str]) -> QuerySet[SaleFact]:
    """The facts of these kinds that the filters ask for; of all currencies where they are to be converted."""
    found = SaleFact.objects.filter(month__range=(filters.first_month, filters.last_month), kind__in=kinds)
    if filters.currency != REPORTING:
        found = found.filter(currency=currency)
    if filters.country:
        found = found.filter(country=filters.country)
    if filters.segment:
        found = found.filter(customer_segment=filters.segment)
    if filters.customer is not None:
        found = found.filter(customer__in=customer_ids(filters.customer))
    if (products := product_ids(filters)) is not None:
        found = found.filter(product__in=products)
    return found


def fact_sums(filters: ReportFilters, currency: str, kinds: Collection[str]) -> list[FactSum]:
    """The facts added up. In the reporting currency each sum takes the rate of its month (`rates_missing`)."""
    named = ("month", "product_id", "approved_by_id", "kind")
    rows = facts_of(filters, currency, kinds).order_by().values_list("currency", *named)
    sums = [
        (code, FactSum(month, product, approved_by, kind, lines, number, amount))
        for code, month, product, approved_by, kind, lines, number, amount in rows.annotate(
            Count("pk"), Sum("number"), Sum("amount")
        )
    ]
    if filters.currency != REPORTING:
        return [each for _, each in sums]
    factors = conversion.factors_for({(code, each.month) for code, each in sums if each.amount})
    return [
        each._replace(amount=round_half_up(each.amount * factor.numerator, factor.denominator))
        for code, each in sums
        for factor in [factors.get((code, each.month), conversion.ONE)]
    ]


def totals_by(sums: Iterable[FactSum], key: Callable[[FactSum], object]) -> dict[object, dict[str, Total]]:
    """The sums added up by a key, and by kind."""
    found: dict[object, dict[str, Total]] = defaultdict(lambda: defaultdict(Total))
    for each in sums:
        before = found[key(each)][each.kind]
        found[key(each)][each.kind] = Total(
            before.lines + each.lines, before.number + each.number, before.amount + each.amount
        )
    return found


def product_names(sums: Sequence[FactSum]) -> dict[int, str]:
    """The names of the products in the sums, in their order."""
    products = Product.objects.filter(pk__in={each.product_id for each in sums}).order_by("name", "pk")
    return dict(products.values_list("pk", "name"))


class Opener(NamedTuple):
    """Makes figures that open their lines: the filters, the currency, and what the row adds to them."""

    filters: ReportFilters
    currency: str
    others: Mapping[str, object]

    def counted(self, number: int, *kinds: str) -> Figure:
        return Figure(number, self._address(kinds) if number else "")

    def amount(self, amount: int, *kinds: str) -> Figure:
        return Figure(Amount(amount, self.currency), self._address(kinds) if amount else "")

    def _address(self, kinds: Sequence[str]) -> str:
        said = {"currency": self.filters.currency or self.currency, **self.others}
        return f"{LINES}?{self.filters.query(kind='.'.join(kinds), **said)}"


class Asked(NamedTuple):
    """Facts, the newest first, and what they add up to by currency."""

    facts: QuerySet[SaleFact]
    totals: Sequence[tuple[str, Total]]


def kinds_named(text: str) -> list[SaleFact.Kind]:
    """The kinds that an address names, between points; all where it names none that there is."""
    named = set(text.split("."))
    return [kind for kind in SaleFact.Kind if kind.value in named] or list(SaleFact.Kind)


def facts_asked(filters: ReportFilters, kinds: Sequence[SaleFact.Kind], approved_by: str) -> Asked:
    """The facts behind a figure; `approved_by` is a user's number, “nobody”, or nothing where it does not matter."""
    currency, named = filters.currency, [kind.value for kind in kinds]
    if currency:
        found = facts_of(filters, currency, named)
    else:  # as they are, each in its own
        found = facts_of(filters._replace(currency=REPORTING), "", named)
    if approved_by == NOBODY:
        found = found.filter(approved_by=None)
    elif approved_by.isdecimal() and len(approved_by) < 19:
        found = found.filter(approved_by=int(approved_by))
    sums = found.order_by("currency").values_list("currency").annotate(Count("pk"), Sum("number"), Sum("amount"))
    rows = found.select_related("order", "product", "customer", "approved_by", "order_line__quote_line")
    return Asked(rows.order_by("-month", "-pk"), [(currency, Total(*total)) for currency, *total in sums])

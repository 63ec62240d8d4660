"""Recognised revenue by month and by what was sold, by country and by segment, beside the year before (F2, F5)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from dongles.models import Product
from portal.models import Customer
from portal.sheets import Amount
from portal.wording import country_name, write_money
from renewals.calendar import following
from renewals.charts import ChartSpec
from renewals.overviews.finance import figures
from renewals.overviews.finance.addresses import lines_of
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import (
    Chart,
    Column,
    Definition,
    Figure,
    Report,
    ReportKind,
    Row,
    Section,
    Table,
)

EARNED = ("recognised", "caught_up")
COMPARED = (
    Column("Caught up", 16, "amount"),
    Column("Total", 16, "amount"),
    Column("A year before", 16, "amount"),
    Column("Change", 16, "amount"),
)
DEFINITIONS = (
    Definition(
        "Recognised",
        "What is earned in the month: SMA by day over its period, an upgrade or a licence when its unlock code is"
        " issued, fees and back pay when the order is fulfilled.",
        "F2–F4",
    ),
    Definition(
        "Caught up",
        "What belongs to earlier months by date and was booked after them: it is earned in the month of booking, since"
        " a closed month never changes. Credits that reach back are caught up with the opposite sign.",
        "F1",
    ),
    Definition("A year before", "The total of the same month a year before, catch-up included.", "F5"),
)


class Part(NamedTuple):
    """What recognised revenue is told apart by: a family or a product; its name and the filter that it is."""

    name: str
    filter: str
    key: int


Sums = Mapping[tuple[Any, ...], Mapping[str, int]]


def read_report(filters: ReportFilters, today: date) -> Report:
    """Recognised revenue of the months asked for, a section for each currency."""
    parts = _parts_by_product(filters)
    sections = [_section(filters, currency, parts, today) for currency in figures.currencies_of(filters)]
    if not sections:
        return Report("Nothing has been sold yet, so nothing is recognised.", (), DEFINITIONS)
    return Report("What was earned, in the month in which it was earned.", sections, DEFINITIONS)


def _parts_by_product(filters: ReportFilters) -> Mapping[int, Part]:
    """By product what it counts to: its family, or itself where a family or a product is chosen.

    Products of the same name have their codes beside it.
    """
    products = Product.objects.select_related("family").order_by("name")
    if filters.family is not None or filters.product is not None:
        named = Counter(each.name for each in products)
        names = {each.pk: each.name if named[each.name] == 1 else f"{each.name} ({each.code})" for each in products}
        return {each.pk: Part(names[each.pk], "product", each.pk) for each in products}
    return {each.pk: Part(each.family.name, "family", each.family_id) for each in products}


def _section(filters: ReportFilters, currency: str, parts: Mapping[int, Part], today: date) -> Section:
    before = filters._replace(
        first_month=following(filters.first_month, -12), last_month=following(filters.last_month, -12)
    )
    sums = _sums(filters, currency, ("product_id", "month"))
    shown = sorted({parts[product] for (product, _), row in sums.items() if any(row.values())})
    by_part: dict[tuple[Part | None, date], int] = {}
    for (product, month), row in sums.items():
        for key, name in ((parts[product], "recognised"), (None, "caught_up")):
            by_part[key, month] = by_part.get((key, month), 0) + row[name]
    earlier = {
        (following(month, 12),): sum(row.values()) for (month,), row in _sums(before, currency, ("month",)).items()
    }
    tables = (
        _by_month(filters, currency, shown, by_part, earlier),
        _compared(filters, before, currency, "Country", "countries", "country", country_name),
        _compared(filters, before, currency, "Segment", "segments", "customer_segment", _segment_name),
    )
    return Section(
        currency, _lead(filters, currency, sums, earlier), tables, (_chart(filters, currency, shown, by_part, today),)
    )


def _sums(filters: ReportFilters, currency: str, by: Sequence[str]) -> Sums:
    return figures.month_figures(filters, currency, by, figures=EARNED)


def _lead(filters: ReportFilters, currency: str, sums: Sums, earlier: Mapping[Any, int]) -> str:
    total = sum(sum(row.values()) for row in sums.values())
    caught_up = sum(row["caught_up"] for row in sums.values())
    said = (
        f"{write_money(total, currency)} is recognised from {filters.first_month:%B %Y} to {filters.last_month:%B %Y}"
    )
    if caught_up:
        said += f", of it {write_money(caught_up, currency)} caught up"
    return f"{said}; a year before it was {write_money(sum(earlier.values()), currency)}."


def _by_month(
    filters: ReportFilters,
    currency: str,
    shown: Sequence[Part],
    by_part: Mapping[tuple[Part | None, date], int],
    earlier: Mapping[tuple[date], int],
) -> Table:
    first, last = filters.first_month, filters.last_month

    def row(head: date | str, months: Sequence[date], since: date, until: date) -> Row:
        amounts = {part: sum(by_part.get((part, month), 0) for month in months) for part in (*shown, None)}
        total, ago = sum(amounts.values()), sum(earlier.get((month,), 0) for month in months)
        return (
            head,
            *(
                lines_of("recognised", filters, currency, since, amounts[part], until=until, **{part.filter: part.key})
                for part in shown
            ),
            lines_of("caught_up", filters, currency, since, amounts[None], until=until),
            *_against(filters, currency, total, ago, (since, until)),
        )

    columns = (Column("Month", 10, "month"), *(Column(part.name, 16, "amount") for part in shown), *COMPARED)
    rows = [row(month, [month], month, month) for month in filters.months()]
    total = row("All months", list(filters.months()), first, last)
    return Table("months", "Recognised revenue by month", columns, rows, total)


def _against(
    filters: ReportFilters, currency: str, total: int, ago: int, months: tuple[date, date], **narrowed: object
) -> tuple[Figure | Amount, ...]:
    """A total, the one of a year before and the change; `narrowed` as of `lines_of`."""
    since, until = months
    year_ago = following(since, -12)
    return (
        lines_of("earned", filters, currency, since, total, until=until, **narrowed),
        lines_of("earned", filters, currency, year_ago, ago, until=following(until, -12), **narrowed),
        Amount(total - ago, currency),
    )


def _compared(
    filters: ReportFilters,
    before: ReportFilters,
    currency: str,
    head: str,
    key: str,
    dimension: str,
    name_of: Callable[[str], str],
) -> Table:
    """The months asked for by a dimension, the largest first."""
    sums = {value: row for (value,), row in _sums(filters, currency, (dimension,)).items()}
    ago = {value: sum(row.values()) for (value,), row in _sums(before, currency, (dimension,)).items()}
    narrowing = "country" if dimension == "country" else "segment"
    months = (filters.first_month, filters.last_month)

    def row(name: str, values: Iterable[str], **narrowed: object) -> Row:
        named = {figure: sum(sums[value][figure] for value in values if value in sums) for figure in EARNED}
        return (
            name,
            lines_of("recognised", filters, currency, months[0], named["recognised"], until=months[1], **narrowed),
            lines_of("caught_up", filters, currency, months[0], named["caught_up"], until=months[1], **narrowed),
            *_against(filters, currency, sum(named.values()), sum(ago.get(v, 0) for v in values), months, **narrowed),
        )

    values = [each for each in {*sums, *ago} if ago.get(each) or any(sums.get(each, {}).values())]
    values.sort(key=lambda each: (-sum(sums.get(each, {}).values()), each))
    columns = (Column(head, 24, "text"), Column("Recognised", 16, "amount"), *COMPARED)
    rows = [row(name_of(value), [value], **{narrowing: value}) for value in values]
    return Table(key, f"Recognised revenue by {head.lower()}", columns, rows, row("All", values))


def _segment_name(segment: str) -> str:
    return str(Customer.Segment(segment).label)


def _chart(
    filters: ReportFilters,
    currency: str,
    shown: Sequence[Part],
    by_part: Mapping[tuple[Part | None, date], int],
    today: date,
) -> Chart:
    months = tuple(filters.months())
    series = [(part.name, [by_part.get((part, month), 0) for month in months]) for part in shown]
    caught_up = [by_part.get((None, month), 0) for month in months]
    if any(caught_up):
        series.append(("Caught up", caught_up))
    names = ", ".join(name for name, _ in series) or "nothing"
    return Chart(
        "months",
        "Recognised revenue by month",
        f"Stacked bars, one a month, of {names}. The table below has the amounts.",
        ChartSpec("stacked", months, series, currency, ahead_from=following(today.replace(day=1))),
        "months",
    )


KIND = ReportKind("recognised", "Recognised revenue", "What was earned in each month, and with what?", read_report)

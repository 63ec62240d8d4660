"""What is due or has lapsed today, by the pipeline (renewals/overviews/pipeline.py), for finance's first page."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from dongles.models import Product, ProductFamily
from portal.sheets import Amount, Rate
from portal.wording import write_day
from renewals.calendar import following, last_day
from renewals.overviews import buckets, pipeline
from renewals.overviews.buckets import Bucket
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.reports import Column, Figure, Row
from renewals.overviews.pipeline import BucketFigures, Pipeline, PipelineFilters

SHOWN = (*buckets.DUE, "lapsed", "lapsed_over_major")  # what can still become a sale without winning anybody back
LEFT_OUT = (("customer", "customer"), ("segment", "segment"))  # what the pipeline isn't filtered by


GROUPS = (("Due within 90 days", buckets.DUE), ("Lapsed", ("lapsed", "lapsed_over_major")))


class DueNow(NamedTuple):
    """The buckets, their columns and rows, and what of the filters doesn't hold for them, in words."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    buckets: Sequence[Bucket]
    total: int
    unfiltered: Sequence[str]


def due_now(filters: ReportFilters, today: date) -> DueNow:
    """The buckets of what is due or lapsed, with counts and what a year of SMA for them costs (`no_policy`)."""
    read = pipeline.read_pipeline(_asked(filters), today, limit=0)
    shown = [(bucket, figures) for bucket, figures in read.figures if bucket.key in SHOWN]
    columns = [
        Column("Bucket", 26, "text"),
        Column("Dongles", 10, "count"),
        *(Column(f"{currency} a year", 16, "amount") for currency in read.currencies),
    ]
    rows = [_row(filters, bucket, figures) for bucket, figures in shown]
    return DueNow(columns, rows, [bucket for bucket, _ in shown], _total(read), _unfiltered(filters))


class Compared(NamedTuple):
    """What is due or has lapsed today against the same day a month and a year ago."""

    columns: Sequence[Column]
    rows: Sequence[Row]


def due_compared(filters: ReportFilters, today: date) -> Compared:
    """Today's pipeline against that of a month and of a year ago, as it stood by what was sold by then (`no_policy`).

    Each of the three goes through every dongle.
    """
    month_ago, year_ago = same_day(today, -1), same_day(today, -12)
    reads = [
        pipeline.read_pipeline(_asked(filters), day, limit=0, is_past=day < today)
        for day in (today, month_ago, year_ago)
    ]
    currencies = sorted({currency for read in reads for currency in read.currencies})
    rows: list[Row] = []
    for name, keys in GROUPS:
        counts = [read.figures_of(keys) for read in reads]
        rows.append((f"{name}, dongles", *_against(counts)))
        for currency in currencies:
            values = [_value(read, keys, currency) for read in reads]
            rows.append((f"{name}, {currency} a year", *(_amount(cell, currency) for cell in _against(values))))
    return Compared(_columns(month_ago, year_ago), rows)


def same_day(day: date, months: int) -> date:
    """The day of the same number in another month, or that month's last day."""
    month = following(day.replace(day=1), months)
    return month.replace(day=min(day.day, last_day(month).day))


def _columns(month_ago: date, year_ago: date) -> Sequence[Column]:
    columns = [Column("What", 30, "text"), Column("Today", 16, "amount")]
    for day in map(write_day, (month_ago, year_ago)):
        columns += [Column(day, 16, "amount"), Column(f"Change since {day}", 20, "amount"), Column("%", 10, "rate")]
    return columns


def _against(numbers: Sequence[int]) -> Sequence[int | Rate]:
    now, month_ago, year_ago = numbers
    return (
        now,
        *(month_ago, now - month_ago, Rate(now - month_ago, month_ago)),
        *(year_ago, now - year_ago, Rate(now - year_ago, year_ago)),
    )


def _amount(cell: int | Rate, currency: str) -> Amount | Rate:
    return Amount(cell, currency) if isinstance(cell, int) else cell


def _value(read: Pipeline, keys: Sequence[str], currency: str) -> int:
    found = (dict(figures.values) for bucket, figures in read.figures if bucket.key in keys)
    return sum(values.get(currency) or 0 for values in found)


def _total(read: Pipeline) -> int:
    return read.figures_of(SHOWN)


def _row(filters: ReportFilters, bucket: Bucket, figures: BucketFigures) -> Row:
    address = pipeline_address(filters, bucket.key)
    amounts = (None if value is None else Amount(value, currency) for currency, value in figures.values)
    return (Figure(bucket.name, address), figures.dongles, *amounts)


def _family(filters: ReportFilters) -> int | None:
    """The pipeline is filtered by families: a product's one is the nearest to it."""
    if filters.product is None:
        return filters.family
    return Product.objects.values_list("family", flat=True).get(pk=filters.product)


def _asked(filters: ReportFilters) -> PipelineFilters:
    return PipelineFilters(family=_family(filters), country=filters.country, currency=_currency(filters))


def _currency(filters: ReportFilters) -> str:
    return "" if filters.currency == REPORTING else filters.currency


def _unfiltered(filters: ReportFilters) -> list[str]:
    names = [name for field, name in LEFT_OUT if getattr(filters, field)]
    return [*names, *(["product (its family’s are shown)"] if filters.product is not None else [])]


def pipeline_address(filters: ReportFilters, bucket: str = "") -> str:
    """The pipeline with as many of the filters as it knows."""
    family = _family(filters)
    named = "" if family is None else ProductFamily.objects.values_list("name", flat=True).get(pk=family)
    asked = {"bucket": bucket, "family": named, "country": filters.country, "currency": _currency(filters)}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/pipeline/?{query}" if query else "/pipeline/"

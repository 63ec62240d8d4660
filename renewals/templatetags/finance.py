"""How reports on money write their cells."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django import template
from django.template import Context

from portal import wording
from portal.sheets import Amount, Cell, Points, Rate
from renewals.overviews.finance.reports import NUMBERS, Column, Figure, ReportKind, Row

register = template.Library()
FILTERS = ("family", "product", "customer", "country", "segment", "currency")
MONTHS = {"past": ("first_month", "last_month"), "month": ("last_month",)}


@register.simple_tag(takes_context=True)
def filters_for(context: Context, kind: ReportKind) -> str:
    """{% filters_for each %}: the filters of the report that is shown, as another one takes them; nothing elsewhere.

    Months go along between reports that look back: what lies ahead has a span of its own.
    """
    shown, request = context.get("kind"), context.get("request")
    if shown is None or request is None:
        return ""
    months = MONTHS.get(kind.span, ()) if shown.span in MONTHS else ()
    asked = {name: request.GET[name] for name in (*months, *FILTERS) if request.GET.get(name)}
    return f"?{urlencode(asked)}" if asked else ""


@register.filter
def cells(row: Row, columns: Sequence[Column]) -> Iterator[dict[str, object]]:
    """{% for cell in row|cells:table.columns %}: column, text, what it opens, whether it is a number, or nil."""
    for column, cell in zip(columns, row, strict=True):
        value, address = (cell.value, cell.address) if isinstance(cell, Figure) else (cell, "")
        is_number = column.kind in NUMBERS
        yield {
            "column": column,
            "text": _written(value, column.kind),
            "address": address,
            "is_number": is_number,
            "is_nil": is_number and not address and _is_nil(value),
        }


@register.filter
def is_number(column: Column) -> bool:
    return column.kind in NUMBERS


@register.filter
def country(code: str) -> str:
    """{{ entry.country|country }}: “Germany”."""
    return wording.country_name(code)


@register.filter
def month(value: date) -> str:
    """{{ first_month|month }}: “Nov 2026”."""
    return wording.write_month(value)


def _is_nil(value: Cell) -> bool:
    """What is nothing steps back, so that what is something is seen."""
    return value is None or value == 0 or (isinstance(value, Amount) and value.minor_units == 0)


def _written(value: Cell, kind: str) -> str:
    if value is None:
        return wording.NOTHING
    if isinstance(value, Amount):
        return wording.write_figure(value.minor_units, value.currency)
    if isinstance(value, Points):
        return wording.NOTHING if value.value is None else wording.write_points(value.value)
    if isinstance(value, Rate):
        return wording.NOTHING if value.value is None else wording.write_share(value.value)
    if isinstance(value, date):
        return wording.write_month(value) if kind == "month" else wording.write_day(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return wording.write_number(value) if isinstance(value, int) else value

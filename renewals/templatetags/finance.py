"""How reports on money write their cells."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from django import template

from portal import wording
from portal.sheets import Amount, Cell, Rate
from renewals.overviews.finance.reports import Column, Figure, Row

register = template.Library()
NUMBERS = frozenset({"amount", "count", "rate", "number"})


@register.filter
def cells(row: Row, columns: Sequence[Column]) -> Iterator[dict[str, object]]:
    """{% for cell in row|cells:table.columns %}: the column, the text, what it opens, whether it is a number."""
    for column, cell in zip(columns, row, strict=True):
        value, address = (cell.value, cell.address) if isinstance(cell, Figure) else (cell, "")
        is_number = column.kind in NUMBERS
        yield {"column": column, "text": _written(value, column.kind), "address": address, "is_number": is_number}


@register.filter
def is_number(column: Column) -> bool:
    return column.kind in NUMBERS


@register.filter
def month(value: date) -> str:
    """{{ first_month|month }}: “Nov 2026”."""
    return wording.write_month(value)


def _written(value: Cell, kind: str) -> str:
    if value is None:
        return wording.NOTHING
    if isinstance(value, Amount):
        return wording.write_figure(value.minor_units, value.currency)
    if isinstance(value, Rate):
        return wording.NOTHING if value.value is None else wording.write_share(value.value)
    if isinstance(value, date):
        return wording.write_month(value) if kind == "month" else wording.write_day(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return wording.write_number(value) if isinstance(value, int) else value

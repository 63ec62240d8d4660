"""The parts of a report on money, whatever it is about: a page shows them, CSV and XLSX hold them.

A report is read for a span of months, one section for each currency: amounts of different currencies never add up.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from portal.sheets import Amount, Cell, Rate
from renewals.charts import ChartSpec
from renewals.overviews.finance.filters import ReportFilters

NUMBERS = frozenset({"amount", "count", "rate", "number"})  # the kinds of columns with figures
DEFINITIONS_VERSION = 1  # of F5's definitions as the reports give them; a change of what is counted makes a new one


class Figure(NamedTuple):
    """A value, and the address of the lines that it is made of."""

    value: Cell
    address: str = ""


class Column(NamedTuple):
    """A column: its head, its width in a file in characters, and what is in it.

    `kind` is "text", "month" (its first day), "date", "amount", "count", "rate" or "number" (a decimal as it is).
    """

    head: str
    width: int
    kind: str


Row = Sequence[Figure | Cell]


class Table(NamedTuple):
    """A table of a section; `key` is unique in its section and names it in files; `total` is its last row."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: Row | None = None
    note: str = ""


class Chart(NamedTuple):
    """A picture of a section; `description` says in words what it shows, and the table `table` has its figures."""

    key: str
    title: str
    description: str
    spec: ChartSpec
    table: str


class Definition(NamedTuple):
    """What a term means here, and by which rule."""

    term: str
    words: str
    rule: str


class Section(NamedTuple):
    """The part of a report in one currency (an ISO code, or "reporting"); without one where nothing is an amount."""

    currency: str
    lead: str
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()

    @property
    def is_blank(self) -> bool:
        """Whether none of its tables has a figure but nought: nothing of it fits what is asked for."""
        return all(
            _is_nought(cell)
            for table in self.tables
            for row in table.rows
            for column, cell in zip(table.columns, row, strict=True)
            if column.kind in NUMBERS
        )


def _is_nought(cell: Figure | Cell) -> bool:
    value = cell.value if isinstance(cell, Figure) else cell
    if isinstance(value, Amount):
        return value.minor_units == 0
    if isinstance(value, Rate):
        return value.numerator == 0
    return not value


class Report(NamedTuple):
    """A report as read. `lead` says first what state things are in; `notes` what to mind."""

    lead: str
    sections: Sequence[Section]
    definitions: Sequence[Definition]
    notes: Sequence[str] = ()


class ReportKind(NamedTuple):
    """A report that can be asked for: its place in addresses, its name, and the question that it answers.

    `read` takes the filters and today. Where no months are asked for it spans the twelve up to this one ("past") or
    after it ("ahead"); or it is of one "month" alone, the last one asked for. A page with more than the report has a
    `template` of its own, and `beside` says by filters and day what else stands in it. One that says its `currencies`
    is so long that a page shows one at a time; it converts none.
    """

    key: str
    name: str
    question: str
    read: Callable[[ReportFilters, date], Report]
    span: str = "past"
    template: str = "renewals/finance/report.html"
    beside: Callable[[ReportFilters, date], Mapping[str, Any]] | None = None
    currencies: Callable[[], list[str]] | None = None

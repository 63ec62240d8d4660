"""The lines behind a figure: which segments of the ledger come to it, and with what amount each.

The total comes from the sums, as the figure itself does; the lines come from the segments, by the formula (F1, F2).
They are read in the order of an index, from the line before on, so that a page takes as long at the end as at the
beginning.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from renewals.calendar import following, last_day
from renewals.models import RevenueSegment
from renewals.overviews.finance import figures
from renewals.overviews.finance.filters import ReportFilters

LINES_A_PAGE = 50
LINES_AT_ONCE = 1000  # that a file is written from

THROUGH = "recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on, {})"
THROUGH_END = THROUGH.format("%(last_day)s")
THROUGH_YEAR = THROUGH.format("%(year_on)s")
BOOKED_IN = "segment.booked_month BETWEEN %(first_month)s AND %(last_month)s"
BOOKED_BY = "segment.booked_month <= %(last_month)s"
FENCED = "(SELECT * FROM renewals_revenuesegment WHERE {} OFFSET 0) segment"
BEHIND = "SELECT {} FROM renewals_revenuesegment WHERE id = %(after)s"
BY_BOOKING, BY_DAYS = ("booked_month", "id"), ("ends_on", "starts_on", "id")


class LineFigure(NamedTuple):
    """A figure that opens: its name for people, what of it a segment is, in SQL, and which segments come to it.

    One that is `at_end` is as of the last day of the months, else it is of all of them. `order` is that of an index.
    Where segments come to it in another way too, few of them, these are `further`: found by their month of booking.
    """

    name: str
    at_end: bool
    amount: str
    condition: str
    order: tuple[str, ...] = BY_DAYS
    further: str = ""


FIGURES: Mapping[str, LineFigure] = {
    "booked": LineFigure("Booked", False, "segment.amount", f"{BOOKED_IN} AND segment.reason = 'sale'", BY_BOOKING),
    "credited": LineFigure(
        "Credited", False, "segment.amount", f"{BOOKED_IN} AND segment.reason <> 'sale'", BY_BOOKING
    ),
    "recognised": LineFigure(
        "Recognised by date",
        False,
        f"{THROUGH_END} - {THROUGH.format('greatest(%(first_month)s, segment.booked_month) - 1')}",
        f"{BOOKED_BY} AND segment.starts_on <= %(last_day)s AND segment.ends_on >= %(first_month)s",
    ),
    "caught_up": LineFigure(
        "Caught up",
        False,
        THROUGH.format("segment.booked_month - 1"),
        f"{BOOKED_IN} AND segment.starts_on < segment.booked_month",
        BY_BOOKING,
    ),
    "earned": LineFigure(
        "Recognised with catch-up",
        False,
        f"{THROUGH_END} - CASE WHEN segment.booked_month < %(first_month)s"
        f" THEN {THROUGH.format('%(first_month)s - 1')} ELSE 0 END",
        f"{BOOKED_BY} AND segment.starts_on <= %(last_day)s AND segment.ends_on >= %(first_month)s",
        further=f"{BOOKED_IN} AND segment.ends_on < %(first_month)s",
    ),
    "deferred": LineFigure(
        "Deferred", True, f"segment.amount - {THROUGH_END}", f"{BOOKED_BY} AND segment.ends_on > %(last_day)s"
    ),
    "current": LineFigure(
        "Deferred, current",
        True,
        f"{THROUGH_YEAR} - {THROUGH_END}",
        f"{BOOKED_BY} AND segment.ends_on > %(last_day)s AND segment.starts_on <= %(year_on)s",
    ),
    "non_current": LineFigure(
        "Deferred, non-current",
        True,
        f"segment.amount - {THROUGH_YEAR}",
        f"{BOOKED_BY} AND segment.ends_on > %(year_on)s",
    ),
    "annual": LineFigure(
        "Annual value",
        True,
        "segment.annual_amount",
        "%(last_day)s BETWEEN segment.starts_on AND segment.ends_on",
    ),
}


class LinesAsked(NamedTuple):
    """Whose lines are wanted: a figure (of FIGURES) by filters, booked in these months where some are named."""

    figure: str
    filters: ReportFilters
    booked_from: date | None = None
    booked_to: date | None = None

    @property
    def kind(self) -> LineFigure:
        return FIGURES[self.figure]

    @property
    def is_by_booking(self) -> bool:
        return self.booked_from is not None or self.booked_to is not None

    def is_booked_in(self, month: date) -> bool:
        return (self.booked_from or date.min) <= month <= (self.booked_to or date.max)


class Line(NamedTuple):
    """A segment and what of the figure it is, in minor units of its currency."""

    segment: RevenueSegment
    amount: int


class LinePage(NamedTuple):
    """Some of the lines, and after which segment the next ones come; none where these are the last."""

    lines: list[Line]
    next_after: int | None


def total_of(asked: LinesAsked, currency: str) -> int:
    """The figure in a currency, as reports have it: from the sums (of one customer: from its segments)."""
    filters = asked.filters
    if asked.is_by_booking and asked.figure not in ("booked", "credited"):
        return _total_by_booking(asked, currency)
    if asked.kind.at_end:
        deferred = figures.deferred_at(filters, currency, filters.last_month)
        if asked.figure == "deferred":
            return deferred
        month = filters.last_month
        sums = figures.month_figures(filters, currency, (), first_month=month, last_month=month).get((), {})
        return sums["annual"] if asked.figure == "annual" else _part_of(asked.figure, deferred, sums["current"])
    first = max(filters.first_month, asked.booked_from or date.min)
    last = min(filters.last_month, asked.booked_to or date.max)
    sums = figures.month_figures(filters, currency, (), figures=figures.FLOWS, first_month=first, last_month=last).get(
        (), {}
    )
    return sums["recognised"] + sums["caught_up"] if asked.figure == "earned" else sums[asked.figure]


def _part_of(figure: str, deferred: int, current: int) -> int:
    return current if figure == "current" else deferred - current


def _total_by_booking(asked: LinesAsked, currency: str) -> int:
    """The figure of what was booked in some months: what of it is earned in the months that the figure is about."""
    filters, ahead = asked.filters, following(asked.filters.last_month)
    first, last = {
        "deferred": (ahead, date.max),
        "current": (ahead, following(ahead, 11)),
        "non_current": (following(ahead, 12), date.max),
    }.get(asked.figure, (filters.first_month, filters.last_month))
    assert asked.figure != "annual", "an annual value is not told apart by booking"
    sums = figures.booking_figures(filters, currency, ("booked_month",), first_month=first, last_month=last)
    names = (asked.figure,) if asked.figure in figures.BY_BOOKING else figures.BY_BOOKING
    return sum(
        row[name]
        for (booked,), row in sums.items()
        if booked <= filters.last_month and asked.is_booked_in(booked)
        for name in names
    )


def read_lines(asked: LinesAsked, *, after: int | None = None, limit: int = LINES_A_PAGE) -> LinePage:
    """So many lines, those behind a segment where one is named: one segment more is read to know whether any follow."""
    found = _read_amounts(asked, after, limit + 1)
    amounts = dict(found[:limit])
    segments = RevenueSegment.objects.select_related(
        "customer", "product", "order_line__order", "order_line__quote_line", "order_line__licence__dongle"
    ).in_bulk(amounts)
    lines = [Line(segments[key], amount) for key, amount in amounts.items()]
    return LinePage(lines, lines[-1].segment.pk if len(found) > limit else None)


def all_lines(asked: LinesAsked) -> Iterator[Line]:
    """All lines, one after the other, in flat memory."""
    after = None
    while True:
        page = read_lines(asked, after=after, limit=LINES_AT_ONCE)
        yield from page.lines
        if page.next_after is None:
            return
        after = page.next_after


def _read_amounts(asked: LinesAsked, after: int | None, limit: int) -> list[tuple[int, int]]:
    """The segments by id in the figure's order, with what each comes to."""
    kind, filters = asked.kind, asked.filters
    values: dict[str, Any] = {
        "first_month": filters.first_month,
        "last_month": filters.last_month,
        "last_day": last_day(filters.last_month),
        "year_on": last_day(following(filters.last_month, 12)),
        "limit": limit,
    }
    said = _conditions(asked, values)
    columns = ", ".join(f"segment.{name}" for name in kind.order)
    if after is not None:
        said.append(f"({columns}) > ({BEHIND.format(', '.join(kind.order))})")
        values["after"] = after
    order = ", ".join(kind.order)
    parts = (
        f"(SELECT {columns}, {kind.amount} AS comes_to FROM {source}"  # noqa: S608 - of the code
        f" WHERE {' AND '.join((condition, *said))} AND {kind.amount} <> 0 ORDER BY {columns} LIMIT %(limit)s)"
        for source, condition in _sources(asked)
    )
    statement = f"SELECT id, comes_to FROM ({' UNION ALL '.join(parts)}) line ORDER BY {order} LIMIT %(limit)s"  # noqa: S608 - of the code
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [(key, int(amount)) for key, amount in cursor.fetchall()]


def _sources(asked: LinesAsked) -> list[tuple[str, str]]:
    """Where segments that come to the figure are looked for, each FROM item with its condition.

    The server would follow the order of the days through all that ended long ago to find the few of some months of
    booking: it is not let (OFFSET 0) where these are told.
    """
    kind = asked.kind
    source = "renewals_revenuesegment segment"
    if asked.booked_from is not None and kind.order == BY_DAYS:
        until = " AND booked_month <= %(booked_to)s" if asked.booked_to is not None else ""
        source = FENCED.format(f"booked_month >= %(booked_from)s{until}")
    sources = [(source, kind.condition)]
    if kind.further:
        booked = FENCED.format("booked_month BETWEEN %(first_month)s AND %(last_month)s AND starts_on < booked_month")
        sources.append((booked, kind.further))
    return sources


def _conditions(asked: LinesAsked, values: dict[str, Any]) -> list[str]:
    """What the filters want of a segment; their values are added to the parameters."""
    filters, said = asked.filters, []
    for name, column, value in (
        ("currency", "currency = ", filters.currency),
        ("country", "country = ", filters.country),
        ("segment", "customer_segment = ", filters.segment),
        ("booked_from", "booked_month >= ", asked.booked_from),
        ("booked_to", "booked_month <= ", asked.booked_to),
    ):
        if value:
            said.append(f"segment.{column}%({name})s")
            values[name] = value
    if (products := figures.product_ids(filters)) is not None:
        said.append("segment.product_id = ANY (%(products)s)")
        values["products"] = list(products)
    if filters.customer is not None:
        said.append("segment.customer_id = ANY (%(customers)s)")
        values["customers"] = figures.customer_ids(filters.customer)
    return said

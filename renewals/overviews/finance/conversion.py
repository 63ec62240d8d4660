"""Figures in the reporting currency (F5): an advance keeps the rate of its booking month, whenever it is earned.

Each sum of a month of booking and a month of recognition is converted by itself and rounded, half away from zero; all
else is added up from these, so that opening + booked + credited − recognised − caught up = closing holds to the minor
unit and there is no difference of currencies to show. Annual values take the rate of the month in which they stand.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from portal.errors import DomainError
from portal.wording import write_month
from renewals.calendar import following
from renewals.models import ExchangeRate
from renewals.rates import factor_of

Months = tuple[date, date]
Need = tuple[str, date]  # a currency and the month whose rate is wanted
ONE = Fraction(1)
Sums = dict[tuple[Any, ...], dict[str, int]]

# What is deferred at the end of a month was booked by then and is earned later.
CELLS = """
SELECT booked_month, month, currency, {recognised}, {caught_up}
FROM {cells} cell LEFT JOIN {rates} ON rate_currency = currency AND rate_month = booked_month
WHERE booked_month <= %(last_month)s AND month BETWEEN %(first_month)s AND %(last_earned)s AND {where}
GROUP BY booked_month, month, currency"""

# By place, whatever the currency and the month of booking; and those by themselves, for their rates (no place then).
EARNED_BY_PLACE = """
SELECT currency, booked_month, month, product_id, country, customer_segment, {recognised}, {caught_up}
FROM {cells} cell LEFT JOIN {rates} ON rate_currency = currency AND rate_month = booked_month
WHERE month BETWEEN %(first_month)s AND %(last_month)s AND {where}
GROUP BY GROUPING SETS ((month, product_id, country, customer_segment), (currency, booked_month))"""

EARNED, OF_THE_MONTH = ("recognised", "caught_up"), ("credited", "annual")
MONTHLY = """
SELECT month, currency, {credited}, {annual}
FROM {monthly} monthly LEFT JOIN {rates} ON rate_currency = currency AND rate_month = month
WHERE month BETWEEN %(first_month)s AND %(last_month)s AND ({named}) AND {where}
GROUP BY month, currency"""

# An amount in the reporting currency stays; one without a rate is none, and noticed (`_check`).
SUM = """coalesce(sum(CASE WHEN currency = %(reporting)s OR {0} = 0 THEN {0}
        ELSE convert_amount({0}, numerator, denominator) END), 0)::bigint"""
# Distinct, as they are anyway: so the planner knows that each amount has one rate, and looks it up instead of sorting.
RATES = """(SELECT DISTINCT ON (rate_currency, rate_month) *
    FROM unnest(%(rate_currencies)s::text[], %(rate_months)s::date[], %(numerators)s::bigint[],
        %(denominators)s::bigint[]) AS given (rate_currency, rate_month, numerator, denominator)) rate"""


class Source(NamedTuple):
    """Where figures are read from: FROM items in the shapes of BookingFigures and MonthFigures, and the conditions.

    `where` is on the product, the country and the segment alone; `values` are its parameters.
    """

    cells: str
    monthly: str
    where: str
    values: Mapping[str, Any]


class Cell(NamedTuple):
    """What of the bookings of a month is earned in another, in the reporting currency."""

    booked_month: date
    month: date
    currency: str
    recognised: int
    caught_up: int

    @property
    def need(self) -> Need:
        return self.currency, self.booked_month


class Read(NamedTuple):
    """Cells as they were read: what was booked by `months[1]` and is earned from `months[0]` to `last_earned`."""

    months: Months
    last_earned: date
    cells: list[Cell]

    def has(self, months: Months, last_earned: date) -> bool:
        return self.months[0] <= months[0] and months[1] <= self.months[1] and last_earned <= self.last_earned


class OfTheMonth(NamedTuple):
    """What takes the rate of the month itself, in the reporting currency."""

    month: date
    currency: str
    credited: int
    annual: int

    @property
    def need(self) -> Need:
        return self.currency, self.month


class Reading(NamedTuple):
    """What a report has used and read so far."""

    used: set[Need]
    cells: dict[str, Read]
    earned: dict[tuple[str, Months], list[tuple[Any, ...]]]


_READING: ContextVar[Reading] = ContextVar("reading")


@contextmanager
def noting_rates() -> Iterator[set[Need]]:
    """The currencies and months whose rates are used inside, once it is over. What is read inside is read once."""
    reading = Reading(set(), {}, {})
    token = _READING.set(reading)
    try:
        yield reading.used
    finally:
        _READING.reset(token)


def _reading() -> Reading:
    return _READING.get(Reading(set(), {}, {}))


def month_figures(source: Source, months: Months, by: Sequence[str], figures: Collection[str]) -> Sums:
    """These figures of the months by the named dimensions, as renewals.overviews.finance.figures has them.

    What is earned is told apart by any of them, all else by the month at most. What is booked is what its months come
    to, less what is credited. Refuses `rates_missing`.
    """
    if set(figures) <= set(EARNED):
        return _earned_by(source, months, by, figures)
    assert set(by) <= {"month"}, "of these figures nothing else is asked"
    sums: Sums = defaultdict(lambda: dict.fromkeys(figures, 0))

    def add(name: str, month: date, amount: int) -> None:
        if name in figures and months[0] <= month <= months[1] and amount:
            sums[(month,) if by else ()][name] += amount

    of_the_month = _of_the_month(source, months, figures)
    cells = _cells(source, months, date.max) if set(figures) - set(OF_THE_MONTH) else []
    _check({each.need for each in of_the_month} | {cell.need for cell in cells})
    for month, _, credited, annual in of_the_month:
        add("booked", month, -credited)
        add("credited", month, credited)
        add("annual", month, annual)
    for cell in cells:
        add("booked", cell.booked_month, cell.recognised + cell.caught_up)
        add("recognised", cell.month, cell.recognised)
        add("caught_up", cell.month, cell.caught_up)
        if "current" in figures:
            for month in _months_before(cell, months):
                add("current", month, cell.recognised)
    return dict(sorted(sums.items()))


def _earned_by(source: Source, months: Months, by: Sequence[str], figures: Collection[str]) -> Sums:
    """What is earned in these months by any dimensions of a place, and by month."""
    needs, sums = set(), defaultdict[tuple[Any, ...], dict[str, int]](lambda: dict.fromkeys(figures, 0))
    for currency, booked_month, month, product, country, segment, recognised, caught_up in _earned(source, months):
        if month is None:
            needs.add((currency, booked_month))
            continue
        named = {"month": month, "product_id": product, "country": country, "customer_segment": segment}
        found, amounts = sums[tuple(named[each] for each in by)], {"recognised": recognised, "caught_up": caught_up}
        for name in figures:
            found[name] += amounts[name]
    _check(needs)
    return dict(sorted(sums.items()))


def _months_before(cell: Cell, months: Months) -> Iterator[date]:
    """The months at whose end what is earned in the cell's is current: booked already, and a year at most before."""
    month = max(months[0], cell.booked_month, following(cell.month, -12))
    while month < cell.month and month <= months[1]:
        yield month
        month = following(month)


def booking_figures(source: Source, months: Months, by: Sequence[str]) -> Sums:
    """What is earned in these months, by month of booking too. Refuses `rates_missing`."""
    sums: Sums = defaultdict(lambda: {"recognised": 0, "caught_up": 0})
    cells = _cells(source, months, months[1])
    _check({cell.need for cell in cells})
    for cell in cells:
        found = sums[tuple(getattr(cell, each) for each in by)]
        found["recognised"] += cell.recognised
        found["caught_up"] += cell.caught_up
    return dict(sorted(sums.items()))


def deferred_at(source: Source, month: date) -> int:
    """What is deferred at the end of a month: booked by then and earned later. Refuses `rates_missing`."""
    cells = _cells(source, (following(month), month), date.max)
    _check({cell.need for cell in cells})
    return sum(cell.recognised for cell in cells)


def _cells(source: Source, months: Months, last_earned: date) -> list[Cell]:
    """What was booked by the last of the months and is earned in the first or later, up to another."""
    read, key = _reading().cells, repr(source)
    before = read.get(key)
    if before is None or not before.has(months, last_earned):
        cells = [Cell(*row) for row in _read(CELLS, source, months, last_earned=last_earned)]
        read[key] = Read(months, last_earned, cells)
        return cells
    return [cell for cell in before.cells if cell.booked_month <= months[1] and months[0] <= cell.month <= last_earned]


def _earned(source: Source, months: Months) -> list[tuple[Any, ...]]:
    """What is earned in these months, as EARNED_BY_PLACE has it."""
    read, key = _reading().earned, (repr(source), months)
    if key not in read:
        read[key] = _read(EARNED_BY_PLACE, source, months)
    return read[key]


def _of_the_month(source: Source, months: Months, figures: Collection[str]) -> list[OfTheMonth]:
    """What takes the rate of the month itself, where any of it is wanted: what is credited, and annual values."""
    wanted = [name for name in OF_THE_MONTH if name in figures or (name == "credited" and "booked" in figures)]
    if not wanted:
        return []
    rows = _read(MONTHLY, source, months, " OR ".join(f"{name} <> 0" for name in wanted))
    return [OfTheMonth(*row) for row in rows]


def _read(
    statement: str,
    source: Source,
    months: Months,
    named: str = "",
    last_earned: date = date.max,
) -> list[tuple[Any, ...]]:
    rates = ExchangeRate.objects.filter(reporting_currency=settings.REPORTING_CURRENCY).order_by()
    factors = [
        (currency, month, factor_of(currency, rate, settings.REPORTING_CURRENCY))
        for currency, month, rate in rates.values_list("currency", "month", "rate")
    ]
    written = statement.format(
        cells=source.cells,
        monthly=source.monthly,
        where=source.where or "true",
        rates=RATES,
        named=named,
        **{name: SUM.format(name) for name in ("recognised", "caught_up", "credited", "annual")},
    )
    values = {
        **source.values,
        "first_month": months[0],
        "last_month": months[1],
        "last_earned": last_earned,
        "reporting": settings.REPORTING_CURRENCY,
        "rate_currencies": [currency for currency, _, _ in factors],
        "rate_months": [month for _, month, _ in factors],
        "numerators": [factor.numerator for _, _, factor in factors],
        "denominators": [factor.denominator for _, _, factor in factors],
    }
    with connection.cursor() as cursor:
        cursor.execute(written, values)
        return list(cursor.fetchall())


def factors_for(needs: set[Need]) -> dict[Need, Fraction]:
    """By what amounts in minor units of these currencies and months are multiplied. Refuses `rates_missing`."""
    _check(needs)
    return {
        (each.currency, each.month): factor_of(each.currency, each.rate, settings.REPORTING_CURRENCY)
        for each in rows_of(needs)
    }


def _check(needs: set[Need]) -> None:
    """Refuse (`rates_missing`) where a rate that was needed is not on record, naming each; note those there are."""
    needs = {need for need in needs if need[0] != settings.REPORTING_CURRENCY}
    there = {(each.currency, each.month) for each in rows_of(needs)}
    _reading().used.update(there)
    if missing := sorted(needs - there):
        raise DomainError(
            "rates_missing",
            f"Rates into {settings.REPORTING_CURRENCY} are missing: {write_needs(missing)}.",
            {"rates": [{"currency": currency, "month": f"{month:%Y-%m}"} for currency, month in missing]},
        )


def rows_of(needs: Collection[Need]) -> list[ExchangeRate]:
    """The rates on record of these currencies and months, by currency and month."""
    found = ExchangeRate.objects.filter(
        reporting_currency=settings.REPORTING_CURRENCY, month__in={month for _, month in needs}
    )
    wanted = set(needs)
    return [each for each in found.order_by("currency", "month") if (each.currency, each.month) in wanted]


def write_needs(needs: Sequence[Need]) -> str:
    """“USD in Jan 2026, Feb 2026; JPY in Mar 2026”."""
    currencies = dict.fromkeys(currency for currency, _ in needs)
    return "; ".join(
        f"{each} in {', '.join(write_month(month) for currency, month in needs if currency == each)}"
        for each in currencies
    )

"""Where finance stands: the figures of a month beside those of the month and of the year before it (F5).

Figures are as reported (F1). All of them are read from the sums, in two queries for each currency.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.utils.text import slugify

from portal.sheets import Amount, Points, Rate
from portal.wording import write_money, write_month
from renewals.calendar import following, last_day
from renewals.overviews.finance import figures
from renewals.overviews.finance.addresses import lines_of
from renewals.overviews.finance.due_now import pipeline_address
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.renewal_figures import NOTHING, DueSums, due_by_month, is_over
from renewals.overviews.finance.renewals import dongles_address
from renewals.overviews.finance.reports import Column, Definition, Figure, Report, ReportKind, Row, Section, Table
from renewals.overviews.finance.state import finance_state

A_YEAR = 12  # months

DEFINITIONS = (
    Definition("Booked", "What was sold and fulfilled, net of tax, in its month of booking.", "F1"),
    Definition(
        "Credited",
        "What cancellations and other credits took back of what was sold, in their month of booking; it is negative.",
        "F4",
    ),
    Definition(
        "Recognised",
        "What is earned in the month by date: SMAs by day over their period, licences, upgrades and fees at once.",
        "F2, F3",
    ),
    Definition(
        "Caught up",
        "What was earned in earlier months by date and was booked in this one: a closed month never changes. It counts"
        " as earned in this month, beside what is recognised.",
        "F1",
    ),
    Definition(
        "Deferred", "Everything booked and credited by the end of the month, less everything earned by then.", "F1"
    ),
    Definition(
        "Deferred, current",
        "Of what is deferred, what will be earned in the twelve months after the month, by what was booked by then.",
        "F5",
    ),
    Definition("Deferred, non-current", "The rest of what is deferred: it is earned later than that.", "F5"),
    Definition(
        "Annual value",
        "Of all SMA lines whose period contains the last day of the month, the net amount × 12 ÷ the months of the"
        " period. Licences, upgrades, fees and back pay have none.",
        "F5",
    ),
    Definition(
        "Due",
        "The dongles whose paid-through date, as it stood before their renewal, lies in the month.",
        "F5",
    ),
    Definition(
        "Renewal rate by count",
        "Of the dongles due in the twelve months up to the month those that were renewed in time. Months in which"
        " something is open as of today are left out: they have no rate yet.",
        "F5",
    ),
    Definition(
        "Renewal rate by value",
        "In the same months the sum of the smaller of new and old annual value of what was renewed in time, as a part"
        " of the old annual value of all that was due, as far as that is known.",
        "F5",
    ),
    Definition(
        "Change since",
        "The month’s figure less that of the other month, and as a part of the other’s size: none where that is"
        " nothing. Rates differ by percentage points (pp). Months are compared as reported; one that is not over has"
        " had less time than a whole one.",
        "F5",
    ),
)


class Months(NamedTuple):
    """The month that is looked at, and those that it is compared with."""

    month: date
    before: date
    year_before: date


class Stated(NamedTuple):
    """What a currency comes to in a month or at its end: minor units."""

    booked: int = 0
    credited: int = 0
    recognised: int = 0
    caught_up: int = 0
    deferred: int = 0
    current: int = 0
    annual: int = 0

    @property
    def non_current(self) -> int:
        return self.deferred - self.current


ROWS = (
    ("booked", "Booked"),
    ("credited", "Credited"),
    ("recognised", "Recognised"),
    ("caught_up", "Caught up"),
    ("deferred", "Deferred"),
    ("current", "Deferred, current"),
    ("non_current", "Deferred, non-current"),
    ("annual", "Annual value"),
)


def months_of(filters: ReportFilters) -> Months:
    """The last month of the filters, the one before, and the same a year before."""
    month = filters.last_month
    return Months(month, following(month, -1), following(month, -A_YEAR))


def read_report(filters: ReportFilters, today: date) -> Report:
    """The figures of the last month asked for, a section for each currency."""
    months = months_of(filters)
    sections = [_section(filters, currency, months, today) for currency in figures.currencies_of(filters)]
    lead = _lead(months, today) if sections else "Nothing has been sold yet, so there are no figures."
    return Report(lead, sections, DEFINITIONS)


def _lead(months: Months, today: date) -> str:
    name = f"{months.month:%B %Y}"
    compared = f"{write_month(months.before)} and {write_month(months.year_before)}"
    if months.month > today:
        return f"{name} has not begun: what is booked for it so far, beside {compared}."
    if last_day(months.month) >= today:
        return f"{name} is not over: its figures so far, beside whole months, {compared}."
    return f"{name} beside {compared}, as reported."


def _section(filters: ReportFilters, currency: str, months: Months, today: date) -> Section:
    stated = _stated(filters, currency, months)
    rows = [
        *(_row(filters, currency, months, stated, name, term) for name, term in ROWS),
        *_renewal_rows(filters, currency, months, today),
    ]
    now = stated[0]
    earned = write_money(now.recognised + now.caught_up, currency)
    lead = (
        f"{write_money(now.booked, currency)} booked and {earned} earned in {months.month:%B %Y};"
        f" {write_money(now.deferred, currency)} is deferred at its end."
    )
    return Section(currency, lead, (Table("figures", "Figures of the month", columns_of(months), rows),))


def columns_of(months: Months) -> Sequence[Column]:
    """Heads name the months: a figure without its month says nothing in a file."""
    month, before, year_before = map(write_month, months)
    return (
        Column("Figure", 24, "text"),
        Column(month, 16, "amount"),
        *_compared(before),
        *_compared(year_before),
    )


def _compared(month: str) -> Sequence[Column]:
    return (
        Column(month, 16, "amount"),
        Column(f"Change since {month}", 20, "amount"),
        Column(f"Change since {month}, %", 22, "rate"),
    )


def _stated(filters: ReportFilters, currency: str, months: Months) -> Sequence[Stated]:
    """What the currency comes to in each of the months."""
    sums = figures.month_figures(filters, currency, first_month=months.year_before, last_month=months.month)
    opening = figures.deferred_at(filters, currency, following(months.year_before, -1))  # of what is read by then
    return [_at(opening, sums, month) for month in months]


def _at(opening: int, sums: figures.Sums, month: date) -> Stated:
    own = sums.get((month,), {})
    deferred = opening + sum(figures.deferred_by(flows) for (of,), flows in sums.items() if of <= month)
    return Stated(deferred=deferred, **{name: own.get(name, 0) for name in figures.MONTHLY})


def _row(filters: ReportFilters, currency: str, months: Months, stated: Sequence[Stated], name: str, term: str) -> Row:
    now, before, year_before = (getattr(each, name) for each in stated)
    opened = [
        lines_of(name, filters, currency, month, amount)
        for month, amount in zip(months, (now, before, year_before), strict=True)
    ]
    return (
        _named(term),
        opened[0],
        opened[1],
        *_change(now, before, currency),
        opened[2],
        *_change(now, year_before, currency),
    )


def _renewal_rows(filters: ReportFilters, currency: str, months: Months, today: date) -> Sequence[Row]:
    """What was due, and the rates of the twelve months up to each of the months; values of all currencies add up to
    nothing, so where everything is converted the rate by value has no row."""
    is_converted = filters.currency == REPORTING
    asked = filters._replace(first_month=following(months.year_before, 1 - A_YEAR), last_month=months.month)
    due_currency = "" if is_converted else currency
    due = due_by_month(asked, due_currency, today)
    windows = [filters._replace(first_month=following(month, 1 - A_YEAR), last_month=month) for month in months]
    rates = [_rates(window, due, today) for window in windows]
    opened = [filters.query(**_months_of(window), currency=due_currency) for window in windows]
    rows = [
        _due_row(filters, due_currency, months, due),
        _rated("Renewal rate by count", [rate for rate, _ in rates], opened),
        _rated("Renewal rate by value", [rate for _, rate in rates], opened),
    ]
    return rows[:2] if is_converted else rows


def _months_of(window: ReportFilters) -> dict[str, date]:
    return {"first_month": window.first_month, "last_month": window.last_month}


def _rates(window: ReportFilters, due: Mapping[date, DueSums], today: date) -> tuple[Rate, Rate]:
    """F5: by count and by value, of the window's months that are over."""
    total = NOTHING
    for month in window.months():
        if is_over(month, due[month], today):
            total = total.plus(due[month])
    return total.rate, total.rate_by_value


def _due_row(filters: ReportFilters, currency: str, months: Months, due: Mapping[date, DueSums]) -> Row:
    counts = [due[month].due for month in months]
    opened = [filters._replace(first_month=month, last_month=month) for month in months]
    now, before, year_before = (
        Figure(number, dongles_address(of_month, currency) if number else "")
        for number, of_month in zip(counts, opened, strict=True)
    )
    on_before, on_year = ((counts[0] - then, Rate(counts[0] - then, then)) for then in counts[1:])
    return (_named("Due"), now, before, *on_before, year_before, *on_year)


def _rated(term: str, rates: Sequence[Rate], queries: Sequence[str]) -> Row:
    now, before, year_before = (
        Figure(rate, f"/finance/reports/renewals/?{query}" if rate.denominator else "")
        for rate, query in zip(rates, queries, strict=True)
    )
    changes = [_difference(rates[0], then) for then in rates[1:]]
    return (_named(term), now, before, changes[0], None, year_before, changes[1], None)


def _difference(now: Rate, then: Rate) -> Points:
    """One rate less another; none where either has nothing to be a share of."""
    return Points(
        now.numerator * then.denominator - then.numerator * now.denominator, now.denominator * then.denominator
    )


def _named(term: str) -> Figure:
    """A figure's name, which opens what it means."""
    return Figure(term, f"#{slugify(term)}")


def _change(now: int, then: int, currency: str) -> tuple[Amount, Rate]:
    return Amount(now - then, currency), Rate(now - then, abs(then))


def beside(filters: ReportFilters, today: date) -> Mapping[str, Any]:
    """What finance waits for, and where in the pipeline that is which is due."""
    return {"state": finance_state(today), "pipeline_address": pipeline_address(filters)}


KIND = ReportKind(
    "overview",
    "Overview",
    "Where does finance stand, against the month and the year before?",
    read_report,
    span="month",
    template="renewals/finance/overview.html",
    beside=beside,
)

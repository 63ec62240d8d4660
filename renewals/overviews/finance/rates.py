"""What the page of exchange rates shows: months and currencies, what stands there, and the holes."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from renewals.models import ExchangeRate, MonthFigures
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.ledger_months import last_closed_month


class RateCell(NamedTuple):
    """The rate of a currency in a month; a hole where there is none though something was sold in that month."""

    currency: str
    rate: ExchangeRate | None
    is_needed: bool

    @property
    def is_hole(self) -> bool:
        return self.is_needed and self.rate is None


class RateMonth(NamedTuple):
    """A month of the grid."""

    month: date
    is_closed: bool
    cells: Sequence[RateCell]


class RateGrid(NamedTuple):
    """The rates into the reporting currency, the newest month first."""

    reporting_currency: str
    currencies: Sequence[str]
    months: Sequence[RateMonth]

    @property
    def holes(self) -> list[tuple[date, str]]:
        """The months and currencies that reports would ask for in vain, the oldest first."""
        return [(row.month, cell.currency) for row in reversed(self.months) for cell in row.cells if cell.is_hole]


def rate_grid(today: date) -> RateGrid:
    """Every month from the first that has a sale or a rate to today's, or the last that has a rate."""
    reporting = settings.REPORTING_CURRENCY
    rates = {(each.month, each.currency): each for each in ExchangeRate.objects.filter(reporting_currency=reporting)}
    needed = {(month, currency) for month, currency in _needed(reporting) if month <= today}
    currencies = sorted({currency for _, currency in [*rates, *needed]})
    known = [month for month, _ in [*rates, *needed]]
    closed = last_closed_month()
    first, last = min(known, default=today), max([today.replace(day=1), *(month for month, _ in rates)])
    months = [
        RateMonth(
            month,
            closed is not None and month <= closed,
            [_cell(month, currency, rates, needed) for currency in currencies],
        )
        for month in ReportFilters(first.replace(day=1), last).months()
    ]
    return RateGrid(reporting, currencies, months[::-1])


def _cell(
    month: date, currency: str, rates: Mapping[tuple[date, str], ExchangeRate], needed: set[tuple[date, str]]
) -> RateCell:
    return RateCell(currency, rates.get((month, currency)), (month, currency) in needed)


def missing_rates(first: date, last: date) -> list[tuple[date, str]]:
    """The months from the first to the last and currencies that reports would ask for in vain, the oldest first."""
    reporting = settings.REPORTING_CURRENCY
    there = ExchangeRate.objects.filter(reporting_currency=reporting, month__range=(first, last))
    needed = _needed(reporting, first, last)
    return sorted(needed - set(there.values_list("month", "currency"))) if needed else []


def rate_address(month: date, currency: str) -> str:
    """Where the rate is entered."""
    return f"{reverse('renewals:rates')}?month={month:%Y-%m}&currency={currency}#enter"


def _needed(reporting: str, first: date = date.min, last: date = date.max) -> set[tuple[date, str]]:
    """The months in which something was booked, or has an annual value, with its currency."""
    figures = MonthFigures.objects.exclude(currency=reporting).exclude(booked=0, credited=0, annual=0)
    found = figures.filter(month__range=(first, last)).order_by()
    return set(found.values_list("month", "currency").distinct())


def rate_of(month: date, currency: str) -> ExchangeRate | None:
    """What stands there."""
    found = ExchangeRate.objects.filter(reporting_currency=settings.REPORTING_CURRENCY)
    return found.filter(month=month, currency=currency).first()

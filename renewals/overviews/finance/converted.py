"""A report in the reporting currency: the same report, with the rates that it used at its end."""

from datetime import date
from decimal import Decimal

from django.conf import settings

from renewals.overviews.finance import conversion
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.reports import Column, Report, ReportKind, Table

COLUMNS = (
    Column("One unit of", 10, "text"),
    Column("In", 10, "month"),
    Column("Is worth", 16, "number"),
    Column("Source", 40, "text"),
)


def read_report(kind: ReportKind, filters: ReportFilters, today: date) -> Report:
    """The report, with a table of rates where everything is converted; refuses `rates_missing`."""
    if filters.currency != REPORTING:
        return kind.read(filters, today)
    with conversion.noting_rates() as used:
        report = kind.read(filters, today)
    if not report.sections:
        return report
    *before, last = report.sections
    with_rates = last._replace(tables=(*last.tables, _rates_used(used)))
    return report._replace(sections=(*before, with_rates), notes=(*report.notes, _note()))


def _rates_used(used: set[conversion.Need]) -> Table:
    rows = [(each.currency, each.month, Decimal(each.written), each.source) for each in conversion.rows_of(used)]
    return Table("rates-used", f"Rates used, in {settings.REPORTING_CURRENCY}", COLUMNS, rows)


def _note() -> str:
    return (
        f"Everything is converted into {settings.REPORTING_CURRENCY}. What was booked keeps the rate of its booking"
        " month, whenever it is earned, so no difference of currencies arises; an annual value takes the rate of the"
        " month in which it stands."
    )

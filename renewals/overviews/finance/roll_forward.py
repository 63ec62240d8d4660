"""The deferred revenue from the beginning of each month to its end (F5)."""

from collections.abc import Mapping
from datetime import date

from portal.sheets import Amount
from portal.wording import write_money
from renewals.calendar import following
from renewals.charts import ChartSpec
from renewals.overviews.finance import figures
from renewals.overviews.finance.addresses import lines_of
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.reports import (
    Chart,
    Column,
    Definition,
    Report,
    ReportKind,
    Row,
    Section,
    Table,
)

COLUMNS = (
    Column("Month", 10, "month"),
    Column("Opening", 16, "amount"),
    Column("Booked", 16, "amount"),
    Column("Credited", 16, "amount"),
    Column("Recognised", 16, "amount"),
    Column("Caught up", 16, "amount"),
    Column("Closing", 16, "amount"),
    Column("Of it current", 16, "amount"),
    Column("Non-current", 16, "amount"),
)
# Between currencies nothing can differ: it stands there so that nobody has to look for it.
CONVERTED = (*COLUMNS[:6], Column("Currency difference", 16, "amount"), *COLUMNS[6:])
DEFINITION_OF_DIFFERENCE = Definition(
    "Currency difference",
    "Always 0: what was booked keeps the rate of its booking month until it is earned, so rates that change later"
    " change nothing. Each sum of a booking month and a month of recognition is converted by itself, and what is booked"
    " is their sum: so opening and closing tie to the last digit.",
    "F5",
)
DEFINITIONS = (
    Definition(
        "Roll-forward",
        "Opening + booked + credited − recognised − caught up = closing. Credited is what cancellations and other"
        " credits take back; it is negative.",
        "F5",
    ),
    Definition(
        "Caught up",
        "What belongs to earlier months by date and was booked after them: it is earned in the month of booking, since"
        " a closed month never changes. Credits that reach back are caught up with the opposite sign.",
        "F1",
    ),
    Definition(
        "Current",
        "Of the closing amount, what will be earned in the twelve months after, by what is booked by then. The rest is"
        " non-current.",
        "F5",
    ),
)


def read_report(filters: ReportFilters, today: date) -> Report:
    """The roll-forward of the months asked for, a section for each currency."""
    sections = [_section(filters, currency) for currency in figures.currencies_of(filters)]
    if not sections:
        return Report("Nothing has been sold yet, so nothing is deferred.", (), DEFINITIONS)
    definitions = (*DEFINITIONS, DEFINITION_OF_DIFFERENCE) if filters.currency == REPORTING else DEFINITIONS
    return Report(
        "What customers have paid for in advance, and how it is earned month by month.", sections, definitions
    )


def _section(filters: ReportFilters, currency: str) -> Section:
    sums = figures.month_figures(filters, currency, figures=(*figures.FLOWS, "current"))
    opening = figures.deferred_at(filters, currency, following(filters.first_month, -1))
    rows, before, currents, others = [], opening, [], []
    for month in filters.months():
        row = sums.get((month,), {})
        after = before + figures.deferred_by(row)
        rows.append(_row(filters, currency, month, before, row, after))
        before = after
        currents.append(row.get("current", 0))
        others.append(after - row.get("current", 0))
    totals = {name: sum(row[name] for row in sums.values()) for name in figures.FLOWS}
    first, last = filters.first_month, filters.last_month
    total = (
        "All months",
        lines_of("deferred", filters, currency, following(first, -1), opening),
        *(lines_of(name, filters, currency, first, totals[name], until=last) for name in figures.FLOWS),
        *_difference(filters, currency),
        lines_of("deferred", filters, currency, last, before),
        *_parts(filters, currency, last, before, sums.get((last,), {})),
    )
    assert before == opening + figures.deferred_by(totals), "the months' changes add up to the whole change"
    lead = f"{write_money(before, currency)} is deferred at the end of {filters.last_month:%B %Y}."
    chart = Chart(
        "deferred",
        "Deferred at the end of each month",
        f"Bars of what is deferred at the end of each month. {lead}",
        ChartSpec("stacked", tuple(filters.months()), (("Current", currents), ("Non-current", others)), currency),
        "months",
    )
    columns = CONVERTED if filters.currency == REPORTING else COLUMNS
    table = Table("months", "Roll-forward of deferred revenue", columns, rows, total)
    return Section(currency, lead, (table,), (chart,))


def _difference(filters: ReportFilters, currency: str) -> tuple[Amount, ...]:
    return (Amount(0, currency),) if filters.currency == REPORTING else ()


def _row(filters: ReportFilters, currency: str, month: date, before: int, row: Mapping[str, int], after: int) -> Row:
    return (
        month,
        lines_of("deferred", filters, currency, following(month, -1), before),
        *(lines_of(name, filters, currency, month, row.get(name, 0)) for name in figures.FLOWS),
        *_difference(filters, currency),
        lines_of("deferred", filters, currency, month, after),
        *_parts(filters, currency, month, after, row),
    )


def _parts(filters: ReportFilters, currency: str, month: date, closing: int, row: Mapping[str, int]) -> Row:
    """What is deferred at the end of a month, current and non-current."""
    current = row.get("current", 0)
    return (
        lines_of("current", filters, currency, month, current),
        lines_of("non_current", filters, currency, month, closing - current),
    )


KIND = ReportKind(
    "roll-forward",
    "Deferred revenue",
    "How did what is deferred change, month by month?",
    read_report,
)

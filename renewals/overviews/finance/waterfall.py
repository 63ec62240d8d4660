"""The waterfall: what was booked in a month, and in which months it is earned (F5)."""

from collections.abc import Mapping, Sequence
from datetime import date

from portal.sheets import Amount
from portal.wording import write_money, write_month
from renewals.calendar import following
from renewals.charts import ChartSpec
from renewals.overviews.finance import figures
from renewals.overviews.finance.addresses import lines_of
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Chart, Column, Definition, Report, ReportKind, Row, Section, Table

MOST_COLUMNS = 24  # months side by side
DEFINITIONS = (
    Definition(
        "Waterfall",
        "A row for each month of booking, a column for each month of recognition: what was booked in the one is earned"
        " in the other, catch-up included. A column adds up to what is recognised in its month.",
        "F5",
    ),
    Definition(
        "Before",
        "Everything that was booked before the first month: its total is what was deferred when that month began.",
        "F5",
    ),
    Definition(
        "Later",
        "What is earned after the last month, of what is booked by its end: its total is what is deferred then.",
        "F5",
    ),
    Definition("Total", "Of a month of booking: booked less credited in it, as it is earned sooner or later.", "F1"),
)


def read_report(filters: ReportFilters, today: date) -> Report:
    """The waterfall of the months asked for, of the last of them where they are too many, for each currency."""
    first = max(filters.first_month, following(filters.last_month, 1 - MOST_COLUMNS))
    shown = filters._replace(first_month=first)
    sections = [_section(shown, currency, today) for currency in figures.currencies_of(filters)]
    if not sections:
        return Report("Nothing has been sold yet, so nothing is earned in any month.", (), DEFINITIONS)
    notes = []
    if first > filters.first_month:
        notes.append(f"The last {MOST_COLUMNS} of the months asked for are shown, the rest is in “Before”.")
    return Report(
        "What was booked when, and when it is earned: read a row to the right to follow a month’s bookings.",
        sections,
        DEFINITIONS,
        notes,
    )


Cells = Mapping[tuple[date, date], int]


def _section(filters: ReportFilters, currency: str, today: date) -> Section:
    months = list(filters.months())
    cells = {key: sum(row.values()) for key, row in figures.booking_figures(filters, currency).items()}
    ahead = figures.booking_figures(
        filters, currency, ("booked_month",), first_month=following(filters.last_month), last_month=date.max
    )
    later = {booked: sum(row.values()) for (booked,), row in ahead.items() if booked <= filters.last_month}
    deferred = sum(later.values())
    table = _table(filters, currency, months, cells, later)
    end = f"{filters.last_month:%B %Y}"
    lead = f"Of what is booked by the end of {end}, {write_money(deferred, currency)} is earned later."
    return Section(currency, lead, (table,), (_chart(currency, months, cells, today),))


def _table(
    filters: ReportFilters, currency: str, months: Sequence[date], cells: Cells, later: Mapping[date, int]
) -> Table:
    first, last = filters.first_month, filters.last_month
    booked = {each for each, _ in cells} | set(later)

    def row(head: date | str, bookings: Sequence[date], **narrowed: date) -> Row:
        by_month = [sum(cells.get((each, month), 0) for each in bookings) for month in months]
        after = sum(later.get(each, 0) for each in bookings)
        return (
            head,
            *(
                lines_of("earned", filters, currency, month, amount, **narrowed) if month >= bookings[0] else None
                for month, amount in zip(months, by_month, strict=True)
            ),
            lines_of("deferred", filters, currency, last, after, **narrowed),
            Amount(sum(by_month) + after, currency),
        )

    rows = []
    if before := sorted(each for each in booked if each < first):
        rows.append(row(f"Before {write_month(first)}", before, booked_to=following(first, -1)))
    rows += [row(month, [month], booked_from=month, booked_to=month) for month in months if month in booked]
    columns = (
        Column("Booked", 16, "month"),
        *(Column(write_month(month), 14, "amount") for month in months),
        Column("Later", 16, "amount"),
        Column("Total", 16, "amount"),
    )
    return Table(
        "waterfall",
        "Month of booking and month of recognition",
        columns,
        rows,
        row("All bookings", sorted(booked) or months),
    )


def _chart(currency: str, months: Sequence[date], cells: Cells, today: date) -> Chart:
    years = sorted({booked.year for booked, _ in cells})
    series = [(f"Booked {year}", [_of_year(cells, year, month) for month in months]) for year in years]
    return Chart(
        "years",
        "Recognised revenue by year of booking",
        "Stacked bars, one a month, of what was recognised, told apart by the year in which it was booked."
        " The table below has the amounts by month of booking.",
        ChartSpec("stacked", tuple(months), series, currency, ahead_from=following(today.replace(day=1))),
        "waterfall",
    )


def _of_year(cells: Cells, year: int, month: date) -> int:
    return sum(amount for (booked, earned), amount in cells.items() if booked.year == year and earned == month)


KIND = ReportKind(
    "waterfall",
    "Waterfall",
    "In which months is earned what was booked in a month?",
    read_report,
)

"""Renewals (F5): what was due and what came of it, what customers keep, and why quotes were declined."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from dongles.models import Product
from portal.models import Customer
from portal.sheets import Amount, Rate
from portal.wording import count, write_month, write_share
from renewals.charts import ChartSpec
from renewals.overviews.finance import declined
from renewals.overviews.finance import renewal_figures as figures
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.renewal_figures import DueSums
from renewals.overviews.finance.reports import (
    Chart,
    Column,
    Definition,
    Figure,
    Report,
    ReportKind,
    Row,
    Section,
    Table,
)
from renewals.retention import Retention

MOST_ROWS = 50

DUE_COLUMNS = (
    Column("Due", 9, "count"),
    Column("Renewed in time", 16, "count"),
    Column("Won back", 10, "count"),
    Column("Lost", 9, "count"),
    Column("Open", 9, "count"),
    Column("Rate", 9, "rate"),
    Column("Value due", 16, "amount"),
    Column("Value kept", 16, "amount"),
    Column("Rate by value", 14, "rate"),
    Column("Value lost", 16, "amount"),
)
RETENTION_COLUMNS = (
    Column("End of month", 13, "month"),
    Column("A year before", 16, "amount"),
    Column("Kept", 16, "amount"),
    Column("Lost", 16, "amount"),
    Column("Shrunk", 16, "amount"),
    Column("GRR", 8, "rate"),
    Column("Now", 16, "amount"),
    Column("NRR", 8, "rate"),
    Column("Customers a year before", 22, "count"),
    Column("Of them kept", 14, "count"),
    Column("Annual value of all", 18, "amount"),
)
DEFINITIONS = (
    Definition(
        "Due",
        "The dongles whose paid-through date, as it stood before their renewal, lies in the month: once for each"
        " renewal, so that what was bought in advance does not flatter the rate.",
        "F5",
    ),
    Definition(
        "Renewed in time",
        "The new period follows the old one without a gap, and was ordered before the days of grace were over.",
        "F5",
    ),
    Definition("Won back", "Covered again later than that. It stands beside the rate and is never in it.", "F5"),
    Definition(
        "Lost and open",
        "Due and not covered again as of today: open until the days of grace are over, lost from then on. A month in"
        " which anything is open is unfinished and has no rate yet.",
        "F5",
    ),
    Definition(
        "Rate",
        "By count, renewed in time ÷ due. By value, the sum of the smaller of new and old annual value of what was"
        " renewed in time ÷ the old annual value of all that was due, as far as it is known: of what came on record"
        " when the dongles came in, it is not.",
        "F5",
    ),
    Definition(
        "Annual value",
        "On a day, of the SMA lines whose period contains it: net amount × 12 ÷ months. Licences, upgrades, fees and"
        " back pay have none.",
        "F5",
    ),
    Definition(
        "GRR, NRR and churn",
        "Of the customers who had an annual value on the same day twelve months before. GRR: the sum of the smaller of"
        " now and then ÷ then. NRR: now ÷ then. Churn is 1 − GRR: lost with customers who have nothing now, shrunk with"
        " the others. New and won-back customers are in none of them.",
        "F5",
    ),
    Definition(
        "Cohort",
        "The customers whose first SMA, bought or on record, began in a year: how many are covered on the last day of"
        " each year, and their annual value then.",
        "F5",
    ),
)
NOTES = (
    "Countries and segments are those that customers have today; customers that were merged count as one. Nothing here"
    " is converted: each currency stands by itself.",
)


def read_report(filters: ReportFilters, today: date) -> Report:
    """The report of the months asked for, a section for each currency."""
    currencies = [each for each in figures.currencies() if filters.currency in ("", REPORTING, each)]
    notes: tuple[str, ...] = NOTES
    if waiting := figures.waiting():
        notes = (f"{count(waiting, 'change')} are being worked in: look again in a minute.", *NOTES)
    if not currencies:
        return Report("Nothing has been due yet.", (), DEFINITIONS, notes)
    sections = [_section(filters, currency, today) for currency in currencies]
    lead = "What was due for renewal, what came of it, and what customers keep year by year."
    return Report(lead, sections, DEFINITIONS, notes)


def _section(filters: ReportFilters, currency: str, today: date) -> Section:
    months = figures.due_by_month(filters, currency, today)
    retention = figures.retention_by_month(filters, currency, today)
    tables = [
        _months(filters, currency, months, today),
        _retention(filters, currency, retention),
        *_cohorts(filters, currency, today.year),
        _products(filters, currency, today),
        _customers(filters, currency, today),
        declined.reasons_table(filters, currency, MOST_ROWS),
    ]
    charts = (_rate_chart(months, today), _retention_chart(retention))
    shown = [each for each in charts if each.spec.labels]  # where no month is over there is nothing to draw
    return Section(currency, _lead(months, retention, today), tables, shown)


def _lead(months: Mapping[date, DueSums], retention: Mapping[date, Retention], today: date) -> str:
    total = _sum(sums for month, sums in months.items() if figures.is_over(month, sums, today))
    said = [f"Of {count(total.due, 'dongle')} due in the months that are over, {total.renewed:,} renewed in time"]
    if (share := total.rate.value) is not None:
        said[0] += f" ({write_share(share)})"
    said[0] += f"; {total.won_back:,} {'was' if total.won_back == 1 else 'were'} won back later."
    if retention:
        month, last = list(retention.items())[-1]
        if last.then:
            grr, nrr = (Rate(part, last.then).value for part in (last.kept, last.now))
            assert grr is not None, "there is something to be a share of"
            assert nrr is not None, "there is something to be a share of"
            said.append(f"At the end of {write_month(month)} GRR was {write_share(grr)} and NRR {write_share(nrr)}.")
    return " ".join(said)


def _sum(all_sums: Iterable[DueSums]) -> DueSums:
    total = figures.NOTHING
    for sums in all_sums:
        total = total.plus(sums)
    return total


def _months(filters: ReportFilters, currency: str, months: Mapping[date, DueSums], today: date) -> Table:
    rows: list[Row] = []
    for month, sums in months.items():
        of_month = filters._replace(first_month=month, last_month=month)
        is_over = figures.is_over(month, sums, today)
        rows.append((month, "" if is_over else "unfinished", *_due_cells(of_month, currency, sums, rated=is_over)))
    over = _sum(sums for month, sums in months.items() if figures.is_over(month, sums, today))
    everything = _due_cells(filters, currency, _sum(months.values()), rated=False)
    cells = [*everything[:5], over.rate, *everything[6:8], over.rate_by_value, everything[9]]
    columns = (Column("Month", 10, "month"), Column("So far", 11, "text"), *DUE_COLUMNS)
    note = "The rates below the table are those of the months that are over."
    return Table("due", "Due and renewed, by month", columns, rows, ("All months", "", *cells), note)


def _due_cells(
    filters: ReportFilters, currency: str, sums: DueSums, *, rated: bool = True
) -> tuple[Figure | Rate | None, ...]:
    def opens(number: int, **asked: object) -> Figure:
        return Figure(number, dongles_address(filters, currency, **asked) if number else "")

    def valued(value: int, **asked: object) -> Figure:
        return opens(value, **asked)._replace(value=Amount(value, currency))

    return (
        opens(sums.due),
        opens(sums.renewed, outcome="renewed"),
        opens(sums.won_back, outcome="won_back"),
        opens(sums.lost, outcome="lost"),
        opens(sums.open, outcome="open"),
        sums.rate if rated else None,
        valued(sums.due_value),
        valued(sums.kept_value, outcome="renewed"),
        sums.rate_by_value if rated else None,
        valued(sums.lost_value, outcome="lost"),
    )


def dongles_address(filters: ReportFilters, currency: str, **asked: object) -> str:
    """The page with the dongles that a figure counts."""
    return f"/finance/due/?{filters.query(currency=currency, **asked)}"


def _retention(filters: ReportFilters, currency: str, retention: Mapping[date, Retention]) -> Table:
    rows = []
    for month, of_month in retention.items():
        address = f"/finance/kept/?{filters.query(first_month=month, last_month=month, currency=currency)}"
        then, kept, lost, shrunk, now = (
            Figure(Amount(value, currency), address if value else "")
            for value in (of_month.then, of_month.kept, of_month.lost, of_month.shrunk, of_month.now)
        )
        rows.append(
            (
                month,
                *(then, kept, lost, shrunk),
                Rate(of_month.kept, of_month.then),
                now,
                Rate(of_month.now, of_month.then),
                of_month.customers_then,
                of_month.customers_kept,
                Amount(of_month.value, currency),
            )
        )
    note = "Kept, lost and shrunk add up to the value a year before. A month that is not over is not shown."
    return Table("retention", "What customers keep, at the end of each month", RETENTION_COLUMNS, rows, None, note)


def _cohorts(filters: ReportFilters, currency: str, last_year: int) -> list[Table]:
    found = figures.cohorts(filters, currency, last_year)
    firsts = sorted({first for first, _ in found})
    years = range(min(firsts, default=last_year), last_year + 1)
    first = Column("First year", 11, "text")
    tables = []
    for key, caption, kind in (
        ("cohort_customers", "Customers covered at the end of each year, by first year", "count"),
        ("cohort_values", "Annual value at the end of each year, by first year", "amount"),
    ):
        rows = []
        for began in firsts:
            sums = [found.get((began, year), figures.CohortSums(0, 0)) for year in years]
            cells = [each.customers if kind == "count" else Amount(each.value, currency) for each in sums]
            rows.append(
                (str(began), *(cell if year >= began else None for year, cell in zip(years, cells, strict=True)))
            )
        columns = (first, *(Column(str(year), 14, kind) for year in years))
        note = f"{last_year} is as sold so far."
        if kind == "amount":
            note += " What came on record when the dongles came in has no value."
        tables.append(Table(key, caption, columns, rows, None, note))
    return tables


def _products(filters: ReportFilters, currency: str, today: date) -> Table:
    found = figures.due_by_product(filters, currency, today)
    names = dict(Product.objects.filter(pk__in=found).values_list("pk", "name"))
    rows = [
        (names[product], *_due_cells(filters._replace(product=product), currency, found[product]))
        for product in sorted(found, key=lambda each: names[each])
    ]
    columns = (Column("Product", 30, "text"), *DUE_COLUMNS)
    note = "A dongle counts with each product that it carries, so the products don’t add up to all dongles."
    return Table("products", "By product", columns, rows, None, note)


def _customers(filters: ReportFilters, currency: str, today: date) -> Table:
    found = figures.due_by_customer(filters, currency, today, MOST_ROWS)
    names = dict(Customer.objects.filter(pk__in=found).values_list("pk", "name"))
    rows: Sequence[Row] = [
        (
            Figure(names[customer], f"/customers/{customer}/"),
            *_due_cells(filters._replace(customer=customer), currency, sums),
        )
        for customer, sums in found.items()
    ]
    columns = (Column("Customer", 40, "text"), *DUE_COLUMNS)
    note = f"The {MOST_ROWS} customers with the greatest value lost are shown." if len(rows) == MOST_ROWS else ""
    return Table("customers", "Customers with dongles lost, by value", columns, rows, None, note)


def _rate_chart(months: Mapping[date, DueSums], today: date) -> Chart:
    over = {month: sums for month, sums in months.items() if figures.is_over(month, sums, today)}
    spec = ChartSpec(
        "lines",
        list(over),
        (
            ("By count", [_part(sums.rate) for sums in over.values()]),
            ("By value", [_part(sums.rate_by_value) for sums in over.values()]),
        ),
        "rate",
    )
    return Chart("renewal-rate", "Renewal rate", "The renewal rate of each month that is over.", spec, "due")


def _retention_chart(retention: Mapping[date, Retention]) -> Chart:
    spec = ChartSpec(
        "lines",
        list(retention),
        (
            ("GRR", [_part(Rate(each.kept, each.then)) for each in retention.values()]),
            ("NRR", [_part(Rate(each.now, each.then)) for each in retention.values()]),
        ),
        "rate",
    )
    words = "What customers keep of their annual value over twelve months, without growth (GRR) and with it (NRR)."
    return Chart("retention", "GRR and NRR", words, spec, "retention")


def _part(rate: Rate) -> float | None:
    return None if rate.value is None else float(rate.value)


KIND = ReportKind(
    "renewals",
    "Renewals",
    "How much of what was due was renewed, and what do customers keep?",
    read_report,
    currencies=figures.currencies,
)

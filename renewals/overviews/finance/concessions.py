"""What was given away with sales: free days and months, discounts, waived upgrades, honoured terms, bridging codes."""

from datetime import date

from django.db.models import QuerySet

from portal.models import User
from portal.wording import count, write_money
from renewals.calendar import last_day
from renewals.conceded import FREE_DAYS, FREE_MONTHS, HONOURED, MULTI_YEAR, NEGOTIATED, WAIVED_UPGRADE
from renewals.models import Bridge
from renewals.overviews.finance import figures
from renewals.overviews.finance.fact_tables import FactTables
from renewals.overviews.finance.figures import customer_ids
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Column, Definition, Figure, Report, ReportKind, Row, Section, Table
from renewals.overviews.finance.sale_facts import (
    NOBODY,
    Opener,
    Total,
    Totals,
    fact_sums,
    totals_by,
)

KINDS = (FREE_DAYS, FREE_MONTHS, MULTI_YEAR, NEGOTIATED, WAIVED_UPGRADE, HONOURED)
WORTH = KINDS[:-1]
COLUMNS = (
    Column("Free days", 10, "count"),
    Column("Worth of the days", 16, "amount"),
    Column("Free months", 10, "count"),
    Column("Worth of the months", 16, "amount"),
    Column("Off for several years", 16, "amount"),
    Column("Off by negotiation", 16, "amount"),
    Column("Upgrades waived", 10, "count"),
    Column("Worth of the upgrades", 16, "amount"),
    Column("Older terms honoured", 10, "count"),
    Column("Given away", 16, "amount"),
)
BRIDGES = (
    Column("Month", 10, "month"),
    Column("Bridging codes", 10, "count"),
    Column("Days bridged", 10, "count"),
    Column("Then ordered", 10, "count"),
)
DEFINITIONS = (
    Definition(
        "Free days",
        "Days that an order got on top because it came later than its quote, whose last day moved with it. Worth: the"
        " SMA of the line ÷ the days that were paid for × the free days. Where a licence bought nothing, its free days"
        " are worth what the price list of the quote asks for them.",
        "Q1",
    ),
    Definition(
        "Free months",
        "Months given on top of what was bought. Worth: the SMA of the line ÷ the months that were paid for × the free"
        " months; for a licence that bought nothing, at the price list of the quote.",
        "Q3",
    ),
    Definition(
        "Discounts",
        "What each took off the price list: first that for several years at once, by policy, then the negotiated one.",
        "P8",
    ),
    Definition(
        "Upgrades waived",
        "Licences that came back over a major release and were not charged an upgrade. Worth: that upgrade at the price"
        " list of the quote, less the SMA that it includes and the back pay that was paid in its place.",
        "Q3, P7",
    ),
    Definition(
        "Older terms honoured",
        "Orders accepted after a new price list or a major release that would have changed their quote. What that would"
        " have cost is not on record, so they are counted and have no worth; each stands with its first line.",
        "Q1",
    ),
    Definition(
        "Bridging codes",
        "Codes that moved a dongle’s date past the day through which it was paid for, in the month in which they were"
        " granted; “then ordered” are those whose quote became an order. Filters on product and currency do not apply.",
        "Q7",
    ),
    Definition(
        "Which orders",
        "Orders fulfilled in the month. A cancelled order stays, one that was annulled as a mistake does not.",
        "F4",
    ),
)


def read_report(filters: ReportFilters, today: date) -> Report:
    """What was given away by month, product and who approved it, in a section for each currency; then the bridges."""
    sections = [_section(filters, currency) for currency in figures.currencies_of(filters)]
    bridged = _bridges(filters)
    if bridged is not None:
        sections.append(bridged)
    return Report("What sales cost beside their price: concessions, and what rules gave.", sections, DEFINITIONS)


def _section(filters: ReportFilters, currency: str) -> Section:
    sums = fact_sums(filters, currency, KINDS)
    worth = _given_away(totals_by(sums, lambda each: None).get(None, {}))
    lead = (
        f"{write_money(worth, currency)} was given away from {filters.first_month:%B %Y} to {filters.last_month:%B %Y}."
    )
    if not sums:
        return Section(currency, "Nothing was given away in these months.", ())
    tables = FactTables(sums, filters, currency, COLUMNS, _cells)
    return Section(currency, lead, (tables.by_month(), tables.by_product(), _by_approver(tables)))


def _by_approver(tables: FactTables) -> Table:
    totals = totals_by(tables.sums, lambda each: each.approved_by_id)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=[key for key in totals if key is not None])}
    ordered: list[tuple[object, str]] = [*sorted(names.items(), key=lambda each: (each[1], each[0]))]
    if None in totals:
        ordered.append((None, "Nobody had to"))
    rows = [(name, *tables.row(totals[pk], approved_by=pk or NOBODY)) for pk, name in ordered]
    note = "Rules and the discounts within the limit of who sold need nobody’s approval (Q3)."
    columns = (Column("Approved by", 30, "text"), *COLUMNS)
    return Table("by-approval", "By who approved", columns, rows, tables.total(), note)


def _cells(totals: Totals, opener: Opener) -> Row:
    def of(kind: str) -> Total:
        return totals.get(kind, Total())

    return (
        opener.counted(of(FREE_DAYS).number, FREE_DAYS),
        opener.amount(of(FREE_DAYS).amount, FREE_DAYS),
        opener.counted(of(FREE_MONTHS).number, FREE_MONTHS),
        opener.amount(of(FREE_MONTHS).amount, FREE_MONTHS),
        opener.amount(of(MULTI_YEAR).amount, MULTI_YEAR),
        opener.amount(of(NEGOTIATED).amount, NEGOTIATED),
        opener.counted(of(WAIVED_UPGRADE).lines, WAIVED_UPGRADE),
        opener.amount(of(WAIVED_UPGRADE).amount, WAIVED_UPGRADE),
        opener.counted(of(HONOURED).lines, HONOURED),
        opener.amount(_given_away(totals), *WORTH),
    )


def _given_away(totals: Totals) -> int:
    return sum(total.amount for kind, total in totals.items() if kind in WORTH)


def _bridges(filters: ReportFilters) -> Section | None:
    """The bridging codes of the months, which have no amount; none where there were none."""
    found: dict[date, list[int]] = {month: [0, 0, 0] for month in filters.months()}
    bridges = _bridges_of(filters).values_list("granted_on", "paid_through", "ends_on", "version__quote__order__pk")
    for granted_on, paid_through, ends_on, order in bridges:
        counted = found[granted_on.replace(day=1)]
        counted[0] += 1
        counted[1] += (ends_on - paid_through).days
        counted[2] += order is not None
    total = [sum(each) for each in zip(*found.values(), strict=True)]
    if not total[0]:
        return None
    rows: list[Row] = [
        (month, *(Figure(each, f"/bridges/?granted={month:%Y-%m}" if each else "") for each in counted))
        for month, counted in found.items()
    ]
    codes = f"{count(total[0], 'bridging code')} {'was' if total[0] == 1 else 'were'}"
    lead = f"{codes} granted for {count(total[1], 'day')}; {total[2]} of their quotes were then ordered."
    return Section("", lead, (Table("bridges", "Bridging codes", BRIDGES, rows, ("All months", *total)),))


def _bridges_of(filters: ReportFilters) -> QuerySet[Bridge]:
    bridges = Bridge.objects.filter(granted_on__range=(filters.first_month, last_day(filters.last_month)))
    if filters.country:
        bridges = bridges.filter(version__quote__customer__country=filters.country)
    if filters.segment:
        bridges = bridges.filter(version__price_list__segment=filters.segment)
    if filters.customer is not None:
        bridges = bridges.filter(version__quote__customer__in=customer_ids(filters.customer))
    return bridges.order_by()


KIND = ReportKind(
    "given-away",
    "What was given away",
    "What did concessions and promises cost, and who approved them?",
    read_report,
)

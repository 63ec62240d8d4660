"""Upgrades against SMAs: what lapses cost customers and brought the vendor (P6, P7)."""

from datetime import date

from portal.sheets import Amount
from portal.wording import write_money
from renewals.conceded import BACK_PAY, FEE, GAP, GAP_UPGRADED, UPGRADE, UPGRADE_SMA
from renewals.overviews.finance import figures
from renewals.overviews.finance.fact_tables import FactTables
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Column, Definition, Report, ReportKind, Row, Section
from renewals.overviews.finance.sale_facts import Opener, Total, Totals, fact_sums, totals_by

KINDS = (UPGRADE, UPGRADE_SMA, GAP_UPGRADED, GAP, BACK_PAY, FEE)
COLUMNS = (
    Column("Upgrades", 10, "count"),
    Column("Paid for upgrades", 16, "amount"),
    Column("Of it SMA", 16, "amount"),
    Column("SMA they had missed", 16, "amount"),
    Column("Back without upgrade", 10, "count"),
    Column("SMA these had missed", 16, "amount"),
    Column("Back pay", 16, "amount"),
    Column("Reinstatement fees", 16, "amount"),
    Column("Lapses brought", 16, "amount"),
    Column("More than the SMA missed", 16, "amount"),
)
DEFINITIONS = (
    Definition(
        "Upgrades",
        "Lines sold to licences that came back having missed a major release, at their net price; “of it SMA” is the"
        " share of the months that an upgrade includes.",
        "P7, F3",
    ),
    Definition(
        "SMA missed",
        "What the SMA from the day after the last covered one through the day before the order was fulfilled would have"
        " cost: its months × the SMA year × the seats, at the price list of that sale. Licences that never came"
        " back are not counted.",
        "D2, P6",
    ),
    Definition(
        "Back without upgrade",
        "Licences that came back having missed no major release, or whose upgrade was waived.",
        "P6",
    ),
    Definition(
        "Lapses brought",
        "What was paid for upgrades, less the SMA that they include, plus back pay and reinstatement fees. Against it"
        " stands the SMA that was missed; a negative difference means that customers saved by lapsing.",
        "P6, P7",
    ),
    Definition(
        "Which orders",
        "Orders fulfilled in the month. A cancelled order stays, one that was annulled as a mistake does not.",
        "F4",
    ),
)


def read_report(filters: ReportFilters, today: date) -> Report:
    """What lapses brought, by month and product, in a section for each currency."""
    sections = [_section(filters, currency) for currency in figures.currencies_of(filters)]
    return Report(
        "What customers paid who let their SMA lapse, beside what the SMA would have cost.", sections, DEFINITIONS
    )


def _section(filters: ReportFilters, currency: str) -> Section:
    sums = fact_sums(filters, currency, KINDS)
    if not sums:
        return Section(currency, "Nobody came back after a lapse in these months.", ())
    tables = FactTables(sums, filters, currency, COLUMNS, _cells)
    lead = _lead(totals_by(sums, lambda each: None)[None], currency)
    return Section(currency, lead, (tables.by_month(), tables.by_product()))


def _lead(totals: Totals, currency: str) -> str:
    """The balance both ways, in plain sentences."""

    def money(kind: str) -> str:
        return write_money(totals.get(kind, Total()).amount, currency)

    brought, missed = _brought(totals), _missed(totals)
    if brought == missed:
        balance = "just what the SMAs that were missed would have cost"
    else:
        word = "more" if brought > missed else "less"
        balance = f"{write_money(abs(brought - missed), currency)} {word} than the SMAs that were missed"
    return (
        f"Customers who let their SMA lapse paid {money(UPGRADE)} for upgrades; the SMAs of the time they missed would"
        f" have cost {money(GAP_UPGRADED)}. Those who came back without an upgrade had missed SMAs of {money(GAP)}."
        f" With back pay and fees, and without the SMA that upgrades include, lapses brought"
        f" {write_money(brought, currency)}: {balance}."
    )


def _brought(totals: Totals) -> int:
    return sum(
        sign * totals.get(kind, Total()).amount
        for kind, sign in ((UPGRADE, 1), (UPGRADE_SMA, -1), (BACK_PAY, 1), (FEE, 1))
    )


def _missed(totals: Totals) -> int:
    return sum(totals.get(kind, Total()).amount for kind in (GAP_UPGRADED, GAP))


def _cells(totals: Totals, opener: Opener) -> Row:
    def of(kind: str) -> Total:
        return totals.get(kind, Total())

    return (
        opener.counted(of(UPGRADE).lines, UPGRADE),
        opener.amount(of(UPGRADE).amount, UPGRADE),
        opener.amount(of(UPGRADE_SMA).amount, UPGRADE_SMA),
        opener.amount(of(GAP_UPGRADED).amount, GAP_UPGRADED),
        opener.counted(of(GAP).lines, GAP),
        opener.amount(of(GAP).amount, GAP),
        opener.amount(of(BACK_PAY).amount, BACK_PAY),
        opener.amount(of(FEE).amount, FEE),
        Amount(_brought(totals), opener.currency),
        Amount(_brought(totals) - _missed(totals), opener.currency),
    )


KIND = ReportKind(
    "upgrades",
    "Upgrades against SMAs",
    "What did lapses cost customers, and what did they bring us?",
    read_report,
)

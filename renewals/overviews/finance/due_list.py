"""The dongles that figures of renewals count, and the customers whose values they add up, one by one (F5)."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from django.db.models import QuerySet

from portal.models import Customer
from portal.sheets import Amount, Cell, Column
from portal.wording import NOTHING, write_money
from renewals.models import DueDongle
from renewals.overviews.finance import renewal_figures as figures
from renewals.overviews.finance.filters import ReportFilters
from renewals.retention import Outcome

OUTCOMES = {
    Outcome.RENEWED: "Renewed in time",
    Outcome.WON_BACK: "Won back",
    Outcome.LOST: "Lost",
    Outcome.OPEN: "Open",
}
COLUMNS = (
    Column("Due", 12),
    Column("Dongle", 14),
    Column("Customer", 40),
    Column("Country", 8),
    Column("What came of it", 16),
    Column("Last day of grace", 16),
    Column("Order", 11),
    Column("Covered again from", 17),
    Column("Value before", 14),
    Column("Value after", 14),
    Column("Value kept", 14),
    Column("Currency", 9),
)


class DueRow(NamedTuple):
    """A dongle that was due, in words."""

    due: DueDongle
    outcome: str
    before: str
    after: str
    kept: str


def due_rows(filters: ReportFilters, outcome: str, today: date) -> QuerySet[DueDongle]:
    """The dongles due in the months asked for, with the outcome asked for as of today; the earliest first."""
    rows = figures.due_dongles(filters, filters.currency)
    if outcome in (Outcome.RENEWED, Outcome.WON_BACK):
        rows = rows.filter(outcome=outcome)
    elif outcome == Outcome.LOST:
        rows = rows.filter(outcome="", grace_ends_on__lt=today)
    elif outcome == Outcome.OPEN:
        rows = rows.filter(outcome="", grace_ends_on__gte=today)
    # PostgreSQL takes the order from the index if all its columns are named, the empty ones too.
    return rows.order_by("family_id", "product_id", "due_on", "id")


def shown(rows: Iterable[DueDongle], today: date) -> list[DueRow]:
    """Rows for a page, with dongle, customer and order."""
    found = []
    for due in rows:
        is_known = due.is_valued
        found.append(
            DueRow(
                due,
                OUTCOMES[outcome_of(due, today)],
                write_money(due.old_value, due.currency) if is_known else NOTHING,
                write_money(due.new_value, due.currency) if is_known and due.outcome else NOTHING,
                write_money(due.kept_value, due.currency) if is_known else NOTHING,
            )
        )
    return found


def outcome_of(due: DueDongle, today: date) -> Outcome:
    """F5: what came of it as of a day."""
    if due.outcome:
        return Outcome(due.outcome)
    return Outcome.LOST if due.grace_ends_on < today else Outcome.OPEN


def cells(rows: Iterable[DueDongle], today: date) -> Iterator[list[Cell]]:
    """Rows for a file."""
    for due in rows:
        amounts = [
            Amount(value, due.currency) if due.is_valued else None
            for value in (due.old_value, due.new_value, due.kept_value)
        ]
        yield [
            due.due_on,
            due.dongle.serial,
            due.customer.name,
            due.country,
            OUTCOMES[outcome_of(due, today)],
            due.grace_ends_on,
            due.order.number if due.order else None,
            due.covered_again_on,
            *amounts,
            due.currency,
        ]


class KeptRow(NamedTuple):
    """What a customer kept of the annual value twelve months before; money in words."""

    customer: Customer
    then: str
    now: str
    kept: str
    lost: str
    shrunk: str


def kept_rows(rows: Iterable[dict[str, int]], currency: str) -> list[KeptRow]:
    """Rows for a page, of renewal_figures.kept_by_customer."""
    asked = list(rows)
    customers = Customer.objects.in_bulk([row["customer"] for row in asked])
    found = []
    for row in asked:
        then, now, kept, lost = (row[f"sum_{name}"] for name in ("then", "now", "kept", "lost"))
        amounts = (write_money(amount, currency) for amount in (then, now, kept, lost, then - kept - lost))
        found.append(KeptRow(customers[row["customer"]], *amounts))
    return found

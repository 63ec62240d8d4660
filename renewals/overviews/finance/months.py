"""The months of the ledger: which are closed, by whom and as what, and which is next."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import QuerySet, Sum

from renewals.calendar import following, last_day
from renewals.digests import FLOWS, InMonth
from renewals.invariants.closes import differences
from renewals.invariants.findings import Finding
from renewals.models import AccountingMonth, LedgerEntry, MonthClose, MonthFigures, MonthReopening
from renewals.month_sums import sums_by_rules
from renewals.overviews.finance.changes import Changes, Known, changes_of, known_today
from renewals.overviews.finance.closing import Checklist, is_long, read_checklist
from renewals.overviews.finance.figures import deferred_by
from renewals.overviews.finance.ledger_months import first_month, next_month


class MonthRow(NamedTuple):
    """A month of the list. `state` is "closed", "reopened", "due" (it can be closed), "waiting" (an earlier one comes
    first) or "running"; the totals are those of its newest close, else those of the sums."""

    month: date
    state: str
    close: MonthClose | None
    totals: Mapping[str, InMonth]

    @property
    def has_caught_up(self) -> bool:
        """Whether anything of earlier months was booked in it."""
        return any(total.caught_up for total in self.totals.values())


class Months(NamedTuple):
    """All months, the newest first; the one that is next; and the requests to open one that wait for a decision."""

    rows: Sequence[MonthRow]
    next_month: date | None
    next_is_over: bool
    asked: Sequence[MonthReopening]


def month_list(today: date) -> Months:
    """Every month from the ledger's first to today's."""
    first, due = first_month(), next_month()
    asked = MonthReopening.objects.filter(is_granted__isnull=True).select_related("close", "asked_by")
    if first is None:
        return Months([], None, False, [])
    closes = {close.month_id: close for close in _closes().order_by("month", "revision")}
    closed = set(AccountingMonth.objects.filter(is_closed=True).values_list("month", flat=True))
    sums, rows, month = _totals_by_sums(), [], first
    carried: dict[str, int] = {}
    while month <= today:
        totals = {currency: _in_month(carried.get(currency, 0), flows) for currency, flows in sums.get(month, ())}
        totals |= {
            currency: InMonth(0, 0, 0, 0, left, left, 0)
            for currency, left in carried.items()
            if left and currency not in totals
        }
        carried = {currency: total.closing for currency, total in totals.items()}
        close = closes.get(month)
        if close and month in closed:
            totals = totals_of_close(close)
        state = _state(month, today, due, close, month in closed)
        rows.append(MonthRow(month, state, close, dict(sorted(totals.items()))))
        month = following(month)
    rows.reverse()
    return Months(rows, due, due is not None and last_day(due) < today, list(asked))


def _closes() -> QuerySet[MonthClose]:
    return MonthClose.objects.select_related("closed_by")


def _state(month: date, today: date, due: date | None, close: MonthClose | None, is_closed: bool) -> str:
    if is_closed:
        return "closed"
    if close is not None:
        return "reopened"
    if today <= last_day(month):
        return "running"
    return "due" if month == due else "waiting"


def _totals_by_sums() -> Mapping[date, Sequence[tuple[str, Mapping[str, int]]]]:
    """The flows of each month and currency."""
    found: dict[date, list[tuple[str, Mapping[str, int]]]] = {}
    rows = MonthFigures.objects.order_by("month", "currency").values("month", "currency")
    sums = rows.annotate(**{name: Sum(name) for name in FLOWS}).values_list("month", "currency", *FLOWS)
    for month, currency, *flows in sums:
        found.setdefault(month, []).append((currency, dict(zip(FLOWS, flows, strict=True))))
    return found


def _in_month(opening: int, flows: Mapping[str, int]) -> InMonth:
    closing = opening + deferred_by(flows)
    return InMonth(**flows, opening=opening, closing=closing, current=0)


def totals_of_close(close: MonthClose) -> dict[str, InMonth]:
    return {currency: InMonth(**total) for currency, total in close.totals.items()}


class Closed(NamedTuple):
    """A close with its totals."""

    close: MonthClose
    totals: Mapping[str, InMonth]

    @property
    def heading(self) -> str:
        return f"Revision {self.close.revision}, from the month’s beginning to its end"


class MonthOverview(NamedTuple):
    """A month's page: what it was closed as, or what it would be (a checklist); what changed since; as known today."""

    month: date
    state: str
    closes: Sequence[Closed]
    checklist: Checklist | None
    totals: Mapping[str, InMonth]
    reopening: MonthReopening | None
    reopenings: Sequence[MonthReopening]
    may_reopen: bool
    changes: Sequence[Changes]
    known: Sequence[Known]

    @property
    def newest(self) -> MonthClose | None:
        return self.closes[-1].close if self.closes else None


def month_overview(month: date, today: date, *, is_checked: bool = False) -> MonthOverview:
    """Everything on a month; all that is checked before it is closed where that is asked for, or takes no time.

    Refuses `month_outside_ledger`.
    """
    closes = list(_closes().filter(month=month).order_by("revision"))
    is_closed = AccountingMonth.objects.filter(month=month, is_closed=True).exists()
    checklist = None if is_closed else read_checklist(month, today, is_whole=is_checked or not is_long(month))
    totals = checklist.month.totals if checklist else totals_of_close(closes[-1])
    reopenings = list(
        MonthReopening.objects.filter(close__month=month)
        .select_related("close", "asked_by", "decided_by")
        .order_by("-asked_at")
    )
    due = next_month()
    return MonthOverview(
        month=month,
        state=_state(month, today, due, closes[-1] if closes else None, is_closed),
        closes=[Closed(close, totals_of_close(close)) for close in closes],
        checklist=checklist,
        totals=totals,
        reopening=next((each for each in reopenings if each.is_granted is None), None),
        reopenings=[each for each in reopenings if each.is_granted is not None],
        may_reopen=is_closed and due == following(month),
        changes=changes_of(closes, is_open=not is_closed),
        known=known_today(month, totals) if is_closed else (),
    )


def entries_of(close: MonthClose) -> QuerySet[LedgerEntry]:
    """What a close posted, by number."""
    return LedgerEntry.objects.filter(close=close).select_related("product").order_by("number")


class Proof(NamedTuple):
    """A close derived again from its segments alone."""

    close: MonthClose
    segments: int
    sha256: str
    totals: Mapping[str, InMonth]
    differences: Sequence[Finding]

    @property
    def is_equal(self) -> bool:
        return not self.differences


def prove_close(close: MonthClose) -> Proof:
    """Derive a close again, the newest of its month or an older one: from segments alone, by the rules in Python."""
    sums = sums_by_rules(close.month_id, close.last_segment_id)
    return Proof(close, sums.segments, sums.sha256, sums.totals, list(differences(close, sums)))


def close_of(month: date, revision: int | None = None) -> MonthClose | None:
    """A close of a month by its revision, or its newest."""
    closes = _closes().filter(month=month).order_by("-revision")
    return (closes.filter(revision=revision) if revision else closes).first()

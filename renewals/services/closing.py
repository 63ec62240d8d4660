"""Closing a month, and opening it again (F1).

Months are closed in order, by one person; the last closed one is opened again by two. Who closes locks the month's row,
so that bookings that hold it are committed first and later ones find the month closed.
"""

from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.wording import write_money, write_month
from renewals.calendar import last_day
from renewals.digests import FLOWS, MonthSums, Place
from renewals.models import AccountingMonth, LedgerEntry, MonthClose, MonthReopening
from renewals.month_sums import last_segment_id, sums_by_formula
from renewals.overviews.finance import closing as checks
from renewals.overviews.finance.ledger_months import last_closed_month, next_month
from renewals.services.summaries import summarise_all

LOCK = 0x636C6F73  # whoever closes a month or opens it again holds this advisory lock until the transaction ends
# While no month is closed anything can be booked in any, also before the ledger's first: no row stands for that.
WAIT_FOR_ALL = "LOCK TABLE renewals_accountingmonth IN EXCLUSIVE MODE"


@transaction.atomic
def close_month(*, month: date, actor: Actor, at: datetime) -> MonthClose:
    """F1: close a month, by its first day: count it, digest it, and post what it is, or has become since it was closed.

    Refuses `month_outside_ledger`, `month_not_over`, `month_closed` (also to the second of two who close it at once),
    `earlier_month_open` and, where the checklist has something that forbids it, `month_not_ready`.
    """
    check_ability(actor, "settle")
    _lock_closing()
    _wait_for_bookings_before_the_first_close()
    today = timezone.localdate(at)
    _check_is_next(month, today)
    row = _locked(month)
    if checks.waiting_for_sums(month):
        summarise_all()
    sums = sums_by_formula(month)
    _check_ready(checks.checklist_of(checks.Month(month, today, sums.places, sums.segments, 0)))
    close = _write_close(row, sums, actor, at)
    _post_entries(close, sums)
    row.is_closed = True
    row.save(update_fields=["is_closed"])
    after = {
        **_told(close),
        "segments": close.segments,
        "sha256": close.sha256,
        "totals": _in_words(close),
    }
    audit.record(actor, at, Deed("close", close, after=after))
    return close


def _lock_closing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _wait_for_bookings_before_the_first_close() -> None:
    """So the month that is closed first stays the first: who books in an earlier one is waited for, or comes after."""
    if last_closed_month() is None:
        with connection.cursor() as cursor:
            cursor.execute(WAIT_FOR_ALL)


def _check_is_next(month: date, today: date) -> None:
    checks.check_in_ledger(month, today)
    if today <= last_day(month):
        raise DomainError("month_not_over", f"{write_month(month)} is not over yet.")
    due = next_month()
    assert due is not None, "a ledger that has a first month has a next one"
    if month < due:
        raise DomainError("month_closed", f"{write_month(month)} is closed already.", {"month": f"{month:%Y-%m}"})
    if month > due:
        raise DomainError(
            "earlier_month_open",
            f"{write_month(due)} is open: months are closed in order, the earliest first.",
            {"month": f"{due:%Y-%m}"},
        )


def _locked(month: date) -> AccountingMonth:
    """The month's row, from which nothing can be booked in it any more; whoever has booked in it has committed."""
    AccountingMonth.objects.bulk_create([AccountingMonth(month=month)], ignore_conflicts=True)
    return AccountingMonth.objects.select_for_update().get(month=month)


def _check_ready(checklist: checks.Checklist) -> None:
    if checklist.blocking:
        first = checklist.blocking[0]
        raise DomainError(
            "month_not_ready",
            f"The month can’t be closed. This has to be so: {first.sentence} {first.findings[0].text} {first.remedy}",
            {"found": [[item.sentence, *(found.text for found in item.findings)] for item in checklist.blocking]},
        )


def _write_close(row: AccountingMonth, sums: MonthSums, actor: Actor, at: datetime) -> MonthClose:
    newest = row.closes.aggregate(newest=Max("revision"))["newest"] or 0
    return MonthClose.objects.create(
        month=row,
        revision=newest + 1,
        closed_by_id=actor.user_id,
        closed_at=at,
        segments=sums.segments,
        last_segment_id=last_segment_id(row.month),
        totals={currency: total._asdict() for currency, total in sums.totals.items()},
        sha256=sums.sha256,
    )


def _post_entries(close: MonthClose, sums: MonthSums) -> None:
    """The entries go on from the last number; closing is one at a time, so none is left out or given twice."""
    posted: dict[tuple[Place, str], int] = {
        (Place(*row[:4]), row[4]): row[5]
        for row in LedgerEntry.objects.filter(close__month=close.month_id)
        .order_by()
        .values_list(*Place._fields, "kind")
        .annotate(amount=Sum("amount"))
    }
    number = LedgerEntry.objects.aggregate(last=Max("number"))["last"] or 0
    entries = []
    for kind_at, kind in enumerate(FLOWS):
        for place in sorted({*sums.places, *(place for place, _ in posted)}):
            due = sums.places[place][kind_at] if place in sums.places else 0
            if amount := due - posted.get((place, kind), 0):
                number += 1
                entries.append(LedgerEntry(number=number, close=close, kind=kind, amount=amount, **place._asdict()))
    LedgerEntry.objects.bulk_create(entries, batch_size=5000)


def _in_words(close: MonthClose) -> dict[str, dict[str, str]]:
    return {
        currency: {name: write_money(amount, currency) for name, amount in total.items()}
        for currency, total in close.totals.items()
    }


@transaction.atomic
def ask_reopening(*, close: MonthClose, reason: str, actor: Actor, at: datetime) -> MonthReopening:
    """Ask that the month of a close be opened again, which another person decides.

    Refuses `reopening_reason_missing`, `month_open`, `later_month_closed` (only the last closed month can be
    opened) and `reopening_asked`.
    """
    check_ability(actor, "settle")
    assert actor.user_id is not None, "people open months, no part of the system"
    if not reason.strip():
        raise DomainError("reopening_reason_missing", "Say why the month is to be opened.", {"field": "reason"})
    _lock_closing()
    _check_is_last(close)
    if close.reopenings.filter(is_granted__isnull=True).exists():
        raise DomainError("reopening_asked", "Somebody has asked for this already: it waits to be decided.")
    reopening = MonthReopening.objects.create(
        close=close, reason=reason.strip(), asked_by_id=actor.user_id, asked_at=at
    )
    audit.record(actor, at, Deed("ask", reopening, after=_told(close), reason=reopening.reason))
    return reopening


@transaction.atomic
def decide_reopening(*, reopening: MonthReopening, is_granted: bool, actor: Actor, at: datetime) -> MonthReopening:
    """Open the month again, or leave it closed; whoever asked can only take that back.

    Refuses `reopening_decided`, `reopening_needs_another`, `month_open` and `later_month_closed`.
    """
    check_ability(actor, "settle")
    assert actor.user_id is not None, "people open months, no part of the system"
    _lock_closing()
    reopening = MonthReopening.objects.select_related("close").get(pk=reopening.pk)
    if reopening.is_granted is not None:
        raise DomainError("reopening_decided", "This was decided already.")
    if is_granted:
        if reopening.asked_by_id == actor.user_id:
            raise DomainError("reopening_needs_another", "Whoever asks for a month to be opened can’t decide it alone.")
        _check_is_last(reopening.close)
        row = _locked(reopening.close.month_id)
        row.is_closed = False
        row.save(update_fields=["is_closed"])
    reopening.decided_by_id, reopening.decided_at, reopening.is_granted = actor.user_id, at, is_granted
    reopening.save(update_fields=["decided_by", "decided_at", "is_granted"])
    deed, after = "grant" if is_granted else "refuse", {**_told(reopening.close), "is_granted": is_granted}
    audit.record(actor, at, Deed(deed, reopening, after=after, reason=reopening.reason))
    return reopening


def _told(close: MonthClose) -> dict[str, object]:
    return {"month": write_month(close.month_id), "revision": close.revision}


def _check_is_last(close: MonthClose) -> None:
    """Only the last closed month can be opened: what was closed after it stands on it."""
    closed = last_closed_month()
    newest = MonthClose.objects.filter(month=close.month_id).latest("revision")
    if closed is None or closed < close.month_id or newest.pk != close.pk:
        raise DomainError("month_open", f"{write_month(close.month_id)} is open.")
    if closed > close.month_id:
        raise DomainError(
            "later_month_closed",
            f"{write_month(closed)} is closed, too: months are opened from the last one backwards.",
            {"month": f"{closed:%Y-%m}"},
        )

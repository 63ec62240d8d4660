"""Exchange rates of months, kept by people: never reckoned, never changed in a month that is closed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.changes import differing, values_of
from portal.errors import DomainError
from portal.wording import write_month
from renewals import rates
from renewals.models import ExchangeRate
from renewals.overviews.finance.ledger_months import last_closed_month
from renewals.rates import Fault, RateLine
from renewals.services import closing

RATES_LOCK = 20_261_126  # the number by which the database knows the lock
EARLIEST = date(1990, 1, 1)
MOST_LETTERS = 120  # of a source


class Imported(NamedTuple):
    """What came of an import: how many rates are new, how many changed, how many stood there already."""

    entered: int
    changed: int
    same: int


@transaction.atomic
def keep_rate(*, month: date, currency: str, rate: Decimal, source: str, actor: Actor, at: datetime) -> ExchangeRate:
    """Enter the rate of a currency in a month, or change it.

    One that is missing may be entered in a closed month too: nothing was reported with it. Refuses `currency_unknown`,
    `rate_of_reporting_currency`, `rate_month_out_of_range`, `rate_out_of_range`, `rate_source_missing` and
    `rate_of_closed_month`.
    """
    check_ability(actor, "settle")
    rates.check_has_rates(currency, settings.REPORTING_CURRENCY)
    _check_month(month, at)
    rates.read_rate(f"{rate:f}")
    source = _read_source(source)
    _take_rates()
    present = _present([month]).get((month, currency))
    if present is not None and (present.rate, present.source) != (rate, source):
        _check_open(month, _closed_months([month]))
    row = present or ExchangeRate(month=month, currency=currency, reporting_currency=settings.REPORTING_CURRENCY)
    _write([(row, rate)], source, actor, at)
    return row


@transaction.atomic
def import_rates(*, lines: Sequence[RateLine], source: str, actor: Actor, at: datetime) -> Imported:
    """Enter or change the rates of a file (`rates.read_rates`), all or none; what stands there as it is stays so.

    Refuses `rate_source_missing`, and `rates_unreadable` with every line whose month is out of range, or closed with
    another rate than the file's.
    """
    check_ability(actor, "settle")
    source = _read_source(source)
    _take_rates()
    months = sorted({line.month for line in lines})
    present, closed = _present(months), _closed_months(months)
    faults, writing = [], []
    for line in lines:
        row = present.get((line.month, line.currency))
        if row is not None and row.rate == line.rate:
            continue
        try:
            _check_month(line.month, at)
            if row is not None:
                _check_open(line.month, closed)
        except DomainError as refusal:
            faults.append(Fault(line.line, refusal.message))
        reporting = {"reporting_currency": settings.REPORTING_CURRENCY}
        writing.append((row or ExchangeRate(month=line.month, currency=line.currency, **reporting), line.rate))
    rates.check_faults(faults)
    changed = sum(row.pk is not None for row, _ in writing)
    _write(writing, source, actor, at)
    return Imported(len(writing) - changed, changed, len(lines) - len(writing))


@transaction.atomic
def remove_rate(*, rate: ExchangeRate, actor: Actor, at: datetime) -> None:
    """Take away a rate that was entered by mistake: reports then ask for it again. Refuses `rate_of_closed_month`."""
    check_ability(actor, "settle")
    _take_rates()
    _check_open(rate.month, _closed_months([rate.month]))
    audit.record(actor, at, Deed("delete", rate, before=values_of(rate)))
    rate.delete()


def _write(writing: Sequence[tuple[ExchangeRate, Decimal]], source: str, actor: Actor, at: datetime) -> None:
    """Write what differs, with an event for each."""
    before = [values_of(row) if row.pk else {} for row, _ in writing]
    for row, rate in writing:
        row.rate, row.source = rate, source
    deeds = []
    for (row, _), was in zip(writing, before, strict=True):
        old, new = differing(was, values_of(row))
        if not old and not new:
            continue
        row.entered_by_id, row.entered_at = actor.user_id, at
        row.save()
        deeds.append(Deed("change" if was else "create", row, old, new))
    audit.record(actor, at, *deeds)


def _present(months: Sequence[date]) -> Mapping[tuple[date, str], ExchangeRate]:
    """The rates of these months into the reporting currency, by month and currency."""
    found = ExchangeRate.objects.filter(reporting_currency=settings.REPORTING_CURRENCY, month__in=months)
    return {(row.month, row.currency): row for row in found}


def _take_rates() -> None:
    """Wait until nobody else changes rates; until the transaction ends nobody does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RATES_LOCK])


def _closed_months(months: Sequence[date]) -> set[date]:
    """Which of these months are closed, as all are up to the last that is; none gets closed meanwhile.

    Who closes waits for the rates that are kept here. It is the lock of closing, not that of a month's row: a month in
    which nothing was booked has none before it is closed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [closing.LOCK])
    last = last_closed_month()
    return {month for month in months if last is not None and month <= last}


def _check_open(month: date, closed: set[date]) -> None:
    if month in closed:
        raise DomainError(
            "rate_of_closed_month",
            f"{write_month(month)} is closed, and was reported with the rate that stands there. Have the month reopened"
            " to change it.",
            {"field": "month"},
        )


def _check_month(month: date, at: datetime) -> None:
    """Rates are published for a month until shortly before it begins, no earlier."""
    today = timezone.localdate(at)
    latest = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    if month.day != 1 or not EARLIEST <= month <= latest:
        raise DomainError(
            "rate_month_out_of_range",
            f"Choose a month from {write_month(EARLIEST)} to {write_month(latest)}: later rates are not known yet.",
            {"field": "month"},
        )


def _read_source(source: str) -> str:
    source = " ".join(source.split())
    if not 0 < len(source) <= MOST_LETTERS:
        raise DomainError(
            "rate_source_missing",
            f"Say where the rate is from, in {MOST_LETTERS} letters at most.",
            {"field": "source"},
        )
    return source

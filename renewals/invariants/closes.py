"""Closed months are what their segments make them (F1): each close is derived again, from the segments alone."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from django.db.models import F, Max, Sum, Window
from django.db.models.functions import Lag

from portal.wording import write_money, write_month
from renewals.calendar import following
from renewals.digests import FLOWS, NOTHING, InMonth, MonthSums
from renewals.invariants.findings import Batch, Finding
from renewals.invariants.ledger import product_name
from renewals.models import AccountingMonth, LedgerEntry, MonthClose, RevenueSegment
from renewals.month_sums import sums_by_rules


def check(at: datetime) -> Iterator[Batch]:
    """Every close derived again; a run of closed months without a hole; numbers without a gap; nothing added since."""
    yield Batch(0, [*_holes_between_months(), *_gaps_between_numbers(), *_booked_since()])
    closes = MonthClose.objects.select_related("month").order_by("month", "revision")
    for close in closes.iterator():
        sums = sums_by_rules(close.month_id, close.last_segment_id)
        yield Batch(1, [*differences(close, sums), *_unlike_its_entries(close, sums)])


def differences(close: MonthClose, sums: MonthSums) -> Iterator[Finding]:
    """In what a close is not what its segments come to; nothing where it is proven."""
    subject = f"close {close.revision} of {write_month(close.month_id)}"
    if close.segments != sums.segments:
        yield Finding(subject, f"{sums.segments:,} segments", f"{close.segments:,}")
    derived = sums.totals
    for currency in sorted({*close.totals, *derived}):
        due, said = derived.get(currency, NOTHING), close.totals.get(currency, {})
        for name, amount in zip(InMonth._fields, due, strict=True):
            if amount != said.get(name, 0):
                found = write_money(said.get(name, 0), currency)
                yield Finding(subject, f"{name.replace('_', ' ')} {write_money(amount, currency)}", found)
    if close.sha256 != sums.sha256:
        yield Finding(subject, f"digest {sums.sha256}", close.sha256)


def _unlike_its_entries(close: MonthClose, sums: MonthSums) -> Iterator[Finding]:
    """The entries of a month up to a close add up to what it is, place by place."""
    posted: dict[tuple[int, str, str, str, str], int] = {
        row[:5]: row[5]
        for row in LedgerEntry.objects.filter(close__month=close.month_id, close__revision__lte=close.revision)
        .order_by()
        .values_list("product_id", "country", "customer_segment", "currency", "kind")
        .annotate(amount=Sum("amount"))
    }
    due = {
        (*place, kind): amount
        for place, amounts in sums.places.items()
        for kind, amount in zip(FLOWS, amounts.flows, strict=True)
    }
    for key in sorted({*posted, *due}):
        expected, found = due.get(key, 0), posted.get(key, 0)
        if expected != found:
            product, country, segment, currency, kind = key
            subject = (
                f"close {close.revision} of {write_month(close.month_id)}, entries {kind} of"
                f" {product_name(product)}, {country} {segment}"
            )
            yield Finding(subject, write_money(expected, currency), write_money(found, currency))


def _holes_between_months() -> Iterator[Finding]:
    """Months are closed one after the other, and each closed one says what it was closed as."""
    closed = AccountingMonth.objects.filter(is_closed=True).order_by("month")
    before: date | None = None
    for month in closed.values_list("month", flat=True):
        if before is not None and month != following(before):
            yield Finding(f"month {write_month(following(before))}", "closed, as the one after it is", "open")
        before = month
    for month in closed.filter(closes=None).values_list("month", flat=True):
        yield Finding(f"month {write_month(month)}", "a close, since it is closed", "none")


def _gaps_between_numbers() -> Iterator[Finding]:
    numbered = LedgerEntry.objects.order_by().annotate(before=Window(Lag("number", default=0), order_by="number"))
    for number, before in numbered.exclude(number=F("before") + 1).values_list("number", "before").iterator():
        yield Finding(f"entry {number}", f"number {before + 1} after {before}", str(number))


def _booked_since() -> Iterator[Finding]:
    """Nothing was booked in a closed month after it was closed, and nothing before the first of them."""
    for month, last in _newest_ids().items():
        added = RevenueSegment.objects.filter(booked_month=month, pk__gt=last).order_by("pk")
        for pk in added.values_list("pk", flat=True).iterator():
            yield Finding(f"segment {pk}", "another month, since its own was closed", write_month(month))
    first = AccountingMonth.objects.filter(is_closed=True).order_by("month").first()
    if first is not None:
        for pk, month in _booked_before(first.month):
            yield Finding(f"segment {pk}", f"no month before {write_month(first.month)}", write_month(month))


def _newest_ids() -> Mapping[date, int]:
    closes = MonthClose.objects.filter(month__is_closed=True).order_by().values_list("month_id")
    return dict(closes.annotate(last=Max("last_segment_id")))


def _booked_before(month: date) -> Iterable[tuple[int, date]]:
    """What a run of closed months that begins with this one leaves out."""
    found = RevenueSegment.objects.filter(booked_month__lt=month).order_by("pk")
    return found.values_list("pk", "booked_month").iterator()

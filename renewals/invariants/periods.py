"""SMA periods are those that the order lines bought, and cancelled orders have ended theirs (P1, Q6)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Q

from dongles.models import SmaPeriod
from portal.wording import write_day
from renewals.invariants.findings import Batch, Finding
from renewals.invariants.sold import Line, Sold, sold_lines
from renewals.models import QuoteLine

ONE_DAY = timedelta(days=1)


def check(at: datetime) -> Iterator[Batch]:
    """Each period of an order is a line's, each dated line has its own, on its licence, as long as it should be."""
    yield Batch(0, list(_periods_without_lines()))
    yield Batch(0, list(_quoted_lines_not_sold()))
    for sold in sold_lines():
        yield Batch(len(sold.lines), [finding for line in sold.lines for finding in _of_line(line, sold)])


def _periods_without_lines() -> Iterator[Finding]:
    lost = SmaPeriod.objects.filter(source=SmaPeriod.Source.ORDER, order_line__isnull=True).order_by("pk")
    for pk, licence, starts_on, ends_on in lost.values_list("pk", "licence", "starts_on", "ends_on").iterator():
        yield Finding(f"period {pk} of licence {licence}", "an order line that bought it", _written(starts_on, ends_on))


def _quoted_lines_not_sold() -> Iterator[Finding]:
    """Lines of what was accepted and fulfilled for which no order line stands."""
    missing = QuoteLine.objects.filter(
        Q(sold__isnull=True), quoted__version__order__fulfilled_on__isnull=False
    ).order_by("pk")
    for pk, order, kind in missing.values_list("pk", "quoted__version__order", "kind").iterator():
        yield Finding(f"order O-{order:06d}", f"a line for quoted line {pk} ({kind})", "none")


def _of_line(line: Line, sold: Sold) -> Iterator[Finding]:
    is_dated = line.kind is None or line.quoted_starts_on is not None
    if line.period_id is None or line.starts_on is None or line.ends_on is None:
        if is_dated:
            yield Finding(line.subject, "an SMA period", "none")
        return
    subject = f"{line.subject} period {line.period_id}"
    if not is_dated:
        yield Finding(line.subject, f"no SMA period, since a {line.kind} line has none", f"period {line.period_id}")
    if line.covered_licence_id != line.licence_id:
        yield Finding(subject, f"a period of licence {line.licence_id}", f"one of licence {line.covered_licence_id}")
    if line.source != SmaPeriod.Source.ORDER:
        yield Finding(subject, "a period that an order bought", f"one from “{line.source}”")
    expected = _expected(line, sold)
    found = "cancelled" if line.is_cancelled else f"standing through {write_day(line.ends_on)}"
    if expected and expected != found:
        yield Finding(subject, expected, found)


def _expected(line: Line, sold: Sold) -> str | None:
    """Q6: how the period should stand; nothing where the records don't say.

    Without revenue a cancelled order does not tell whether it was annulled: then a cancelled period is right, too.
    """
    assert line.starts_on is not None
    as_sold = _sold_through(line, sold)
    if not line.was_cancelled or line.cancelled_from is None:
        return f"standing through {write_day(as_sold)}"
    if sold.is_annulled(line) or (line.is_cancelled and line.order_id not in sold.with_revenue):
        return "cancelled"
    from_on = line.cancelled_from
    if line.kind == QuoteLine.Kind.UPGRADE and line.starts_on == from_on:
        return f"standing through {write_day(from_on)}"
    if line.starts_on >= from_on:
        return "cancelled"
    return f"standing through {write_day(min(as_sold, from_on - ONE_DAY))}"


def _sold_through(line: Line, sold: Sold) -> date:
    """The last day that was sold: by the line's revenue, where it has some that is earned by day, else the period's."""
    assert line.ends_on is not None
    daily = [row.ends_on for row in sold.segments[line.pk] if row.reason == "sale" and row.method == "daily"]
    return max(daily, default=line.ends_on)


def _written(starts_on: date, ends_on: date) -> str:
    return f"{write_day(starts_on)} – {write_day(ends_on)}"

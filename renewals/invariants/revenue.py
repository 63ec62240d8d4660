"""Recognised and deferred revenue are what was sold (F1–F4): line by line, with what cancellations took back."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from portal.wording import write_day, write_money
from renewals import recognition
from renewals.invariants.findings import Batch, Finding
from renewals.invariants.sold import Line, Sold, sold_lines
from renewals.models import Order, RevenueSegment
from renewals.recognition import Segment


def check(at: datetime) -> Iterator[Batch]:
    """Every line's segments are those that its sale makes, and what takes them back; orders come to their quotes."""
    yield Batch(0, list(_orders_unlike_their_quotes()))
    yield from check_lines()


def check_lines(booked_month: date | None = None) -> Iterator[Batch]:
    """Every line, or those of which something was booked in a month."""
    for sold in sold_lines(booked_month):
        findings = [finding for line in sold.lines for finding in _of_line(line, sold)]
        yield Batch(len(sold.lines), findings)


def _orders_unlike_their_quotes() -> Iterator[Finding]:
    """Orders whose lines don't come to the net of what was accepted; one that is not fulfilled has none."""
    orders = Order.objects.annotate(net=Coalesce(Sum("lines__net"), 0), count=Count("lines"))
    wrong = orders.filter(
        (Q(fulfilled_on__isnull=False) & ~Q(net=F("version__net"))) | Q(fulfilled_on__isnull=True, count__gt=0)
    )
    rows = wrong.order_by("pk").values_list("pk", "net", "version__net", "version__currency", "fulfilled_on", "state")
    for pk, net, accepted, currency, fulfilled_on, state in rows.iterator():
        due = accepted if fulfilled_on else 0
        expected = f"lines for {write_money(due, currency)}, being {state}"
        yield Finding(f"order O-{pk:06d}", expected, write_money(net, currency))


def _of_line(line: Line, sold: Sold) -> Iterator[Finding]:
    if line.net != (line.quoted_net or 0):
        expected = f"sold for {write_money(line.quoted_net or 0, line.currency)} as quoted"
        yield Finding(line.subject, expected, write_money(line.net, line.currency))
    rows = sold.segments[line.pk]
    for row in rows:
        yield from _of_segment(line, row)
    begun = [row for row in rows if row.mirrors_id is None]
    sales = [row for row in begun if row.reason != RevenueSegment.Reason.CONCESSION]
    yield from _unlike_the_sale(line, sales)
    yield from _conceded(line, sales, [row for row in begun if row.reason == RevenueSegment.Reason.CONCESSION])
    yield from _not_taken_back(line, begun, rows, sold.is_annulled(line))


def _of_segment(line: Line, row: RevenueSegment) -> Iterator[Finding]:
    """A segment by itself: through its last day it is recognised whole, in the currency of the order."""
    subject = f"{line.subject} segment {row.pk}"
    recognised = recognition.recognised_through(row.segment, row.ends_on)
    if recognised != row.amount:
        expected = f"{write_money(row.amount, line.currency)} recognised by {write_day(row.ends_on)}"
        yield Finding(subject, expected, write_money(recognised, line.currency))
    if row.currency != line.currency:
        yield Finding(subject, f"an amount in {line.currency}", f"one in {row.currency}")
    if row.booked_month.day != 1:
        yield Finding(subject, "the first day of the month of booking", write_day(row.booked_month))


def _unlike_the_sale(line: Line, sales: Sequence[RevenueSegment]) -> Iterator[Finding]:
    """F2–F4: what the sale itself has put in time, against its net and the period that it bought."""
    amount = sum(row.amount for row in sales)
    if amount != line.net:
        expected = f"{write_money(line.net, line.currency)} put in time, which was sold"
        yield Finding(line.subject, expected, write_money(amount, line.currency))
        return
    period = _period_as_sold(line, sales)
    if line.fulfilled_on is None or (line.sma_net and period is None):
        yield Finding(line.subject, "a day of fulfilment, and a period where SMA was sold", "none")
        return
    due = recognition.segments_of_sale(line.net, line.sma_net or 0, period, line.fulfilled_on)
    if sorted(due) != sorted(row.segment for row in sales):
        yield Finding(line.subject, _written(due, line), _written([row.segment for row in sales], line))
    month = line.fulfilled_on.replace(day=1)
    if any(row.booked_month < month or row.reason != RevenueSegment.Reason.SALE for row in sales):
        found = ", ".join(f"{row.reason} in {row.booked_month:%Y-%m}" for row in sales)
        yield Finding(line.subject, f"booked as a sale in {month:%Y-%m} or, where that was closed, later", found)


def _period_as_sold(line: Line, sales: Sequence[RevenueSegment]) -> tuple[date, date] | None:
    """The period before a cancellation cut it: its own revenue tells where it ended."""
    if line.starts_on is None or line.ends_on is None:
        return None
    ends_on = line.ends_on
    if line.was_cancelled and not line.is_cancelled:
        ends_on = max([ends_on, *(row.ends_on for row in sales if row.method == RevenueSegment.Method.DAILY)])
    return line.starts_on, ends_on


def _conceded(line: Line, sales: Sequence[RevenueSegment], given: Sequence[RevenueSegment]) -> Iterator[Finding]:
    """F4: a concession lies over a segment of the sale, not booked before it; all together are at most that sale."""
    for row in given:
        sale = next((each for each in sales if recognition.lies_over(row.segment, each.segment)), None)
        if sale is None or row.amount >= 0:
            expected = f"a credit over {_written([each.segment for each in sales], line)}"
            yield Finding(f"{line.subject} segment {row.pk}", expected, _written([row.segment], line))
        elif row.booked_month < sale.booked_month:
            expected = f"a credit booked in {sale.booked_month:%Y-%m}, as what it credits, or later"
            yield Finding(f"{line.subject} segment {row.pk}", expected, f"one in {row.booked_month:%Y-%m}")
    for sale in sales if given else ():
        yield from _not_left(line, sale, [row for row in given if recognition.lies_over(row.segment, sale.segment)])


def _not_left(line: Line, sale: RevenueSegment, given: Sequence[RevenueSegment]) -> Iterator[Finding]:
    """F4, F5: what concessions leave of a sale is not below 0, and its annual value is that of what is left."""
    subject = f"{line.subject} segment {sale.pk}"
    left = recognition.left_of(sale.segment, [row.segment for row in given])
    if left < 0:
        expected = f"at most {write_money(sale.amount, line.currency)} credited"
        yield Finding(subject, expected, write_money(sale.amount - left, line.currency))
    due = recognition.annual_value(left, sale.starts_on, sale.ends_on) if sale.annual_amount else 0
    annual = sale.annual_amount + sum(row.annual_amount for row in given)
    if annual != due:
        expected = f"{write_money(due, line.currency)} a year after concessions"
        yield Finding(subject, expected, write_money(annual, line.currency))


def _not_taken_back(
    line: Line, begun: Sequence[RevenueSegment], rows: Sequence[RevenueSegment], is_annulled: bool
) -> Iterator[Finding]:
    """F4: of a cancelled line exactly that stays which was earned, of an annulled one nothing; of others everything.

    So of its concessions: they are taken back as what they credit is.
    """
    taken = {row.mirrors_id: row for row in rows if row.mirrors_id is not None}
    reason = RevenueSegment.Reason.ANNULMENT if is_annulled else RevenueSegment.Reason.CANCELLATION
    for row in begun:
        due = _due_back(line, row.segment, is_annulled)
        back = taken.pop(row.pk, None)
        if (back.segment if back else None) != due or (back and back.reason != reason):
            found = f"{back.reason} with {_written([back.segment], line)}" if back else "nothing taken back"
            expected = f"{reason} with {_written([due], line)}" if due else "nothing taken back"
            yield Finding(f"{line.subject} segment {row.pk}", expected, found)
    for mirrored_id, back in taken.items():
        found = f"one that takes back segment {mirrored_id}"
        yield Finding(f"{line.subject} segment {back.pk}", "one that takes back a segment of its own line", found)


def _due_back(line: Line, segment: Segment, is_annulled: bool) -> Segment | None:
    if not line.was_cancelled or line.cancelled_from is None:
        return None
    return recognition.take_back_whole(segment) if is_annulled else recognition.take_back(segment, line.cancelled_from)


def _written(segments: Sequence[Segment], line: Line) -> str:
    """Segments in words, with the whole that they are measured by where that is another."""
    return (
        " and ".join(
            f"{write_money(each.amount, line.currency)} {each.method.replace('_', ' ')}"
            f" {write_day(each.starts_on)} – {write_day(each.ends_on)}"
            + (
                f" of {write_money(each.basis_amount, line.currency)} from {write_day(each.basis_starts_on)}"
                if (each.basis_amount, each.basis_starts_on) != (each.amount, each.starts_on)
                else ""
            )
            for each in segments
        )
        or "no segment"
    )

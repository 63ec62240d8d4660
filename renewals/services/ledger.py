"""Booking: every segment enters the ledger here, in a month that is open and stays so until it is booked (F1)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from portal import outbox
from renewals import recognition
from renewals.models import OrderLine, RevenueSegment
from renewals.recognition import Segment

# Where the month is closed, the first after those that are; closed months have no open one between them.
IN_MONTH = """greatest(
    %s::date, (SELECT (max(month) + interval '1 month')::date FROM renewals_accountingmonth WHERE is_closed)
)"""
# A lock that is waited for shows what was committed meanwhile, so `is_closed` is true to the moment.
LOCK = f"SELECT month, is_closed FROM renewals_accountingmonth WHERE month = {IN_MONTH} FOR SHARE"  # noqa: S608 - constants
BEGIN = f"""
INSERT INTO renewals_accountingmonth (month, is_closed) SELECT {IN_MONTH}, FALSE
ON CONFLICT DO NOTHING RETURNING month, is_closed"""


class Dimensions(NamedTuple):
    """What a sale's segments are told apart by: whose, where and in what money, as of the sale."""

    customer_id: int
    country: str
    customer_segment: str
    currency: str


class Entry(NamedTuple):
    """A segment to be booked for an order line of a kind (`QuoteLine.Kind`) and product."""

    line: OrderLine
    kind: str
    product_id: int
    segment: Segment


class Credited(NamedTuple):
    """What is credited of a sale's segment, of which so much was left; positive minor units."""

    row: RevenueSegment
    left: int
    credit: int


def lock_booking_month(*, belongs_on: date, booked_on: date) -> date:
    """F1: the month for what belongs to a day by date and is booked on another, locked until the transaction ends.

    The lock is shared: many book at once, and who closes the month waits for them. It is taken whether or not the month
    looks open, since another transaction may be closing it.
    """
    month = recognition.booked_month(belongs_on, booked_on, None)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [month])
            found: tuple[date, bool] | None = cursor.fetchone()
            if found is None:  # nobody has booked in the month yet
                cursor.execute(BEGIN, [month])
                found = cursor.fetchone()
        if found is not None and not found[1]:
            return found[0]


def book_sale(entries: Iterable[Entry], dimensions: Dimensions, *, on: date, at: datetime) -> list[RevenueSegment]:
    """Book what was sold, as of the day of its fulfilment."""
    month = lock_booking_month(belongs_on=on, booked_on=on)
    return _book(
        [
            RevenueSegment(
                order_line=entry.line,
                product_id=entry.product_id,
                annual_amount=_annual_amount(entry),
                booked_month=month,
                reason=RevenueSegment.Reason.SALE,
                **dimensions._asdict(),
                **entry.segment._asdict(),
            )
            for entry in entries
        ],
        at,
    )


def book_reversal(
    undone: Iterable[tuple[RevenueSegment, Segment]],
    *,
    reason: RevenueSegment.Reason,
    from_on: date,
    on: date,
    at: datetime,
) -> list[RevenueSegment]:
    """Book what takes segments back from a day on (F4): told apart as they were, in no earlier month than theirs."""
    pairs = list(undone)
    if not pairs:
        return []
    belongs_on = max(from_on, *(row.booked_month for row, _ in pairs))
    month = lock_booking_month(belongs_on=belongs_on, booked_on=on)
    return _book(
        [
            RevenueSegment(
                annual_amount=-row.annual_amount,
                booked_month=month,
                reason=reason,
                mirrors=row,
                **_told_apart_as(row),
                **segment._asdict(),
            )
            for row, segment in pairs
        ],
        at,
    )


def book_concession(credited: Iterable[Credited], *, on: date, at: datetime) -> list[RevenueSegment]:
    """Book a credit that is a concession (F4) on the day it is given, in no earlier month than what it credits.

    It mirrors nothing, since it takes nothing back whole: its segment lies over that of the sale. The annual value
    falls to that of what is left (F5).
    """
    each_of = list(credited)
    day = max(on, *(each.row.booked_month for each in each_of))
    month = lock_booking_month(belongs_on=day, booked_on=day)
    return _book(
        [
            RevenueSegment(
                annual_amount=_annual_change(each),
                booked_month=month,
                reason=RevenueSegment.Reason.CONCESSION,
                **_told_apart_as(each.row),
                **recognition.concession(each.row.segment, each.credit)._asdict(),
            )
            for each in each_of
        ],
        at,
    )


def _told_apart_as(row: RevenueSegment) -> dict[str, Any]:
    names = ("order_line_id", "customer_id", "product_id", "country", "customer_segment", "currency")
    return {name: getattr(row, name) for name in names}


def _annual_change(credited: Credited) -> int:
    """From the annual value of what was left to that of what is: rounded so, credits never come to more than a sale."""
    row, left, credit = credited
    if not row.annual_amount:
        return 0
    before, after = (recognition.annual_value(net, row.starts_on, row.ends_on) for net in (left, left - credit))
    return after - before


def _annual_amount(entry: Entry) -> int:
    segment = entry.segment
    if entry.kind not in recognition.ANNUAL_KINDS:
        return 0
    return recognition.annual_value(segment.amount, segment.starts_on, segment.ends_on)


def _book(rows: list[RevenueSegment], at: datetime) -> list[RevenueSegment]:
    """Write the segments; a trigger notes that the sums lack them, and the outbox has them added."""
    if rows:
        RevenueSegment.objects.bulk_create(rows)
        outbox.post("revenue_booked", [{}], at=at)
    return rows

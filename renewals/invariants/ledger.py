"""The sums that reports read are what the segments come to (F1, F2): place by place, month by month."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Min

from dongles.models import Product
from portal.models import OutboxMessage
from portal.wording import count, write_money
from renewals.invariants.findings import BATCH, Batch, Finding
from renewals.models import UnsummarisedSegment
from renewals.monthly import figures_of_segments

MAY_WAIT = timedelta(hours=1)
MONTHLY = ("booked", "credited", "recognised", "caught_up", "current", "annual")
BY_BOOKING = ("recognised", "caught_up")
PLACE = ("product_id", "country", "customer_segment", "currency")
SUMMED = "renewals_revenuesegment segment LEFT JOIN renewals_unsummarisedsegment waits ON waits.segment_id = segment.id"


def _compare(table: str, keys: tuple[str, ...], figures: tuple[str, ...]) -> str:
    """A SELECT of every cell of a table of sums: its key, what it says, and what its segments come to.

    Segments that wait to be added are left out on both sides.
    """
    key = ", ".join(keys)
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in figures)
    both = ", ".join(f"coalesce(held.{name}, 0), coalesce(due.{name}, 0)" for name in figures)
    return (
        f"SELECT {key}, {both} FROM {table} held FULL JOIN ("  # noqa: S608 - of constants alone
        f"SELECT {key}, {sums} FROM ({figures_of_segments(_added())}) figures GROUP BY {key}"
        f") due USING ({key}) ORDER BY {key}"
    )


def _added() -> str:
    return f"(SELECT segment.* FROM {SUMMED} WHERE waits.segment_id IS NULL) segment"  # noqa: S608 - of constants alone


MONTHS = _compare("renewals_monthfigures", ("month", *PLACE), MONTHLY)
BOOKINGS = _compare("renewals_bookingfigures", ("booked_month", "month", *PLACE), BY_BOOKING)
# Totals are sums of sums: where those are right, it is enough that these are theirs.
TOTALS = """
SELECT currency, month, booked_month, coalesce(held.recognised, 0), coalesce(due.recognised, 0),
    coalesce(held.caught_up, 0), coalesce(due.caught_up, 0)
FROM renewals_bookingtotals held FULL JOIN (
    SELECT currency, month, booked_month, sum(recognised)::bigint AS recognised, sum(caught_up)::bigint AS caught_up
    FROM renewals_bookingfigures GROUP BY currency, month, booked_month
) due USING (currency, month, booked_month)
WHERE (coalesce(held.recognised, 0), coalesce(held.caught_up, 0))
    <> (coalesce(due.recognised, 0), coalesce(due.caught_up, 0))
ORDER BY currency, month, booked_month"""


def check(at: datetime) -> Iterator[Batch]:
    """The tables of sums against the formula over the segments; nothing waits for long to be added."""
    yield Batch(0, list(_waiting_for_long(at)))
    yield from _differing(MONTHS, 1, MONTHLY)
    yield from _differing(BOOKINGS, 2, BY_BOOKING)
    yield Batch(0, list(_differing_totals()))


def _differing_totals() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(TOTALS)
        for currency, month, booked_month, *amounts in cursor.fetchall():
            for name, held, due in zip(BY_BOOKING, amounts[::2], amounts[1::2], strict=True):
                if held != due:
                    subject = f"total of {name.replace('_', ' ')} in {month:%Y-%m} booked in {booked_month:%Y-%m}"
                    yield Finding(subject, write_money(due, currency), write_money(held, currency))


def _waiting_for_long(at: datetime) -> Iterator[Finding]:
    """What was booked is added to the sums by a message of the outbox, written together with it: it does so soon."""
    waiting = UnsummarisedSegment.objects.count()
    messages = OutboxMessage.objects.filter(kind="revenue_booked", done_at__isnull=True)
    since = messages.aggregate(since=Min("created_at"))["since"]
    if waiting and (since is None or since < at - MAY_WAIT):
        found = f"{count(waiting, 'segment')} {'since ' + str(since) if since else 'that no message is for'}"
        yield Finding("sums", "every segment added within the hour", found)


def _differing(statement: str, months: int, figures: tuple[str, ...]) -> Iterator[Batch]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(BATCH):
            yield Batch(len(rows), [finding for row in rows for finding in _of_cell(row, months, figures)])


def _of_cell(row: tuple[Any, ...], months: int, figures: tuple[str, ...]) -> Iterator[Finding]:
    product, country, segment, currency = row[months : months + len(PLACE)]
    amounts = row[months + len(PLACE) :]
    for name, held, due in zip(figures, amounts[::2], amounts[1::2], strict=True):
        if held != due:
            booked = f" booked in {row[0]:%Y-%m}" if months > 1 else ""
            subject = (
                f"sum of {name.replace('_', ' ')} in {row[months - 1]:%Y-%m}{booked}, {product_name(product)},"
                f" {country} {segment}"
            )
            yield Finding(subject, write_money(due, currency), write_money(held, currency))


def product_name(product: int) -> str:
    """A product of a cell by its code."""
    return Product.objects.filter(pk=product).values_list("code", flat=True).first() or f"product {product}"

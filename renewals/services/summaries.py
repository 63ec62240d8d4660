"""Adding booked segments to the sums that reports read (MonthFigures, BookingFigures and BookingTotals of the models).

What is to be added stands in a queue, written in the transaction of the booking. One at a time adds: what is taken from
the queue and what it adds are one transaction, so a segment is in the sums exactly once, whoever dies when.
"""

from typing import Any

from django.db import connection, transaction

from portal.models import OutboxMessage
from renewals.models import BookingFigures, BookingTotals, MonthFigures, RevenueSegment, UnsummarisedSegment
from renewals.monthly import figures_of_segments

LOCK = 0x73756D73  # whoever adds holds this advisory lock until the transaction ends
BATCH = 5000  # segments added in one transaction
EVERYTHING = 2**62

TAKEN = """
    DELETE FROM renewals_unsummarisedsegment WHERE segment_id = ANY (ARRAY(
        SELECT segment_id FROM renewals_unsummarisedsegment ORDER BY segment_id LIMIT %s
    )) RETURNING segment_id"""

ADD = f"""
WITH taken AS ({TAKEN}),
of_month AS MATERIALIZED (
    SELECT booked_month, month, product_id, country, customer_segment, currency,
        sum(booked) AS booked, sum(credited) AS credited, sum(recognised) AS recognised,
        sum(caught_up) AS caught_up, sum(current) AS current, sum(annual) AS annual,
        bool_or(recognised <> 0 OR caught_up <> 0) AS is_earned
    FROM ({figures_of_segments("taken JOIN renewals_revenuesegment segment ON segment.id = taken.segment_id")}) figures
    GROUP BY booked_month, month, product_id, country, customer_segment, currency
),
added AS (
    INSERT INTO renewals_monthfigures AS held (
        month, product_id, country, customer_segment, currency,
        booked, credited, recognised, caught_up, current, annual
    )
    SELECT month, product_id, country, customer_segment, currency,
        sum(booked), sum(credited), sum(recognised), sum(caught_up), sum(current), sum(annual)
    FROM of_month GROUP BY month, product_id, country, customer_segment, currency
    ON CONFLICT (month, product_id, country, customer_segment, currency) DO UPDATE SET
        booked = held.booked + excluded.booked, credited = held.credited + excluded.credited,
        recognised = held.recognised + excluded.recognised, caught_up = held.caught_up + excluded.caught_up,
        current = held.current + excluded.current, annual = held.annual + excluded.annual
), added_by_booking AS (
    INSERT INTO renewals_bookingfigures AS held (
        booked_month, month, product_id, country, customer_segment, currency, recognised, caught_up
    )
    SELECT booked_month, month, product_id, country, customer_segment, currency, recognised, caught_up
    FROM of_month WHERE is_earned
    ON CONFLICT (month, booked_month, product_id, country, customer_segment, currency) DO UPDATE SET
        recognised = held.recognised + excluded.recognised, caught_up = held.caught_up + excluded.caught_up
), added_in_total AS (
    INSERT INTO renewals_bookingtotals AS held (booked_month, month, currency, recognised, caught_up)
    SELECT booked_month, month, currency, sum(recognised), sum(caught_up)
    FROM of_month WHERE is_earned
    GROUP BY booked_month, month, currency
    ON CONFLICT (currency, month, booked_month) DO UPDATE SET
        recognised = held.recognised + excluded.recognised, caught_up = held.caught_up + excluded.caught_up
)
SELECT count(*) FROM taken"""  # noqa: S608 - of constants alone


def summarise_all(batch: int = BATCH) -> int:
    """Add every committed segment that the sums lack, in batches of a transaction each; how many there were.

    Where somebody else is adding it waits for them, so that afterwards the sums have what was committed before.
    """
    added = 0
    while made := _add_batch(batch):
        added += made
    return added


@transaction.atomic
def _add_batch(limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(ADD, [limit])
        return int(cursor.fetchone()[0])


def summarise_booked(message: OutboxMessage) -> None:
    """What the outbox does after something was booked; harmless when it was done already."""
    summarise_all()


@transaction.atomic
def rebuild_summaries() -> int:
    """Throw the sums away and add them up anew from all segments; how many there are. Bookings need not wait for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        UnsummarisedSegment.objects.all().delete()
        for model in (MonthFigures, BookingFigures, BookingTotals):
            model.objects.all().delete()
        cursor.execute(
            "INSERT INTO renewals_unsummarisedsegment (segment_id) SELECT id FROM renewals_revenuesegment"
            " ON CONFLICT DO NOTHING"
        )
    return _add_batch(EVERYTHING)  # at once: sums added to by many batches would lie on ten times the pages


def waiting() -> Any:
    """The segments that the sums lack yet."""
    return RevenueSegment.objects.filter(unsummarised__isnull=False)

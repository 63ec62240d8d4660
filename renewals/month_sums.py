"""Months added up from the segments: by the formula in SQL, to close them, and by the rules in Python, to prove it.

What a segment is in a month goes by the month in which it was booked, so a month's segments are those that were booked
in it or before. One that is booked in a month opened again has a higher id than all that were there when it was closed:
the ids up to the last of a close are what it was made of.
"""

from collections.abc import Iterator
from datetime import date

from django.db import connection
from django.db.models import Max, Q

from renewals.digests import InMonth, MonthSums, Place, in_month
from renewals.models import RevenueSegment
from renewals.monthly import IN_MONTH
from renewals.recognition import Segment

AT_ONCE = 5000  # rows that are read at once
ALL_IDS = 2**63 - 1
FACTS = (
    *("id", "product_id", "country", "customer_segment", "currency", "booked_month", "reason"),
    *("amount", "starts_on", "ends_on", "method", "basis_amount", "basis_starts_on"),
)
SUMS = f"""
SELECT product_id, country, customer_segment, currency,
    {", ".join(f"sum({name})::bigint" for name in InMonth._fields)},
    count(*) FILTER (WHERE booked <> 0 OR credited <> 0 OR recognised <> 0 OR caught_up <> 0)
FROM ({IN_MONTH}) segment GROUP BY product_id, country, customer_segment, currency"""  # noqa: S608 - of constants alone


def sums_by_formula(month: date) -> MonthSums:
    """A month with its digest, from a cursor of the server: half a million segments in flat memory."""
    sums = MonthSums(month)
    for segment_id, place, amounts in segments_in_month(month):
        sums.add(segment_id, place, amounts)
    return sums


def segments_in_month(month: date, *, after: int = 0, last: int = ALL_IDS) -> Iterator[tuple[int, Place, InMonth]]:
    """What each segment with an id above `after`, up to `last`, is in a month, by ascending id."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"{IN_MONTH} ORDER BY segment.id", {"month": month, "after": after, "last": last})
        while rows := cursor.fetchmany(AT_ONCE):
            for row in rows:
                yield row[0], Place(*row[1:5]), InMonth(*row[5:])


def places_by_formula(month: date, *, after: int = 0, last: int = ALL_IDS) -> tuple[dict[Place, InMonth], int]:
    """The sums of each place without the digest, and of how many segments they are: what a page needs, much faster."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"month": month, "after": after, "last": last})
        rows = cursor.fetchall()
    return {Place(*row[:4]): InMonth(*row[4:-1]) for row in rows}, sum(row[-1] for row in rows)


def sums_by_rules(month: date, last: int) -> MonthSums:
    """The same from renewals/recognition.py and the segments alone, of those with ids up to `last`."""
    known = RevenueSegment.objects.filter(booked_month__lte=month, pk__lte=last)
    known = known.filter(Q(booked_month=month) | Q(ends_on__gte=month))
    sums = MonthSums(month)
    for pk, *place, booked_month, reason, amount, starts_on, ends_on, method, basis, basis_starts_on in (
        known.order_by("pk").values_list(*FACTS).iterator(AT_ONCE)
    ):
        segment = Segment(amount, starts_on, ends_on, method, basis, basis_starts_on)
        sums.add(pk, Place(*place), in_month(segment, booked_month, reason == RevenueSegment.Reason.SALE, month))
    return sums


def last_segment_id(month: date) -> int:
    """The newest of all segments that were booked in a month or before; 0 where there is none."""
    return RevenueSegment.objects.filter(booked_month__lte=month).aggregate(last=Max("pk"))["last"] or 0

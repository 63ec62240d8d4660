"""What made a month other than it was: between two closes of it, and between what was reported and what is known today.

Line by line: which order, who did it, why, and what it comes to in the month.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from django.db import connection

from portal.models import AuditEvent
from renewals.calendar import last_day
from renewals.digests import NOTHING, InMonth, totals_of
from renewals.models import MonthClose, RevenueSegment
from renewals.month_sums import ALL_IDS, places_by_formula, segments_in_month

LINES_SHOWN = 200

# What belongs to a month by date and was booked after it; its sums are those of all lines, the lines the first of them.
LATER = """
SELECT segment.id, segment.currency, through.month_end - through.before AS amount
FROM renewals_revenuesegment segment
CROSS JOIN LATERAL (
    SELECT
        recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on,
            %(month)s::date - 1) AS before,
        recognised_through(segment.basis_amount, segment.basis_starts_on, segment.starts_on, segment.ends_on,
            %(last_day)s::date) AS month_end
) through
WHERE segment.booked_month > %(month)s AND segment.starts_on <= %(last_day)s AND segment.ends_on >= %(month)s
    AND through.month_end <> through.before"""


class Booking(NamedTuple):
    """A segment as a line of an explanation: what it is, who had it booked, when and why."""

    segment: RevenueSegment
    who: str
    at: datetime | None
    why: str


class ChangedLine(NamedTuple):
    """A booking and what it is in the month."""

    booking: Booking
    amounts: InMonth


class Changes(NamedTuple):
    """What became of a month since it was closed; the sums are of all lines, `more` of which are not listed."""

    since: MonthClose
    until: MonthClose | None
    lines: Sequence[ChangedLine]
    more: int
    totals: Mapping[str, InMonth]

    @property
    def heading(self) -> str:
        """“From revision 1 to revision 2”."""
        return f"From revision {self.since.revision} to {f'revision {self.until.revision}' if self.until else 'now'}"


def changes_of(closes: Sequence[MonthClose], is_open: bool) -> list[Changes]:
    """Between each close of a month and the next, and since the last where it is open again; the newest first."""
    pairs: list[tuple[MonthClose, MonthClose | None]] = list(pairwise(closes))
    if is_open and closes:
        pairs.append((closes[-1], None))
    return [_changes(*pair) for pair in reversed(pairs)]


def _changes(since: MonthClose, until: MonthClose | None) -> Changes:
    month, last = since.month_id, until.last_segment_id if until else ALL_IDS
    shown: dict[int, InMonth] = {}
    more = 0
    for segment_id, _, amounts in segments_in_month(month, after=since.last_segment_id, last=last):
        if amounts == NOTHING:
            continue
        if len(shown) < LINES_SHOWN:
            shown[segment_id] = amounts
        else:
            more += 1
    bookings = bookings_of(shown)
    places, _ = places_by_formula(month, after=since.last_segment_id, last=last)
    lines = [ChangedLine(bookings[pk], amounts) for pk, amounts in shown.items()]
    return Changes(since, until, lines, more, totals_of(places))


class LaterLine(NamedTuple):
    """A booking of a later month, and what of it belongs to this one by date."""

    booking: Booking
    amount: int


class Known(NamedTuple):
    """A month in a currency: as reported; and as known today, all by date, whenever it was booked (F1).

    `later` belongs to the month and was booked after it: it is caught up in later months. `caught_up` belongs to
    earlier months and is reported in this one.
    """

    currency: str
    recognised: int
    caught_up: int
    later: int
    lines: Sequence[LaterLine]
    more: int

    @property
    def reported(self) -> int:
        return self.recognised + self.caught_up

    @property
    def known(self) -> int:
        return self.recognised + self.later


def known_today(month: date, reported: Mapping[str, InMonth], shown: int = LINES_SHOWN) -> list[Known]:
    """What the month was, by what is known today, beside what was reported: of each currency that it has.

    Of its lines so many are `shown` at most, of all currencies together.
    """
    asked: dict[str, date | int] = {"month": month, "last_day": last_day(month), "shown": shown}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, sum(amount)::bigint, count(*) FROM ({LATER}) later GROUP BY currency",  # noqa: S608 - of constants alone
            asked,
        )
        sums = {currency: (amount, lines) for currency, amount, lines in cursor.fetchall()}
        cursor.execute(f"{LATER} ORDER BY segment.id LIMIT %(shown)s", asked)
        rows = cursor.fetchall()
    bookings = bookings_of([pk for pk, _, _ in rows])
    found = []
    for currency in sorted({*reported, *sums}):
        later, count = sums.get(currency, (0, 0))
        total = reported.get(currency, NOTHING)
        lines = [LaterLine(bookings[pk], amount) for pk, where, amount in rows if where == currency]
        found.append(Known(currency, total.recognised, total.caught_up, later, lines, count - len(lines)))
    return found


def bookings_of(segment_ids: Iterable[int]) -> dict[int, Booking]:
    """These segments with who had them booked and why: the event of the order's fulfilment, its
    cancellation or the concession."""
    segments = list(
        RevenueSegment.objects.filter(pk__in=list(segment_ids))
        .select_related("order_line__order__customer", "product")
        .order_by("pk")
    )
    told = AuditEvent.objects.filter(
        subject_kind="order",
        subject_id__in={segment.order_line.order_id for segment in segments},
        action__in=("fulfil", "cancel", "credit"),
    ).order_by("pk")
    events = {(event.subject_id, event.action): event for event in told if event.action != "credit"}
    credited = {pk: event for event in told if event.action == "credit" for pk in event.after["segments"]}
    bookings = {}
    for segment in segments:
        deed = "fulfil" if segment.reason == RevenueSegment.Reason.SALE else "cancel"
        event = credited.get(segment.pk) or events.get((segment.order_line.order_id, deed))
        who, at, why = (event.actor_name, event.at, event.reason) if event else ("", None, "")
        bookings[segment.pk] = Booking(segment, who, at, why)
    return bookings

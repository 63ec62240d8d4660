"""What an order's page shows."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from dongles import queries as dongle_queries
from dongles.models import Dongle, UnlockCode
from portal.wording import write_day
from renewals import recognition
from renewals.models import Order, QuoteLine, RevenueSegment
from renewals.overviews.history import history_of
from renewals.overviews.quotes import carried_by, saved_rows, shown_dongles
from renewals.states import OrderState


class EarnedLine(NamedTuple):
    """An order line with its revenue: what of it is recognised through the day, what is deferred.

    `credited` is what concessions took off (F4), not positive; a cancellation or an annulment took back what it did.
    """

    line: Any
    sold: int
    recognised: int
    deferred: int
    credited: int

    @property
    def left(self) -> int:
        """F4: what can still be credited as a concession, where the order stands."""
        net: int = self.line.net
        return net + self.credited

    @property
    def is_earned_at_once_too(self) -> bool:
        """F3: whether a part of it was earned at fulfilment, as of an upgrade that includes SMA."""
        return any(row.method == RevenueSegment.Method.AT_ONCE for row in self.line.segments.all())


def order_overview(order: Order, today: date) -> dict[str, Any]:
    """An order's page: its lines as fulfilled with their revenue, its codes, who did what."""
    lines = list(
        order.lines.select_related("licence__product", "licence__dongle", "period", "quote_line").prefetch_related(
            "segments"
        )
    )
    dongles = [row.dongle for row in order.version.dongles.select_related("dongle")]
    codes = codes_of_order(order, dongles)
    return {
        "order": order,
        "version": order.version,
        "customer": order.customer,
        "today": today,
        "dongles": dongles,
        "earned": [earned_of(line, today) for line in lines],
        "months": months_of_order(lines),
        "shown": [] if lines else shown_dongles(rows := saved_rows(order.version), carried_by(rows), today),
        "codes": codes,
        "files": list(order.files.select_related("uploaded_by")),
        "unconfirmed": [
            code for code in codes if not hasattr(code, "receipt") and code.dongle.state == Dongle.State.ACTIVE
        ],
        "standing": standing_of_order(order, [line.kind for line in lines]),
        "is_waiting": order.state == OrderState.ACCEPTED,
        "history": history_of([order.version], [order]),
    }


def codes_of_order(order: Order, dongles: Iterable[Dongle]) -> Sequence[UnlockCode]:
    """The codes that an order for these dongles and its cancellation took, on whatever dongles they are now (Q8)."""
    chains = dongle_queries.successors_of(dongle.pk for dongle in dongles)
    coded = {*chains, *(successor for chain in chains.values() for successor in chain)}
    causes = [f"order {order.number}", f"cancellation of order {order.number}"]
    codes = UnlockCode.objects.filter(dongle__in=coded, cause__in=causes)
    return list(codes.select_related("dongle", "receipt").order_by("pk"))


def standing_of_order(order: Order, kinds: Collection[str]) -> str:
    """How an order stands, in a sentence; `kinds` are those of its lines."""
    if order.state == OrderState.ACCEPTED:
        return "Accepted; it is fulfilled once it is paid."
    if order.state == OrderState.CANCELLED and order.cancelled_from:
        return f"Cancelled from {write_day(order.cancelled_from)} on."
    assert order.fulfilled_on is not None
    if QuoteLine.Kind.REPLACEMENT in kinds:
        return (
            f"Fulfilled on {write_day(order.fulfilled_on)}: the new dongle has taken the other’s place, and its unlock"
            " code is issued."
        )
    return f"Fulfilled on {write_day(order.fulfilled_on)}: the SMA periods run, and the unlock code is issued."


def earned_of(line: Any, today: date) -> EarnedLine:
    """A line's revenue as of a day."""
    rows = list(line.segments.all())
    segments = [row.segment for row in rows]
    sold = sum(segment.amount for segment in segments)
    recognised = sum(recognition.recognised_through(segment, today) for segment in segments)
    credited = sum(
        row.amount for row in rows if row.reason == RevenueSegment.Reason.CONCESSION and row.mirrors_id is None
    )
    return EarnedLine(line, sold, recognised, sold - recognised, credited)


class EarnedMonth(NamedTuple):
    """What of an order is earned in a month as reported: by date, and caught up from months before its booking."""

    month: date
    recognised: int
    caught_up: int


def months_of_order(lines: Iterable[Any]) -> list[EarnedMonth]:
    """F1, F2: the months of an order's segments; nothing is earned before the month of booking."""
    months: dict[date, tuple[int, int]] = {}
    for line in lines:
        for row in line.segments.all():
            for month, amount in recognition.months_of(row.segment):
                key = max(month, row.booked_month)
                by_date, late = months.get(key, (0, 0))
                is_late = month < row.booked_month
                months[key] = (by_date, late + amount) if is_late else (by_date + amount, late)
    return [EarnedMonth(month, *amounts) for month, amounts in sorted(months.items())]

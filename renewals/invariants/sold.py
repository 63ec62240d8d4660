"""The lines of orders as the checks of revenue and periods read them, in batches."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from renewals.invariants.findings import BATCH
from renewals.models import OrderLine, QuoteLine, RevenueSegment
from renewals.states import OrderState


class Line(NamedTuple):
    """An order line with what its order, its quoted line and its period say; the fields are named as the columns."""

    pk: int
    order_id: int
    state: str
    fulfilled_on: date | None
    cancelled_from: date | None
    currency: str
    licence_id: int
    net: int
    kind: str | None
    quoted_net: int | None
    sma_net: int | None
    quoted_starts_on: date | None
    period_id: int | None
    covered_licence_id: int | None
    starts_on: date | None
    ends_on: date | None
    is_cancelled: bool | None
    source: str | None

    @property
    def subject(self) -> str:
        return f"order O-{self.order_id:06d} line {self.pk} (licence {self.licence_id})"

    @property
    def was_cancelled(self) -> bool:
        return self.state == OrderState.CANCELLED


FIELDS = (
    *("pk", "order_id", "order__state", "order__fulfilled_on", "order__cancelled_from", "order__version__currency"),
    *("licence_id", "net", "quote_line__kind", "quote_line__net", "quote_line__sma_net", "quote_line__starts_on"),
    *("period_id", "period__licence_id", "period__starts_on", "period__ends_on", "period__is_cancelled"),
    "period__source",
)


class Sold(NamedTuple):
    """A batch of lines with the segments of each, and how the cancelled orders among them were cancelled."""

    lines: Sequence[Line]
    segments: dict[int, list[RevenueSegment]]
    annulled: set[int]  # orders by id
    with_revenue: set[int]

    def is_annulled(self, line: Line) -> bool:
        """F4: whether the line's order was annulled as a mistake; a dongle's replacement can't be cancelled else."""
        return line.order_id in self.annulled or (line.was_cancelled and line.kind == QuoteLine.Kind.REPLACEMENT)


def sold_lines(booked_month: date | None = None) -> Iterator[Sold]:
    """All lines of orders in batches, three queries each; or those of which something was booked in a month."""
    last, asked = 0, OrderLine.objects.order_by("pk")
    if booked_month is not None:
        booked = RevenueSegment.objects.filter(booked_month=booked_month)
        asked = asked.filter(pk__in=booked.order_by().values("order_line"))
    while rows := asked.filter(pk__gt=last).values_list(*FIELDS)[:BATCH]:
        lines = [Line(*row) for row in rows]
        segments: dict[int, list[RevenueSegment]] = {line.pk: [] for line in lines}
        for segment in RevenueSegment.objects.filter(order_line__in=segments).order_by("pk"):
            segments[segment.order_line_id].append(segment)
        cancelled = {line.order_id for line in lines if line.was_cancelled}
        reasons = set(
            RevenueSegment.objects.filter(order_line__order__in=cancelled).values_list("order_line__order", "reason")
        )
        yield Sold(
            lines,
            segments,
            {order for order, reason in reasons if reason == RevenueSegment.Reason.ANNULMENT},
            {order for order, _ in reasons},
        )
        last = lines[-1].pk

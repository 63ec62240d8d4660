"""Cancelling an order (rules Q6, F4): periods end, revenue is taken back, a code states the date that is then right.

Nothing is deleted; upgrades stay, and so does a dongle that took another's place (Q8).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from dongles import coverage
from dongles import queries as dongle_queries
from dongles import services as dongle_services
from dongles.coverage import LicenceCoverage
from dongles.models import Dongle, Licence, SmaPeriod, UnlockCode
from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.wording import write_day
from renewals import recognition
from renewals.models import Order, OrderLine, QuoteDongle, QuoteLine, RevenueSegment
from renewals.services import ledger
from renewals.services.conceded import forget_facts
from renewals.services.quotes import lock_version
from renewals.states import OrderState, next_order_state


@transaction.atomic
def cancel_order(
    *, order: Order, from_on: date, reason: str, actor: Actor, at: datetime, is_mistake: bool = False
) -> Order:
    """Q6, F4: cancel an order from a day on; one made by mistake is annulled whole, from its first day.

    Where a dongle was replaced since (Q8), the code is for the one that carries its licences now. Cancelled again,
    nothing happens. Refuses `cancellation_reason_missing`, `cancel_before_fulfilment`, `nothing_to_cancel` (all its
    periods are over, or it replaced a dongle: the money can be taken back only as for a mistake), `order_built_upon` (a
    later order stands on its periods) and `withdrawal_in_future` (it added licences). One that is not fulfilled yet is
    closed as of today.
    """
    check_ability(actor, "cancel")
    lock_version(order.version)
    order = Order.objects.select_related("version").get(pk=order.pk)
    if order.state == OrderState.CANCELLED:
        return order
    if not reason.strip():
        raise DomainError("cancellation_reason_missing", "Say why the order is cancelled.", {"field": "reason"})
    before = order.state
    order.state = next_order_state(before, "cancel")
    today = timezone.localdate(at)
    if order.fulfilled_on is None:
        from_on = today
    elif is_mistake:
        from_on = order.fulfilled_on
    order.cancelled_from = from_on
    undone = _undo(order, from_on, actor, at, is_mistake) if before == OrderState.FULFILLED else Undone([], {})
    order.save(update_fields=["state", "cancelled_from"])
    if is_mistake:
        forget_facts(order)
    after = {"state": order.state, "from": str(from_on), **undone.revenue}
    audit.record(actor, at, Deed("cancel", order, {"state": before}, after, reason.strip()), *undone.deeds)
    return order


class Undone(NamedTuple):
    """What was undone, for the audit trail; of the revenue what was taken back."""

    deeds: list[Deed]
    revenue: Mapping[str, object]


def _undo(order: Order, from_on: date, actor: Actor, at: datetime, is_mistake: bool) -> Undone:
    quoted = QuoteDongle.objects.filter(version=order.version_id, replacement={})
    dongles = _lock_carrying(quoted.values_list("dongle_id", flat=True))
    lines = list(order.lines.select_related("period", "licence", "quote_line").prefetch_related("segments"))
    today = timezone.localdate(at)
    added = [line.licence for line in lines if line.kind == QuoteLine.Kind.LICENCE]
    _check_cancellable(order, lines, from_on, is_mistake)
    if added and from_on > today:
        raise DomainError(
            "withdrawal_in_future",
            "The order added licences, and those can be withdrawn from today on at the latest.",
            {"field": "from_on"},
        )
    first_day = date.min if is_mistake else from_on
    deeds = _end_periods(order, lines, first_day)
    withdrawn = [licence for licence in added if licence.withdrawn_on is None]
    for licence in withdrawn:
        licence.withdrawn_on, licence.withdrawal_reason = from_on, f"Order {order.number} was cancelled"
        deeds.append(Deed("withdraw", licence, after={"withdrawn_on": str(from_on)}, reason=licence.withdrawal_reason))
    Licence.objects.bulk_update(withdrawn, ["withdrawn_on", "withdrawal_reason"])
    revenue = {"revenue": _take_back_revenue(order, lines, first_day, at), "currency": order.version.currency}
    return Undone(deeds + _restate_dongles(order, dongles, from_on, actor, at), revenue)


def _lock_carrying(dongle_ids: Iterable[int]) -> dict[int, Dongle]:
    """By the dongles of an order those that carry its licences now (Q8), under the locks of their rows.

    A dongle is replaced under its lock: once the whole line of successors is locked, it can't grow. One that took
    another's place was empty: where both were quoted, it stands for that other alone.
    """
    quoted = list(dongle_ids)
    while True:
        chains = dongle_queries.successors_of(quoted)
        locked = dongle_services.lock_dongles({*quoted, *(dongle for chain in chains.values() for dongle in chain)})
        if dongle_queries.successors_of(quoted) == chains:
            took_a_place = {dongle for chain in chains.values() for dongle in chain}
            firsts = [dongle for dongle in quoted if dongle not in took_a_place]
            return {first: locked[[first, *chains[first]][-1]] for first in firsts}


def _check_cancellable(order: Order, lines: Sequence[OrderLine], from_on: date, is_mistake: bool) -> None:
    assert order.fulfilled_on is not None
    if from_on < order.fulfilled_on:
        raise DomainError(
            "cancel_before_fulfilment",
            f"The order was fulfilled on {write_day(order.fulfilled_on)}; it can be cancelled from that day on.",
            {"field": "from_on"},
        )
    if any(line.kind == QuoteLine.Kind.REPLACEMENT for line in lines):
        if not is_mistake:
            raise DomainError(
                "nothing_to_cancel",
                "A dongle has been replaced, and that stays. Where it should not have been charged, say that the order"
                " was a mistake: then the money is taken back.",
            )
        return
    last_day = max((line.period.ends_on for line in lines if line.period), default=date.min)
    if not is_mistake and from_on > last_day:
        raise DomainError(
            "nothing_to_cancel",
            f"Everything that the order bought ended by {write_day(last_day)}.",
            {"field": "from_on"},
        )
    later = (
        OrderLine.objects.filter(order__state=OrderState.FULFILLED, licence__in=[line.licence for line in lines])
        .filter(order__gt=order.pk)
        .exclude(quote_line__kind=QuoteLine.Kind.REPLACEMENT)
        .select_related("order")
        .order_by("order")
        .first()
    )
    if later is not None:
        raise DomainError(
            "order_built_upon",
            f"Order {later.order.number} continues what this one bought: cancel that first.",
            {"order": later.order.number},
        )


def _end_periods(order: Order, lines: Sequence[OrderLine], first_day: date) -> list[Deed]:
    """Q6: periods end on the day before, later ones are cancelled.

    Upgrades stay: the day on which one was bought stays covered, or the release that it is for would be missed again.
    """
    periods, deeds = [], []
    for line in lines:
        period = line.period
        if period is None:
            continue
        before = _stated(period)
        if line.kind == QuoteLine.Kind.UPGRADE and period.starts_on == first_day:
            period.ends_on = first_day
        elif period.starts_on >= first_day:
            period.is_cancelled = True
        elif period.ends_on >= first_day:
            period.ends_on = first_day - timedelta(days=1)
        periods.append(period)
        if before != _stated(period):
            deeds.append(Deed("uncover", line.licence, before, {**_stated(period), "order": order.number}))
    SmaPeriod.objects.bulk_update(periods, ["ends_on", "is_cancelled"])
    return deeds


def _stated(period: SmaPeriod) -> dict[str, str | bool]:
    return {
        "starts_on": str(period.starts_on),
        "ends_on": str(period.ends_on),
        "is_cancelled": period.is_cancelled,
    }


def _take_back_revenue(order: Order, lines: Sequence[OrderLine], first_day: date, at: datetime) -> int:
    """F4: a cancellation takes back what is not earned yet, an annulment everything; the sum, which is not positive."""
    annulled = first_day == date.min
    assert order.fulfilled_on is not None
    undone = []
    for row in (row for line in lines for row in line.segments.all()):
        segment = row.segment
        taken = recognition.take_back_whole(segment) if annulled else recognition.take_back(segment, first_day)
        if taken is not None:
            undone.append((row, taken))
    rows = ledger.book_reversal(
        undone,
        reason=RevenueSegment.Reason.ANNULMENT if annulled else RevenueSegment.Reason.CANCELLATION,
        from_on=order.fulfilled_on if annulled else first_day,
        on=timezone.localdate(at),
        at=at,
    )
    return sum(row.amount for row in rows)


def _restate_dongles(
    order: Order, dongles: Mapping[int, Dongle], from_on: date, actor: Actor, at: datetime
) -> list[Deed]:
    """Issue the codes, `dongles` being those that carry the licences now by those that were quoted."""
    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = {dongle.pk: [] for dongle in dongles.values()}
    for licence in dongle_queries.licences_of(dongles.values()):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    stood_before = _dates_before(order, dongles)
    codes = [
        dongle_services.issue_unlock_code(
            dongle=dongle,
            cause=f"cancellation of order {order.number}",
            expiry_on=date_after_cancellation(
                [covered for _, covered in carried[dongle.pk]], stood_before[quoted_id], from_on
            ),
            licences=carried[dongle.pk],
            actor=actor,
            at=at,
            restates=True,
        )
        for quoted_id, dongle in dongles.items()
    ]
    by_owner: dict[int | None, list[int]] = {}
    for code in codes:
        by_owner.setdefault(code.dongle.customer_id, []).append(code.pk)
    outbox.post("code_issued", [{"order": order.pk, "codes": ids} for ids in by_owner.values()], at=at)
    return [dongle_services.code_deed(code) for code in codes]


def _dates_before(order: Order, dongles: Iterable[int]) -> dict[int, date | None]:
    """The date that each dongle had before the order's code; of a bridge's (Q7), the one before: it was not paid."""
    before: dict[int, date | None] = {}
    unbridged: dict[int, date | None] = {}  # of the dongles with a bridge's date as the codes go by, the date before it
    codes = UnlockCode.objects.filter(dongle__in=dongles).select_related("bridge").defer("letters", "licences")
    for code in codes.order_by("pk"):
        stood = unbridged.get(code.dongle_id, code.previous_expiry_on)
        if code.cause == f"order {order.number}":
            before[code.dongle_id] = stood
        if hasattr(code, "bridge"):
            unbridged[code.dongle_id] = stood
        elif code.expiry_on != code.previous_expiry_on:
            unbridged.pop(code.dongle_id, None)
    return before


def date_after_cancellation(covered: Sequence[LicenceCoverage], stood_before: date | None, from_on: date) -> date:
    """Q6, C3: the date that is right once the order's periods have ended; without licences, the one that stood."""
    if not covered:
        return stood_before or from_on - timedelta(days=1)
    return coverage.date_to_restate(covered, stood_before)

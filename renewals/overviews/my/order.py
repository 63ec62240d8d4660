"""What a customer sees of an order of theirs."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from dongles.models import Dongle, UnlockCode
from portal.models import Customer
from portal.wording import write_day
from renewals.models import Order, OrderLine
from renewals.overviews.my.standing import my_quote_address
from renewals.overviews.orders import codes_of_order
from renewals.overviews.quotes import carried_by, saved_rows, shown_dongles
from renewals.states import OrderState


class OwnLine(NamedTuple):
    """A line of an order that was fulfilled: what it was in words, and the serial if the dongle is still theirs."""

    line: OrderLine
    what: str
    is_own: bool


def own_order_overview(order: Order, customer: Customer, today: date) -> dict[str, Any]:
    """An order's page: how it stands, what was ordered and what came of it, its codes and what to do next."""
    lines = list(
        order.lines.select_related("licence__product", "licence__dongle", "period", "quote_line").order_by("pk")
    )
    dongles = [row.dongle for row in order.version.dongles.select_related("dongle")]
    codes = [code for code in codes_of_order(order, dongles) if code.dongle.customer_id == customer.pk]
    return {
        "order": order,
        "version": order.version,
        "quote_address": my_quote_address(order.quote_id),
        "standing": _standing(order),
        "lines": [OwnLine(line, _what(line), line.licence.dongle.customer_id == customer.pk) for line in lines],
        "shown": [] if lines else shown_dongles(rows := saved_rows(order.version), carried_by(rows), today),
        "codes": codes,
        "waiting": _waiting(codes),
        "files": list(order.files.values_list("name", flat=True)),
    }


def _standing(order: Order) -> str:
    if order.state == OrderState.ACCEPTED:
        return (
            "Ordered. We have not received the payment yet: once we have, the unlock code is mailed and stands here,"
            " within a minute."
        )
    if order.state == OrderState.CANCELLED and order.cancelled_from:
        if order.fulfilled_on is None:
            return f"Cancelled on {write_day(order.cancelled_from)}, before it was carried out."
        last = order.cancelled_from - timedelta(days=1)
        if last < order.fulfilled_on:
            return f"Cancelled as a whole: nothing of it counts since {write_day(order.cancelled_from)}."
        return f"Cancelled from {write_day(order.cancelled_from)} on: what it covered ends on {write_day(last)}."
    assert order.fulfilled_on is not None
    return f"Ordered and carried out on {write_day(order.fulfilled_on)}: the SMA runs and the unlock code is ready."


def _what(line: OrderLine) -> str:
    kind = line.quote_line.get_kind_display() if line.quote_line else "Free extension"
    seats = line.quote_line.seats if line.quote_line else line.licence.seats
    free = f", {line.free_days} days of it free" if line.free_days and line.kind != "" else ""
    return f"{kind}{f', {seats} seats' if seats > 1 else ''}{free}"


def _waiting(codes: Sequence[UnlockCode]) -> Sequence[UnlockCode]:
    """Of the codes those that are still to be applied: the newest of a dongle in use, without a receipt."""
    return [
        code
        for code in codes
        if not hasattr(code, "receipt")
        and code.dongle.state == Dongle.State.ACTIVE
        and (code.generation, code.sequence) == (code.dongle.generation, code.dongle.sequence)
    ]

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
from renewals.overviews.quotes import ShownDongle, carried_by, saved_rows, shown_dongles
from renewals.states import OrderState


class OwnLine(NamedTuple):
    """A line of an order that was fulfilled: what it was, of which dongle, and whether that is still theirs."""

    line: OrderLine
    what: str
    serial: str
    is_own: bool


def own_order_overview(order: Order, customer: Customer, today: date) -> dict[str, Any]:
    """An order's page: how it stands, what was ordered and what came of it, its codes and what to do next."""
    related = ("licence__product", "licence__dongle", "period", "quote_line__quoted__dongle")
    lines = list(order.lines.select_related(*related).order_by("pk"))
    dongles = [row.dongle for row in order.version.dongles.select_related("dongle")]
    codes = [code for code in codes_of_order(order, dongles) if code.dongle.customer_id == customer.pk]
    return {
        "order": order,
        "version": order.version,
        "quote_address": my_quote_address(order.quote_id),
        "standing": _standing(order),
        "lines": [
            OwnLine(line, _what(line), own_serial(line, customer), line.licence.dongle.customer_id == customer.pk)
            for line in lines
        ],
        "shown": [] if lines else _shown(order, customer, today),
        "codes": codes,
        "waiting": _waiting(codes),
        "files": list(order.files.values_list("name", flat=True)),
    }


def own_serial(line: OrderLine, customer: Customer) -> str:
    """The dongle that carries a line's licence; where that is another customer's by now, the one that was quoted."""
    if line.licence.dongle.customer_id == customer.pk:
        return line.licence.dongle.serial
    return line.quote_line.quoted.dongle.serial if line.quote_line else ""


def _shown(order: Order, customer: Customer, today: date) -> Sequence[ShownDongle]:
    rows = saved_rows(order.version)
    return shown_dongles(rows, carried_by(rows, owner=customer.pk), today, owner=customer.pk)


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

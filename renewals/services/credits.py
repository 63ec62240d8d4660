"""Credits that are concessions (rule F4): money given back on a line that goes on running.

They change when and how much is earned, nothing that the customer has: no period, no licence, no code. The credit note
itself is written by the vendor's books.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.wording import write_money
from renewals import recognition
from renewals.models import Order, OrderLine, RevenueSegment
from renewals.services import ledger
from renewals.services.quotes import lock_version
from renewals.states import next_order_state


@transaction.atomic
def credit_line(*, order_line: OrderLine, amount: int, reason: str, actor: Actor, at: datetime) -> list[RevenueSegment]:
    """F4: credit so much (minor units, above 0) of a line's net, spread over the whole period of what it credits.

    Of a line with an SMA share (F3) each part bears its share of what is left. It is booked now, and what belongs to
    earlier months is caught up (F1). Refuses `credit_reason_missing`, `credit_not_positive`, `credit_above_net`
    (earlier concessions count) and, by the state of its order, `order_cancelled` and `order_not_fulfilled`.
    """
    check_ability(actor, "settle")
    lock_version(order_line.order.version)
    order = Order.objects.select_related("version").get(pk=order_line.order_id)
    next_order_state(order.state, "credit")
    if not reason.strip():
        raise DomainError("credit_reason_missing", "Say what the credit is for.", {"field": "reason"})
    if amount <= 0:
        raise DomainError("credit_not_positive", "A credit is an amount above 0.", {"field": "amount"})
    sales, left = _what_is_left(order_line)
    net, currency = sum(left), order.version.currency
    if amount > net:
        raise DomainError(
            "credit_above_net",
            f"Of this line {write_money(net, currency)} are left: more can’t be credited.",
            {"field": "amount", "left": net},
        )
    shares = recognition.share_credit(amount, left)
    credited = [ledger.Credited(*each) for each in zip(sales, left, shares, strict=True) if each[2]]
    rows = ledger.book_concession(credited, on=timezone.localdate(at), at=at)
    after = {
        "line": str(order_line.licence),
        "net": net - amount,
        "revenue": -amount,
        "currency": currency,
        "segments": [row.pk for row in rows],
    }
    audit.record(actor, at, Deed("credit", order, {"net": net}, after, reason.strip()))
    return rows


def _what_is_left(order_line: OrderLine) -> tuple[list[RevenueSegment], list[int]]:
    """The segments of a line's sale, and what is left of each after earlier concessions."""
    rows = list(order_line.segments.order_by("pk"))
    sales = [row for row in rows if row.reason == RevenueSegment.Reason.SALE]
    given = [row.segment for row in rows if row.reason == RevenueSegment.Reason.CONCESSION]
    return sales, [recognition.left_of(row.segment, given) for row in sales]

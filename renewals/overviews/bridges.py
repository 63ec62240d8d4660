"""What pages show of bridging codes (rule Q7)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import QuerySet

from portal.wording import write_day
from renewals.models import Bridge, QuoteDongle, QuoteVersion
from renewals.pricing.bridging import bridge_limit
from renewals.states import OrderState, QuoteState


class Bridging(NamedTuple):
    """The bridges of a quote version, and the last day that a further one could have; none where none can be given."""

    given: Sequence[Bridge]
    limit_on: date | None


class ToldBridge(NamedTuple):
    """A bridge, and what became of it in a few words."""

    bridge: Bridge
    outcome: str


def bridging_of(version: QuoteVersion, quoted: Sequence[QuoteDongle], today: date) -> Bridging:
    """The bridges of a version, and whether a further one is worth offering; the service decides.

    `quoted` are the version's dongles.
    """
    given = list(version.bridges.select_related("dongle", "granted_by").order_by("pk"))
    bridged = {bridge.dongle_id for bridge in given}
    is_open = version.state == QuoteState.SENT and version.valid_until is not None and today <= version.valid_until
    limits = [_limit_of(each, version, today) for each in quoted if is_open and each.dongle_id not in bridged]
    return Bridging(given, max((limit for limit in limits if limit), default=None))


def _limit_of(quoted: QuoteDongle, version: QuoteVersion, today: date) -> date | None:
    """The last day of a bridge for a dongle as quoted; none for one that is lapsed or whose bridge would be over."""
    paid_through, grace = quoted.paid_through, timedelta(days=version.policy.grace_days)
    ends = [date.fromisoformat(licence["covered_through"]) for licence in quoted.licences]
    if paid_through is None or any(end + grace < today for end in ends):
        return None
    limit = bridge_limit(paid_through, quoted.covered_through, version.policy.bridge_days)
    return limit if limit > max(paid_through, today) else None


def bridges_newest_first() -> QuerySet[Bridge]:
    """Every bridge with its dongle, customer, quote, order and code."""
    return Bridge.objects.select_related(
        "dongle", "version__quote__customer", "version__quote__order", "granted_by", "code__receipt"
    ).order_by("-pk")


def told_bridges(bridges: Sequence[Bridge], today: date) -> list[ToldBridge]:
    """The bridges with what became of each."""
    return [ToldBridge(bridge, outcome_of(bridge, today)) for bridge in bridges]


def outcome_of(bridge: Bridge, today: date) -> str:
    """What became of a bridge: ordered, or why not, and whether it still lasts."""
    version = bridge.version
    order = getattr(version.quote, "order", None)
    if order is not None:
        return {
            OrderState.ACCEPTED: "Ordered, to be paid",
            OrderState.FULFILLED: "Ordered",
            OrderState.CANCELLED: "Ordered, then cancelled",
        }[OrderState(order.state)]
    if version.state == QuoteState.DECLINED:
        return "Declined"
    if version.state == QuoteState.SUPERSEDED:
        return "A newer version was sent"
    if today <= bridge.ends_on:
        return "Waiting for the order"
    return "Not ordered"


def standing_of_bridge(bridge: Bridge, today: date) -> str:
    """Of a dongle whose date is that of a bridge: through when it lasts, in a sentence."""
    verb = "is" if today <= bridge.ends_on else "was"
    return f"Its date {verb} bridged through {write_day(bridge.ends_on)}, which is no SMA."

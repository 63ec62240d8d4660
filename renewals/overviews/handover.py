"""What to know before a dongle is replaced or handed on (rule Q8)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import F

from dongles import queries as dongle_queries
from dongles.models import Dongle, Licence
from portal.errors import DomainError
from renewals.models import Bridge, Order, QuoteVersion, RenewalRequest
from renewals.overviews.history import history_of_dongle
from renewals.overviews.lists import is_on_its_way
from renewals.overviews.quotes import preview_of
from renewals.pricing.replacement import replacement_charge
from renewals.queries import DongleRequest, ReplacementRequest, policy_on, price_quote, terms_of
from renewals.states import OrderState, RequestState


class OpenBusiness(NamedTuple):
    """What is under way for a dongle: quotes that can't be accepted any more afterwards, requests, an order that waits
    for its payment and a bridge that still lasts, each of which stands in the way or ends."""

    licences: Sequence[Licence]
    quotes: Sequence[QuoteVersion]
    requests: Sequence[RenewalRequest]
    waiting: Order | None
    bridge: Bridge | None


def open_business_of(dongle: Dongle, today: date) -> OpenBusiness:
    """What is under way for a dongle, in five queries."""
    open_versions = QuoteVersion.objects.filter(is_on_its_way(today), dongles__dongle=dongle)
    return OpenBusiness(
        list(dongle_queries.licences_of([dongle])),
        list(open_versions.select_related("quote").order_by("pk")),
        list(RenewalRequest.objects.filter(dongles__dongle=dongle, state=RequestState.OPEN).distinct()),
        Order.objects.filter(state=OrderState.ACCEPTED, version__dongles__dongle=dongle).first(),
        Bridge.objects.filter(dongle=dongle, ends_on=F("dongle__issued_expiry_on"), ends_on__gte=today).first(),
    )


def handover_overview(dongle: Dongle, today: date) -> dict[str, Any]:
    """What every page about a handover shows."""
    return {"dongle": dongle, "today": today, "business": open_business_of(dongle, today)}


def what_happened_overview(dongle: Dongle) -> dict[str, Any]:
    """What became of a dongle so far."""
    return {
        "dongle": dongle,
        "replaced_by": getattr(dongle, "replaced_by", None),
        "history": history_of_dongle(dongle),
    }


def replacement_overview(dongle: Dongle, cause: str, today: date) -> dict[str, Any]:
    """Q8: what replacing a dongle for that cause costs today (`preview`, none where it is free), or why it can't be
    quoted (`refusal`)."""
    shown = {**handover_overview(dongle, today), "cause": cause}
    is_free = replacement_charge(terms_of(policy_on(today)), cause) == "free"
    if is_free:
        return {**shown, "is_free": True}
    request = DongleRequest(dongle, replacement=ReplacementRequest("", cause, ""))
    try:
        priced = price_quote(dongle_queries.owner_of(dongle), [request], on=today)
    except DomainError as refusal:
        return {**shown, "refusal": refusal}
    return {**shown, "preview": preview_of(priced)}

"""Quotes and orders, newest first, with what a row of a list shows."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from dongles.models import Dongle
from renewals.models import Order, QuoteDongle, QuoteVersion
from renewals.states import QuoteState


def is_on_its_way(today: date) -> Q:
    """Of versions: drafted, or sent and still valid on that day."""
    is_valid = Q(valid_until__isnull=True) | Q(valid_until__gte=today)
    return Q(state__in=[QuoteState.DRAFT, QuoteState.SENT]) & is_valid


def has_quote_on_its_way(today: date) -> Exists:
    """Of dongles: whether a version on its way renews one or adds to it."""
    versions = QuoteVersion.objects.filter(is_on_its_way(today), pk=OuterRef("version"))
    return Exists(QuoteDongle.objects.filter(Exists(versions), dongle=OuterRef("pk"), replacement={}))


def versions_with_quote() -> QuerySet[QuoteVersion]:
    return QuoteVersion.objects.select_related("quote__customer", "policy", "price_list", "drafted_by", "approved_by")


def newest_versions() -> QuerySet[QuoteVersion]:
    """The newest version of each quote, newest first, with its quote's customer and order."""
    newest = QuoteVersion.objects.filter(quote=OuterRef("quote")).order_by("-number").values("pk")[:1]
    versions = QuoteVersion.objects.select_related("quote__customer", "quote__order")
    return versions.filter(pk=Subquery(newest)).order_by("-quote_id")


def versions_for(dongle: Dongle, limit: int = 20) -> list[QuoteVersion]:
    """Of each quote the newest version that asks for a dongle, with what its page shows of it and of its order."""
    shown = ("number", "state", "currency", "total", "valid_until", "quote__id", "quote__order__id")
    asking = QuoteVersion.objects.filter(dongles__dongle=dongle).select_related("quote__order").only(*shown)
    newest: dict[int, QuoteVersion] = {}
    for version in asking.order_by("-quote_id", "-number")[: 5 * limit]:
        newest.setdefault(version.quote_id, version)
    return list(newest.values())[:limit]


def orders_newest_first() -> QuerySet[Order]:
    return Order.objects.select_related("customer", "version", "quote").order_by("-pk")

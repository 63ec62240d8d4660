"""Quotes and orders, newest first, with what a row of a list shows."""

from django.db.models import OuterRef, QuerySet, Subquery

from renewals.models import Order, QuoteVersion


def versions_with_quote() -> QuerySet[QuoteVersion]:
    return QuoteVersion.objects.select_related("quote__customer", "policy", "price_list", "drafted_by", "approved_by")


def newest_versions() -> QuerySet[QuoteVersion]:
    """The newest version of each quote, newest first, with the serials of its dongles at hand."""
    newest = QuoteVersion.objects.filter(quote=OuterRef("quote")).order_by("-number").values("pk")[:1]
    return versions_with_quote().filter(pk=Subquery(newest)).order_by("-quote_id")


def orders_newest_first() -> QuerySet[Order]:
    return Order.objects.select_related("customer", "version", "quote").order_by("-pk")

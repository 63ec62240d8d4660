"""Price lists: which is in force, which has been used, and what changes from one to the next."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from dongles.models import Product
from portal.wording import count, write_rate
from renewals.models import PriceList, PriceListEntry, QuoteVersion
from renewals.pricing.rounding import round_half_up

PRICES = {
    "licence": "Licence",
    "sma_year": "SMA year",
    "upgrade": "Upgrade",
    "licence_alone": "Licence alone",
    "upgrade_alone": "Upgrade alone",
}


def price_lists(on: date) -> QuerySet[PriceList]:
    """All lists, each with `is_used` (by a quote) and `is_followed` (another is in force in its place on that day)."""
    following = PriceList.objects.filter(
        currency=OuterRef("currency"),
        segment=OuterRef("segment"),
        valid_from__gt=OuterRef("valid_from"),
        valid_from__lte=on,
    )
    used = QuoteVersion.objects.filter(price_list=OuterRef("pk"))
    return PriceList.objects.annotate(is_followed=Exists(following), is_used=Exists(used))


def state_of(price_list: PriceList, on: date) -> str:
    """How a list of `price_lists` stands on that day: `scheduled`, `in_force` or `past`."""
    if price_list.valid_from > on:
        return "scheduled"
    return "past" if price_list.is_followed else "in_force"  # type: ignore[attr-defined]  # annotated by price_lists


class ChangedPrice(NamedTuple):
    """A price before and now, in minor units, and the change in words: “+3%”; none where it can't be said."""

    name: str
    old: int | None
    new: int | None
    change: str


class ComparedProduct(NamedTuple):
    """A product's prices that stand in either list; `state` is `new`, `dropped` or empty."""

    product: Product
    state: str
    prices: tuple[ChangedPrice, ...]


class Comparison(NamedTuple):
    """A list beside the last one before it in the same currency and segment, if there is one; `fee` is that for a
    replaced dongle (Q8), where either has one."""

    price_list: PriceList
    previous: PriceList | None
    products: Sequence[ComparedProduct]
    fee: ChangedPrice | None
    summary: str


def comparison_of(price_list: PriceList) -> Comparison:
    """What changes with this list, product by product in the order of their numbers, in three queries."""
    earlier = PriceList.objects.filter(
        currency=price_list.currency, segment=price_list.segment, valid_from__lt=price_list.valid_from
    )
    previous = earlier.order_by("-valid_from").first()
    both = [price_list, *([previous] if previous else [])]
    entries = PriceListEntry.objects.filter(price_list__in=both).select_related("product")
    found: dict[Product, dict[int, PriceListEntry]] = {}
    for entry in entries.order_by("product__number"):
        found.setdefault(entry.product, {})[entry.price_list_id] = entry
    compared = [
        _compared(product, pair.get(previous.pk) if previous else None, pair.get(price_list.pk), bool(previous))
        for product, pair in found.items()
    ]
    was, becomes = previous.replacement_fee if previous else None, price_list.replacement_fee
    fee = (
        ChangedPrice("Fee for a replaced dongle", was, becomes, write_change(was, becomes)) if was or becomes else None
    )
    return Comparison(price_list, previous, compared, fee, _summary(compared))


def _compared(
    product: Product, old: PriceListEntry | None, new: PriceListEntry | None, has_previous: bool
) -> ComparedProduct:
    state = "dropped" if new is None else "new" if old is None and has_previous else ""
    prices = []
    for name, label in PRICES.items():
        was, becomes = getattr(old, name, None), getattr(new, name, None)
        if was is None and becomes is None:
            continue
        prices.append(ChangedPrice(label, was, becomes, write_change(was, becomes)))
    return ComparedProduct(product, state, tuple(prices))


def write_change(old: int | None, new: int | None) -> str:
    """The change in per cent: 100 to 103 is “+3%”; empty where one is missing or the old one is 0."""
    return "" if not old or new is None else _signed(_change(old, new))


def _change(old: int, new: int) -> Fraction:
    """As a rate, rounded to hundredths of a per cent."""
    return Fraction(round_half_up(10_000 * (new - old), old), 10_000)


def _signed(rate: Fraction) -> str:
    return f"+{write_rate(rate)}" if rate > 0 else write_rate(rate)


def _summary(products: Sequence[ComparedProduct]) -> str:
    """The changes in a sentence: the least and the greatest, how many products are new and how many dropped."""
    changes = [
        _change(price.old, price.new)
        for each in products
        for price in each.prices
        if price.old and price.new is not None
    ]
    states = [each.state for each in products]
    parts = []
    if changes and not any(changes):
        parts.append("No price changes")
    elif changes:
        least, most = min(changes), max(changes)
        spread = _signed(least) if least == most else f"{_signed(least)} to {_signed(most)}"
        parts.append(f"Prices change by {spread}")
    for state in ("new", "dropped"):
        if states.count(state):
            parts.append(f"{count(states.count(state), 'product')} {state}")
    return "; ".join(parts) + "." if parts else ""

"""What a customer asks a quote for, priced: the same cents as on the staff's pages, in customers' words."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from dongles import queries as dongle_queries
from dongles.models import Dongle, Product
from portal.models import Customer
from portal.wording import write_day
from renewals import queries
from renewals.models import PriceListEntry
from renewals.overviews.builder import builder_overview
from renewals.overviews.my.home import own_dongles
from renewals.overviews.my.standing import OwnDongle, stand
from renewals.overviews.offers import Offer
from renewals.queries import NO_CONCESSIONS, DongleRequest

MORE_PROPOSED = 20  # dongles beside those that were chosen


def dongles_to_choose(customer: Customer, serials: Sequence[str], today: date) -> Sequence[OwnDongle]:
    """The chosen dongles in the order asked for, then the most urgent others, with how each stands.

    A serial that is none of the customer's is left out: whoever asks compares.
    """
    chosen = dongle_queries.with_waiting_code(customer.dongles.filter(serial__in=serials))
    by_serial = {dongle.serial: dongle for dongle in chosen}
    others = own_dongles(customer, today).exclude(serial__in=serials)[:MORE_PROPOSED]
    return stand(customer, [*(by_serial[serial] for serial in serials if serial in by_serial), *others], today)


def products_on_sale(customer: Customer, dongles: Sequence[Dongle], today: date) -> dict[int, Sequence[Product]]:
    """By dongle (id) the products that may be added to it and have a price for this customer today."""
    price_list = queries.price_list_on(customer, today)
    priced = set(PriceListEntry.objects.filter(price_list=price_list).values_list("product", flat=True))
    return {
        dongle_id: [product for product in products if product.pk in priced]
        for dongle_id, products in dongle_queries.products_for(dongles).items()
    }


def renewal_overview(customer: Customer, requests: Sequence[DongleRequest], today: date) -> dict[str, Any]:
    """The price of what is asked or why there is none, other lengths beside it, and what waiting costs."""
    shown = builder_overview(customer, requests, NO_CONCESSIONS, "", today)
    part_month = queries.policy_on(today).part_month
    offers = [_in_own_words(offer) for offer in shown["offers"] if offer.priced and _is_usual(offer, part_month)]
    return {**shown, "offers": offers if len(offers) > 1 else []}


def _is_usual(offer: Offer, part_month: str) -> bool:
    """Whether it is for years, or to a date with the parts of a year counted as for everybody."""
    way, _, _ = offer.key.partition("_")
    return way.isdecimal() or way == part_month


def _in_own_words(offer: Offer) -> Offer:
    if offer.key.endswith("_years"):
        return offer
    assert offer.priced is not None
    return offer._replace(title=f"All to {write_day(offer.covered_through)}")

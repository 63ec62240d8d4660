"""Everything that the price of a quote depends on, read at once: then it is priced as often, and for as many days, as
one likes. From a day on, since a price may be asked for a later day too (what waiting costs).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet

from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.coverage import Release as PublishedRelease
from dongles.models import Dongle, Licence, Product
from portal.errors import DomainError
from portal.models import Customer
from portal.wording import write_day
from renewals.models import PolicySettings, PriceList, PriceListEntry, TaxRate

Carried = tuple[tuple[Licence, LicenceCoverage], ...]


class PricingFacts(NamedTuple):
    """What is on record from `since` through `through`: per dongle (id) what it carries, and the vendor's terms.

    Price list entries, policies and tax rates are those in force on `since` and those that follow, the newest first.
    """

    customer: Customer
    since: date
    through: date
    carried: dict[int, Carried]
    majors: Sequence[PublishedRelease]
    products: dict[str, Product]
    entries: Sequence[PriceListEntry]
    policies: Sequence[PolicySettings]
    tax_rates: Sequence[tuple[date, Decimal]]

    def policy_on(self, on: date) -> PolicySettings:
        """The policy settings in force on a day (`no_policy`)."""
        for policy in self.policies:
            if policy.valid_from <= on:
                return policy
        raise DomainError("no_policy", f"No policy settings are valid on {write_day(on)}.")

    def prices_on(self, on: date) -> tuple[PriceList, dict[str, PriceListEntry]]:
        """The price list in force on a day with its entries by product code (`no_price_list`)."""
        in_force = max(
            (entry.price_list.valid_from for entry in self.entries if entry.price_list.valid_from <= on), default=None
        )
        if in_force is None:
            raise DomainError(
                "no_price_list",
                f"There is no price list in {self.customer.currency} for"
                f" {self.customer.get_segment_display().lower()} customers on {write_day(on)}.",
            )
        entries = [entry for entry in self.entries if entry.price_list.valid_from == in_force]
        return entries[0].price_list, {entry.product.code: entry for entry in entries}

    def tax_rate_on(self, on: date) -> Decimal:
        """P9: the rate for the customer's country and tax status; 0 where none is on record."""
        return next((rate for valid_from, rate in self.tax_rates if valid_from <= on), Decimal(0))


def facts_for(
    customer: Customer,
    dongles: Sequence[Dongle],
    products: Iterable[str],
    *,
    since: date,
    through: date | None = None,
) -> PricingFacts:
    """Read the facts in six queries, seven where products (codes) are to be added, however many dongles there are.

    Without `through` only for the day `since`. Refuses `unknown_product`.
    """
    through = through or since
    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = {dongle.pk: [] for dongle in dongles}
    for licence in dongle_queries.licences_of(dongles):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    families = {covered.family for licences in carried.values() for _, covered in licences}
    return PricingFacts(
        customer,
        since,
        through,
        {key: tuple(licences) for key, licences in carried.items()},
        dongle_queries.published_releases(families, through=through, majors_only=True),
        _products(set(products)),
        list(_entries(customer, since, through)),
        _policies(since, through),
        _tax_rates(customer, since, through),
    )


def policy_on(on: date) -> PolicySettings:
    """The policy settings in force on a day (`no_policy`)."""
    policy = PolicySettings.objects.filter(valid_from__lte=on).order_by("-valid_from").first()
    if policy is None:
        raise DomainError("no_policy", f"No policy settings are valid on {write_day(on)}.")
    return policy


def price_list_on(customer: Customer, on: date) -> PriceList | None:
    """The price list in force for a customer on a day."""
    return _price_lists(customer, on).first()


def _price_lists(customer: Customer, on: date) -> QuerySet[PriceList]:
    lists = PriceList.objects.filter(currency=customer.currency, segment=customer.segment, valid_from__lte=on)
    return lists.order_by("-valid_from")


def _entries(customer: Customer, since: date, through: date) -> QuerySet[PriceListEntry]:
    wanted = Q(price_list=_price_lists(customer, since).values("pk")[:1])
    if through > since:
        wanted |= Q(
            price_list__currency=customer.currency,
            price_list__segment=customer.segment,
            price_list__valid_from__gt=since,
            price_list__valid_from__lte=through,
        )
    return PriceListEntry.objects.filter(wanted).select_related("price_list", "product")


def _policies(since: date, through: date) -> Sequence[PolicySettings]:
    policies = PolicySettings.objects.filter(valid_from__lte=through).order_by("-valid_from")
    return list(policies[:1] if through == since else policies)


def _tax_rates(customer: Customer, since: date, through: date) -> Sequence[tuple[date, Decimal]]:
    rates = TaxRate.objects.filter(
        country=customer.country, tax_status=customer.tax_status, valid_from__lte=through
    ).order_by("-valid_from")
    rows = rates.values_list("valid_from", "rate")
    return list(rows[:1] if through == since else rows)


def _products(codes: set[str]) -> dict[str, Product]:
    if not codes:
        return {}
    products = {product.code: product for product in Product.objects.filter(code__in=codes).select_related("family")}
    for code in sorted(codes - products.keys()):
        raise DomainError("unknown_product", f"There is no product {code}.", {"field": "add", "product": code})
    return products

"""Everything that the price of a quote depends on, read at once: then it is priced as often, and for as many days, as
one likes. From a day on, since a price may be asked for a later day too (what waiting costs).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet

from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.coverage import Release as PublishedRelease
from dongles.entitlement import RenewalTerms
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
    dongles: Mapping[Customer, Sequence[Dongle]],
    products: Iterable[str],
    *,
    since: date,
    through: date | None = None,
) -> dict[int, PricingFacts]:
    """Read the facts for customers (by id) and these of their dongles, in six queries, seven where products (codes) are
    to be added, however many customers and dongles there are.

    Without `through` only for the day `since`. Refuses `unknown_product`.
    """
    through = through or since
    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = defaultdict(list)
    for licence in dongle_queries.licences_of([dongle for each in dongles.values() for dongle in each]):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    families = {covered.family for licences in carried.values() for _, covered in licences}
    majors = dongle_queries.published_releases(families, through=through, majors_only=True)
    added = _products(set(products))
    entries = _entries({(customer.currency, customer.segment) for customer in dongles}, since, through)
    policies = _policies(since, through)
    tax_rates = _tax_rates({customer.country for customer in dongles}, through)
    return {
        customer.pk: PricingFacts(
            customer,
            since,
            through,
            {dongle.pk: tuple(carried[dongle.pk]) for dongle in theirs},
            majors,
            added,
            entries[customer.currency, customer.segment],
            policies,
            tax_rates[customer.country, customer.tax_status],
        )
        for customer, theirs in dongles.items()
    }


def policy_on(on: date) -> PolicySettings:
    """The policy settings in force on a day (`no_policy`)."""
    policy = _policies_by(on).first()
    if policy is None:
        raise DomainError("no_policy", f"No policy settings are valid on {write_day(on)}.")
    return policy


def renewal_terms_on(on: date) -> RenewalTerms:
    """Of the policy in force on a day what decides how far an SMA has to be renewed at least; the rulebook's defaults
    where none is, since nothing is sold then."""
    policy = _policies_by(on).first()
    if policy is None:
        return RenewalTerms()
    return RenewalTerms(policy.grace_days, policy.align_min_months, policy.upgrade_includes_months)


def _policies_by(on: date) -> QuerySet[PolicySettings]:
    return PolicySettings.objects.filter(valid_from__lte=on).order_by("-valid_from")


def price_list_on(customer: Customer, on: date) -> PriceList | None:
    """The price list in force for a customer on a day."""
    return _price_lists(customer.currency, customer.segment, on).first()


def _price_lists(currency: str, segment: str, on: date) -> QuerySet[PriceList]:
    lists = PriceList.objects.filter(currency=currency, segment=segment, valid_from__lte=on)
    return lists.order_by("-valid_from")


def _entries(
    kinds: Collection[tuple[str, str]], since: date, through: date
) -> dict[tuple[str, str], list[PriceListEntry]]:
    """The entries for each kind of customers: their currency and segment."""
    wanted = Q()
    for currency, segment in kinds:
        wanted |= Q(price_list=_price_lists(currency, segment, since).values("pk")[:1])
        if through > since:
            wanted |= Q(
                price_list__currency=currency,
                price_list__segment=segment,
                price_list__valid_from__gt=since,
                price_list__valid_from__lte=through,
            )
    entries: dict[tuple[str, str], list[PriceListEntry]] = {kind: [] for kind in kinds}
    for entry in PriceListEntry.objects.filter(wanted).select_related("price_list", "product"):
        entries[entry.price_list.currency, entry.price_list.segment].append(entry)
    return entries


def _policies(since: date, through: date) -> Sequence[PolicySettings]:
    policies = PolicySettings.objects.filter(valid_from__lte=through).order_by("-valid_from")
    return list(policies[:1] if through == since else policies)


def _tax_rates(countries: Collection[str], through: date) -> Mapping[tuple[str, str], list[tuple[date, Decimal]]]:
    """The rates by country and tax status, the newest first; none where there is none."""
    rows = TaxRate.objects.filter(country__in=countries, valid_from__lte=through).order_by("-valid_from")
    rates: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    for country, tax_status, valid_from, rate in rows.values_list("country", "tax_status", "valid_from", "rate"):
        rates[country, tax_status].append((valid_from, rate))
    return rates


def _products(codes: set[str]) -> dict[str, Product]:
    if not codes:
        return {}
    products = {product.code: product for product in Product.objects.filter(code__in=codes).select_related("family")}
    for code in sorted(codes - products.keys()):
        raise DomainError("unknown_product", f"There is no product {code}.", {"field": "add", "product": code})
    return products

"""Reads of what is sold. `price_quote` is the one way from dongles on record to a price, for everybody."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from django.db.models import QuerySet

from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage, fingerprint
from dongles.models import Dongle, Licence, Product
from portal.errors import DomainError
from portal.models import Customer
from portal.wording import write_day
from renewals.models import PolicySettings, PriceList, PriceListEntry, TaxRate
from renewals.pricing import AddedLicence, Policy, Price, PricedDongle, Request
from renewals.pricing import PriceList as PriceTerms
from renewals.pricing.engine import price_dongle
from renewals.pricing.refusals import check_code_limits
from renewals.pricing.tax import tax_on


class DongleRequest(NamedTuple):
    """What is asked for one dongle: renewal for years or alignment to a date, and/or added licences."""

    dongle: Dongle
    renew_years: int | None = None
    align_to: date | None = None
    added: tuple[AddedLicence, ...] = ()


class PricedRequest(NamedTuple):
    """A dongle's request with what is on the dongle and what the rules made of it."""

    request: DongleRequest
    licences: tuple[tuple[Licence, LicenceCoverage], ...]
    added_products: tuple[Product, ...]
    priced: PricedDongle
    fingerprint: str

    def product_of(self, licence_index: int) -> Product:
        """The product of a priced line: the dongle's licences in order, then the added ones."""
        if licence_index < len(self.licences):
            return self.licences[licence_index][0].product
        return self.added_products[licence_index - len(self.licences)]


class PricedQuote(NamedTuple):
    """Everything a quote says, unsaved. Amounts in minor units of `currency`."""

    customer: Customer
    priced_on: date
    policy: PolicySettings
    price_list: PriceList
    entries: dict[str, PriceListEntry]
    currency: str
    discount: Decimal
    tax_rate: Decimal
    dongles: tuple[PricedRequest, ...]
    net: int
    tax: int
    total: int


def price_quote(
    customer: Customer,
    requests: Sequence[DongleRequest],
    *,
    on: date,
    discount: Decimal = Decimal(0),
    part_month: str | None = None,
) -> PricedQuote:
    """Price the requests as of the day `on`, in seven queries however many dongles and licences there are.

    Refuses what the rulebook refuses (P, Q9) and `no_price_list`, `no_policy`, `dongle_not_active`,
    `dongle_of_other_customer`, `unknown_product`, `dongle_twice`.
    """
    _check_dongles(customer, requests)
    policy = policy_on(on)
    entries = _entries_on(customer, on)
    price_list = next(iter(entries.values())).price_list
    tax_rate = tax_rate_on(customer, on)

    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = {request.dongle.pk: [] for request in requests}
    for licence in dongle_queries.licences_of(request.dongle for request in requests):
        carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
    families = {covered.family for licences in carried.values() for _, covered in licences}
    majors = dongle_queries.published_releases(families, through=on, majors_only=True)
    products = _added_products(requests)

    terms = terms_of(policy, part_month)
    prices = PriceTerms(
        customer.currency,
        {code: Price(row.licence, row.sma_year, row.upgrade) for code, row in entries.items()},
    )
    priced = []
    for request in requests:
        licences = tuple(carried[request.dongle.pk])
        added_products = tuple(products[added.product] for added in request.added)
        _check_families(request.dongle, licences, added_products)
        check_code_limits([covered for _, covered in licences], request.added)
        result = price_dongle(
            terms,
            prices,
            [covered for _, covered in licences],
            majors,
            Request(on, request.renew_years, request.align_to, request.added, Fraction(discount)),
        )
        print_of = fingerprint([(licence.pk, covered) for licence, covered in licences])
        priced.append(PricedRequest(request, licences, added_products, result, print_of))

    net = sum(each.priced.net for each in priced)
    tax = tax_on(net, Fraction(tax_rate))
    return PricedQuote(
        customer,
        on,
        policy,
        price_list,
        entries,
        customer.currency,
        discount,
        tax_rate,
        tuple(priced),
        net,
        tax,
        net + tax,
    )


def policy_on(on: date) -> PolicySettings:
    """The policy settings in force on a day (`no_policy`)."""
    policy = PolicySettings.objects.filter(valid_from__lte=on).order_by("-valid_from").first()
    if policy is None:
        raise DomainError("no_policy", f"No policy settings are valid on {write_day(on)}.")
    return policy


def terms_of(policy: PolicySettings, part_month: str | None = None) -> Policy:
    """The policy as the rules take it; `part_month` may be tried out differently."""
    return Policy(
        part_month=part_month or policy.part_month,
        missed_majors=policy.missed_majors,
        upgrade_includes_months=policy.upgrade_includes_months,
        upgrade_cap=None if policy.upgrade_cap is None else Fraction(policy.upgrade_cap),
        multi_year_discount={int(years): Fraction(rate) for years, rate in policy.multi_year_discount.items()},
        max_years=policy.max_years,
        align_min_months=policy.align_min_months,
        back_pay=policy.back_pay,
        reinstatement_fee=Fraction(policy.reinstatement_fee),
        grace_days=policy.grace_days,
    )


def tax_rate_on(customer: Customer, on: date) -> Decimal:
    """P9: the rate for the customer's country and tax status; 0 where none is on record."""
    rate = (
        TaxRate.objects.filter(country=customer.country, tax_status=customer.tax_status, valid_from__lte=on)
        .order_by("-valid_from")
        .values_list("rate", flat=True)
        .first()
    )
    return Decimal(0) if rate is None else rate


def price_lists_on(customer: Customer, on: date) -> QuerySet[PriceList]:
    """The price lists for a customer that are valid on a day, the one in force first."""
    lists = PriceList.objects.filter(currency=customer.currency, segment=customer.segment, valid_from__lte=on)
    return lists.order_by("-valid_from")


def price_list_on(customer: Customer, on: date) -> PriceList | None:
    """The price list in force for a customer on a day."""
    return price_lists_on(customer, on).first()


def _entries_on(customer: Customer, on: date) -> dict[str, PriceListEntry]:
    in_force = price_lists_on(customer, on).values("pk")[:1]
    entries = {
        entry.product.code: entry
        for entry in PriceListEntry.objects.filter(price_list=in_force).select_related("price_list", "product")
    }
    if not entries:
        raise DomainError(
            "no_price_list",
            f"There is no price list in {customer.currency} for {customer.get_segment_display().lower()} customers"
            f" on {write_day(on)}.",
        )
    return entries


def _check_dongles(customer: Customer, requests: Sequence[DongleRequest]) -> None:
    if not requests:
        raise DomainError("nothing_requested", "The quote asks for no dongle.")
    seen = set()
    for request in requests:
        dongle = request.dongle
        if dongle.customer_id != customer.pk:
            raise DomainError(
                "dongle_of_other_customer",
                f"Dongle {dongle.serial} is not on record as {customer.name}'s.",
                {"serial": dongle.serial},
            )
        if dongle.state != Dongle.State.ACTIVE:
            raise DomainError(
                "dongle_not_active",
                f"Dongle {dongle.serial} is {dongle.get_state_display().lower()}: nothing can be sold for it.",
                {"serial": dongle.serial},
            )
        if dongle.pk in seen:
            raise DomainError(
                "dongle_twice",
                f"Dongle {dongle.serial} stands twice in the quote.",
                {"serial": dongle.serial},
            )
        seen.add(dongle.pk)


def _added_products(requests: Iterable[DongleRequest]) -> dict[str, Product]:
    codes = {added.product for request in requests for added in request.added}
    if not codes:
        return {}
    products = {product.code: product for product in Product.objects.filter(code__in=codes).select_related("family")}
    for code in sorted(codes - products.keys()):
        raise DomainError("unknown_product", f"There is no product {code}.", {"field": "add", "product": code})
    return products


def _check_families(
    dongle: Dongle, licences: Sequence[tuple[Licence, LicenceCoverage]], added: Sequence[Product]
) -> None:
    """Only a licence server carries products of several families (`wrong_family`)."""
    if dongle.kind == Dongle.Kind.LICENCE_SERVER:
        return
    families = {covered.family for _, covered in licences} or {product.family.name for product in added[:1]}
    for product in added:
        if product.family.name not in families:
            raise DomainError(
                "wrong_family",
                f"{product.name} is a {product.family.name} product, and dongle {dongle.serial} carries"
                f" {' and '.join(sorted(families))}. Only an Imaging License Server carries several families.",
                {"field": "add", "product": product.code},
            )

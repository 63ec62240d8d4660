"""The price of a quote. `price_quote` is the one way from dongles on record to a price, for everybody."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from dongles.coverage import fingerprint
from dongles.models import Dongle, Product
from portal.errors import DomainError
from portal.models import Customer
from renewals.facts import Carried, PricingFacts, facts_for, policy_on, price_list_on
from renewals.models import PolicySettings, PriceList, PriceListEntry
from renewals.pricing import AddedLicence, Policy, Price, PricedDongle, Request
from renewals.pricing import PriceList as PriceTerms
from renewals.pricing.engine import price_dongle
from renewals.pricing.refusals import check_code_limits
from renewals.pricing.replacement import price_replacement
from renewals.pricing.tax import tax_on

__all__ = [
    "NO_CONCESSIONS",
    "Concessions",
    "DongleRequest",
    "PricedQuote",
    "PricedRequest",
    "ReplacementRequest",
    "facts_of",
    "facts_of_all",
    "policy_on",
    "price_list_on",
    "price_on",
    "price_quote",
    "terms_of",
]


class ReplacementRequest(NamedTuple):
    """Q8: the dongle that is to take another's place by its canonical serial, and why: `lost` or `broken`, in words."""

    serial: str
    cause: str
    reason: str


class DongleRequest(NamedTuple):
    """What is asked for one dongle: renewal for years or alignment to a date, and/or added licences.

    Or that another one takes its place, and nothing else.
    """

    dongle: Dongle
    renew_years: int | None = None
    align_to: date | None = None
    added: tuple[AddedLicence, ...] = ()
    replacement: ReplacementRequest | None = None


class PricedRequest(NamedTuple):
    """A dongle's request with what is on the dongle and what the rules made of it."""

    request: DongleRequest
    licences: Carried
    added_products: tuple[Product, ...]
    priced: PricedDongle
    fingerprint: str

    def product_of(self, licence_index: int) -> Product:
        """The product of a priced line: the dongle's licences in order, then the added ones."""
        if licence_index < len(self.licences):
            return self.licences[licence_index][0].product
        return self.added_products[licence_index - len(self.licences)]


class Concessions(NamedTuple):
    """What is negotiated for a quote: the discount (a rate, P8), upgrades waived and months given free (Q3)."""

    discount: Decimal = Decimal(0)
    waives_upgrades: bool = False
    free_months: int = 0


NO_CONCESSIONS = Concessions()


class PricedQuote(NamedTuple):
    """Everything a quote says, unsaved. Amounts in minor units of `currency`.

    `part_month` is what was chosen for it, none where the policy's way holds; `concessions` are those that have an
    effect: an upgrade is waived only where one is due, and months are given only with SMA.
    """

    customer: Customer
    priced_on: date
    policy: PolicySettings
    part_month: str
    price_list: PriceList
    entries: dict[str, PriceListEntry]
    currency: str
    concessions: Concessions
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
    concessions: Concessions = NO_CONCESSIONS,
    part_month: str = "",
) -> PricedQuote:
    """Price the requests as of the day `on`, in six or seven queries however many dongles and licences there are.

    `part_month` is a choice for this quote instead of the policy's. Refuses what the rulebook refuses (P, Q9) and
    `no_price_list`, `no_policy`, `dongle_not_active`, `dongle_of_other_customer`, `unknown_product`, `dongle_twice`,
    `replacement_alone` (a dongle is replaced by a quote of its own).
    """
    facts = facts_of(customer, requests, since=on)
    return price_on(facts, requests, on=on, concessions=concessions, part_month=part_month)


def facts_of(
    customer: Customer, requests: Sequence[DongleRequest], *, since: date, through: date | None = None
) -> PricingFacts:
    """What the requests' price depends on, on a day or through a later one; refuses what can't be quoted at all."""
    return facts_of_all({customer: requests}, since=since, through=through)[customer.pk]


def facts_of_all(
    asked: Mapping[Customer, Sequence[DongleRequest]], *, since: date, through: date | None = None
) -> dict[int, PricingFacts]:
    """The same for several customers (by id), with as many queries as for one; refused where one of them would be."""
    for customer, requests in asked.items():
        _check_dongles(customer, requests)
    dongles = {customer: [request.dongle for request in requests] for customer, requests in asked.items()}
    added = {added.product for requests in asked.values() for request in requests for added in request.added}
    return facts_for(dongles, added, since=since, through=through)


def price_on(
    facts: PricingFacts,
    requests: Sequence[DongleRequest],
    *,
    on: date,
    concessions: Concessions = NO_CONCESSIONS,
    part_month: str = "",
) -> PricedQuote:
    """Price the requests as of a day that the facts cover, without a query."""
    assert facts.since <= on <= facts.through
    policy = facts.policy_on(on)
    price_list, entries = facts.prices_on(on)
    tax_rate = facts.tax_rate_on(on)
    terms = terms_of(policy, part_month)
    prices = PriceTerms(
        price_list.currency,
        {code: Price(row.licence, row.sma_year, row.upgrade) for code, row in entries.items()},
        price_list.replacement_fee,
    )
    priced = [_priced(facts, each, terms, prices, concessions, on) for each in requests]
    net = sum(each.priced.net for each in priced)
    tax = tax_on(net, Fraction(tax_rate))
    is_waived = concessions.waives_upgrades and any(each.priced.missed_majors for each in priced)
    free_months = 0 if any(each.replacement for each in requests) else concessions.free_months
    return PricedQuote(
        customer=facts.customer,
        priced_on=on,
        policy=policy,
        part_month=part_month,
        price_list=price_list,
        entries=entries,
        currency=price_list.currency,
        concessions=concessions._replace(waives_upgrades=is_waived, free_months=free_months),
        tax_rate=tax_rate,
        dongles=tuple(priced),
        net=net,
        tax=tax,
        total=net + tax,
    )


def _priced(
    facts: PricingFacts, each: DongleRequest, terms: Policy, prices: PriceTerms, concessions: Concessions, on: date
) -> PricedRequest:
    licences = facts.carried[each.dongle.pk]
    added_products = tuple(facts.products[added.product] for added in each.added)
    _check_families(each.dongle, licences, added_products)
    check_code_limits([covered for _, covered in licences], each.added)
    request = Request(
        on,
        each.renew_years,
        each.align_to,
        each.added,
        Fraction(concessions.discount),
        waives_upgrades=concessions.waives_upgrades,
        free_months=concessions.free_months,
        replacement=each.replacement.cause if each.replacement else "",
    )
    majors = [release for release in facts.majors if release.build_on <= on]
    covered = [coverage for _, coverage in licences]
    if each.replacement:
        result = price_replacement(terms, prices, covered, request)
    else:
        result = price_dongle(terms, prices, covered, majors, request)
    print_of = fingerprint([(licence.pk, covered) for licence, covered in licences])
    return PricedRequest(each, licences, added_products, result, print_of)


def terms_of(policy: PolicySettings, part_month: str = "") -> Policy:
    """The policy as the rules take it; `part_month` is what a quote chose instead."""
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
        replacement_price=policy.replacement_price,
    )


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
        if dongle.state != Dongle.State.ACTIVE and (
            request.replacement is None or dongle.state == Dongle.State.RETIRED
        ):
            raise DomainError(
                "dongle_not_active",
                f"Dongle {dongle.serial} is {dongle.get_state_display().lower()}: nothing can be sold for it.",
                {"serial": dongle.serial},
            )
        if request.replacement and (len(requests) > 1 or request.renew_years or request.align_to or request.added):
            raise DomainError(
                "replacement_alone",
                f"Dongle {dongle.serial} is replaced by a quote of its own; what else is asked for is quoted apart.",
                {"serial": dongle.serial},
            )
        if dongle.pk in seen:
            raise DomainError(
                "dongle_twice",
                f"Dongle {dongle.serial} stands twice in the quote.",
                {"serial": dongle.serial},
            )
        seen.add(dongle.pk)


def _check_families(dongle: Dongle, licences: Carried, added: Sequence[Product]) -> None:
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

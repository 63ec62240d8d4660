"""Q8: what it costs that another dongle takes the place of a lost or broken one."""

from collections.abc import Iterator, Sequence

from dongles import coverage
from dongles.coverage import LicenceCoverage
from portal.errors import DomainError
from renewals.pricing.discounts import discounts_on
from renewals.pricing.tax import tax_on
from renewals.pricing.terms import NO_MONTHS, NO_RATE, Line, Policy, PricedDongle, PriceList, Request, Step

HANDED_BACK = "broken"


def replacement_charge(policy: Policy, cause: str) -> str:
    """Q8: `free`, `fee` or `licence`. Free is against return: what does not come back costs the licence price again."""
    if policy.replacement_price == "free" and cause != HANDED_BACK:
        return "licence"
    return policy.replacement_price


def price_replacement(
    policy: Policy, prices: PriceList, licences: Sequence[LicenceCoverage], request: Request
) -> PricedDongle:
    """Q8: the list's fee once, or the licence price of every licence again.

    It buys no SMA: paid time goes over as it is. Refuses `no_licences`, `no_price`, and `nothing_to_buy` where it is
    free.
    """
    if not licences:
        raise DomainError("no_licences", "Nothing is on the dongle that could go over to another.")
    if replacement_charge(policy, request.replacement) == "free":
        raise DomainError(
            "nothing_to_buy", "Replacing a dongle that is handed back is free: there is nothing to quote."
        )
    lines = tuple(_lines(policy, prices, licences, request))
    ends = [coverage.covered_through(licence) for licence in licences]
    net = sum(line.net for line in lines)
    tax = tax_on(net, request.tax_rate)
    return PricedDongle(
        prices.currency,
        request.on,
        max(ends),
        coverage.paid_through(licences, request.on, policy.grace_days),
        lines,
        {},
        net,
        tax,
        net + tax,
    )


def _lines(policy: Policy, prices: PriceList, licences: Sequence[LicenceCoverage], request: Request) -> Iterator[Line]:
    if replacement_charge(policy, request.replacement) == "fee":
        if prices.replacement_fee is None:
            raise DomainError("no_price", "The price list names no fee for replacing a dongle.")
        step = Step("Q8", "replacement_fee", (prices.replacement_fee,), prices.replacement_fee)
        yield _line(0, licences[0].product, 1, step, request)
        return
    for index, licence in enumerate(licences):
        price = prices.prices.get(licence.product)
        if price is None:
            raise DomainError(
                "no_price", f"The price list has no price for {licence.product}.", {"product": licence.product}
            )
        step = Step("Q8", "licence_again", (price.licence, licence.seats), price.licence * licence.seats)
        yield _line(index, licence.product, licence.seats, step, request)


def _line(index: int, product: str, seats: int, step: Step, request: Request) -> Line:
    amount = step.result
    discounts = discounts_on(amount, NO_RATE, request.discount)
    net = amount + sum(discount.amount for discount in discounts)
    rules = ("Q8", "P8") if discounts else ("Q8",)
    return Line("replacement", index, product, seats, None, None, NO_MONTHS, amount, discounts, net, rules, (step,))

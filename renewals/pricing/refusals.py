"""What is refused before anything is priced, in the rulebook's order (P, Refusals), and the limits of a code (Q9)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from dongles.coverage import LicenceCoverage
from portal.errors import DomainError
from portal.wording import write_day
from renewals.pricing.terms import AddedLicence, Policy, PriceList, Request

MOST_PRODUCTS = 60
MOST_SEATS = 65535
MOST_FREE_MONTHS = 12


def check_request(policy: Policy, prices: PriceList, licences: Sequence[LicenceCoverage], request: Request) -> None:
    """P: refuse `nothing_requested`, `renew_or_align`, `years_out_of_range`, `no_licences`, `no_price`,
    `upgrade_not_above_sma`, in this order; and `free_months_out_of_range` (Q3)."""
    years = request.renew_years or 0
    if not years and request.align_to is None and not request.added:
        raise DomainError("nothing_requested", "Ask for a renewal, for alignment to a date, or for new licences.")
    if years and request.align_to is not None:
        raise DomainError(
            "renew_or_align", "Ask for a number of years or for a date, not for both.", {"field": "align_to"}
        )
    if not 0 <= years <= policy.max_years:
        raise DomainError(
            "years_out_of_range", f"Renewal is for 1 to {policy.max_years} years.", {"field": "renew_years"}
        )
    if not 0 <= request.free_months <= MOST_FREE_MONTHS:
        raise DomainError(
            "free_months_out_of_range",
            f"At most {MOST_FREE_MONTHS} months can be given free.",
            {"field": "free_months"},
        )
    if not licences and not request.added:
        raise DomainError("no_licences", "The dongle carries no licence that could be renewed.")
    wanted = [licence.product for licence in licences] + [added.product for added in request.added]
    for product in wanted:
        if product not in prices.prices:
            raise DomainError("no_price", f"{product} has no price in this list.", {"product": product})
    check_price_list(policy, prices)


def check_price_list(policy: Policy, prices: PriceList) -> None:
    """P: refuse `upgrade_not_above_sma` where any upgrade costs no more than the SMA that it includes."""
    months = max(12, policy.upgrade_includes_months)
    for product, price in prices.prices.items():
        if price.upgrade * 12 <= price.sma_year * months:
            raise DomainError(
                "upgrade_not_above_sma",
                f"The upgrade of {product} must cost more than the {months} months of SMA that it includes.",
                {"product": product},
            )


def refuse_early_alignment(align_to: date, earliest: date) -> None:
    """P2: refuse `align_too_early`."""
    raise DomainError(
        "align_too_early",
        f"Everything can be aligned to {write_day(earliest)} or later, not to {write_day(align_to)}.",
        {"field": "align_to", "earliest": earliest.isoformat()},
    )


def check_code_limits(licences: Iterable[LicenceCoverage], added: Iterable[AddedLicence]) -> None:
    """Q9: refuse `too_many_products` and `too_many_seats`, before anything is sold that no code could state."""
    seats: Counter[str] = Counter()
    for licence in licences:
        seats[licence.product] += licence.seats
    for more in added:
        seats[more.product] += more.seats
    if len(seats) > MOST_PRODUCTS:
        raise DomainError(
            "too_many_products", f"A dongle carries at most {MOST_PRODUCTS} products; this would be {len(seats)}."
        )
    for product, number in seats.items():
        if number > MOST_SEATS:
            raise DomainError(
                "too_many_seats",
                f"A dongle carries at most {MOST_SEATS} seats of a product; {product} would have {number}.",
                {"product": product},
            )

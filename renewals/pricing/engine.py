"""Prices a request for a dongle: the rules called in order (P1–P10). Pure.

check_request → coverage (C4, C5) → target (P2) → lines, licence by licence (P1) → discounts (P8) → free months (Q3)
→ tax (P9)
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from dongles.coverage import LicenceCoverage, Release, covered_through, is_lapsed, missed_majors
from dongles.terms import ONE_DAY, Months, term_end
from portal.errors import DomainError
from portal.wording import write_day
from renewals.pricing.concessions import with_free_months
from renewals.pricing.discounts import discounts_on, multi_year_rate
from renewals.pricing.lapsed import back_pay, reinstatement_fee
from renewals.pricing.refusals import check_request
from renewals.pricing.sma import YEAR, Span, price_of_months, sma_step, spans_of
from renewals.pricing.target import target
from renewals.pricing.tax import tax_on
from renewals.pricing.terms import (
    NO_MONTHS,
    NO_RATE,
    Discount,
    Line,
    Policy,
    Price,
    PricedDongle,
    PriceList,
    Request,
    Step,
)
from renewals.pricing.upgrade import upgrade_price


def price_dongle(
    policy: Policy,
    prices: PriceList,
    licences: Sequence[LicenceCoverage],
    releases: Iterable[Release],
    request: Request,
) -> PricedDongle:
    """P1: the price of what is asked for a dongle with all its licences, `releases` being the published ones.

    Refuses with the codes of the rulebook, in its order.
    """
    check_request(policy, prices, licences, request)
    on = request.on
    ends = [covered_through(licence) for licence in licences]
    lapsed = [is_lapsed(end, on, policy.grace_days) for end in ends]
    paid_through = max((end for end, gone in zip(ends, lapsed, strict=True) if not gone), default=None)
    missed = _missed(licences, lapsed, releases, request, policy) if True in lapsed else {}
    is_upgrade_due = bool(missed) and not request.waives_upgrades
    until = target(policy, request, paid_through, any_lapsed=True in lapsed, upgrade_due=is_upgrade_due)

    pricing = _DonglePricing(policy, prices, request, until)
    for index, licence in enumerate(licences):
        if not lapsed[index]:
            pricing.renew(index, licence, ends[index] + ONE_DAY)
        elif index in missed and is_upgrade_due:
            pricing.upgrade(index, licence, len(missed[index]))
        else:
            pricing.reinstate(index, licence, ends[index], is_waived=index in missed)
    for index, added in enumerate(request.added, len(licences)):
        pricing.add(index, added)
    lines = pricing.lines
    if not lines:
        raise DomainError("nothing_to_buy", f"Everything is covered through {write_day(until)} already.")
    if request.free_months:
        lines, until = with_free_months(lines, licences, request, until)
    net = sum(line.net for line in lines)
    tax = tax_on(net, request.tax_rate)
    return PricedDongle(prices.currency, on, until, paid_through, tuple(lines), missed, net, tax, net + tax)


def _missed(
    licences: Sequence[LicenceCoverage],
    lapsed: Sequence[bool],
    releases: Iterable[Release],
    request: Request,
    policy: Policy,
) -> Mapping[int, tuple[Release, ...]]:
    releases = list(releases)
    found = {
        index: missed_majors(licence, releases, request.on, policy.grace_days)
        for index, licence in enumerate(licences)
        if lapsed[index]
    }
    return {index: missed for index, missed in found.items() if missed}


class _DonglePricing:
    """Collects the lines of one request, in the rulebook's order (P1)."""

    def __init__(self, policy: Policy, prices: PriceList, request: Request, until: date) -> None:
        self.policy, self.prices, self.request, self.until = policy, prices.prices, request, until
        self.lines: list[Line] = []
        self._spans: dict[date, tuple[Span, ...]] = {}

    def renew(self, index: int, licence: LicenceCoverage, starts_on: date) -> None:
        """P4, D3: SMA from the day after the old one to T."""
        self._sma(index, licence.product, licence.seats, starts_on, "P4")

    def reinstate(self, index: int, licence: LicenceCoverage, ended_on: date, *, is_waived: bool) -> None:
        """P6: SMA from the day of the order; back pay and reinstatement fee by policy. Or an upgrade is waived (Q3)."""
        product, seats = licence.product, licence.seats
        price = self.prices[product]
        if self.policy.back_pay and (owed := back_pay(self.policy, price, seats, ended_on, self.request.on)):
            gap, amount, steps = owed
            self._line("back_pay", index, product, seats, None, None, gap, amount, ("P6",), steps)
        self._fee(index, product, seats, price)
        self._sma(index, product, seats, self.request.on, "P6", *(("Q3",) if is_waived else ()))

    def upgrade(self, index: int, licence: LicenceCoverage, missed: int) -> None:
        """P7: the upgrade with the SMA that it includes, the fee, then SMA to T."""
        product, seats = licence.product, licence.seats
        price = self.prices[product]
        on, months = self.request.on, self.policy.upgrade_includes_months
        amount, steps = upgrade_price(self.policy, price, seats, missed)
        if months:
            ends_on = term_end(on, months)
            self._line("upgrade", index, product, seats, on, ends_on, Months(months, 0, 0), amount, ("P7", "C5"), steps)
            starts_on = ends_on + ONE_DAY
        else:
            self._line("upgrade", index, product, seats, None, None, NO_MONTHS, amount, ("P7", "C5"), steps)
            starts_on = on
        self._fee(index, product, seats, price)
        self._sma(index, product, seats, starts_on, "P7")

    def add(self, index: int, added: tuple[str, int]) -> None:
        """P5: a new licence with its twelve months, then SMA to T."""
        product, seats = added
        on = self.request.on
        ends_on = term_end(on, 12)
        amount = self.prices[product].licence * seats
        steps = (Step("P5", "licence", (self.prices[product].licence, seats), amount),)
        self._line("licence", index, product, seats, on, ends_on, YEAR, amount, ("P5",), steps)
        self._sma(index, product, seats, ends_on + ONE_DAY, "P5")

    def _fee(self, index: int, product: str, seats: int, price: Price) -> None:
        if fee := reinstatement_fee(self.policy, price, seats):
            rate = self.policy.reinstatement_fee
            step = Step("P6", "reinstatement_fee", (price.sma_year, seats, rate.numerator, rate.denominator), fee)
            self._line("reinstatement_fee", index, product, seats, None, None, NO_MONTHS, fee, ("P6",), (step,))

    def _sma(self, index: int, product: str, seats: int, starts_on: date, *why: str) -> None:
        """P3: full years, then the remainder."""
        spans = self._spans.get(starts_on)
        if spans is None:
            spans = self._spans[starts_on] = spans_of(starts_on, self.until)
        if not spans:
            return
        policy, annual = self.policy, self.prices[product].sma_year
        years = len(spans) if spans[-1].kind == "sma_year" else len(spans) - 1
        multi_year = multi_year_rate(policy.multi_year_discount, years) if policy.multi_year_discount else NO_RATE
        for kind, begun, ended, months in spans:
            amount = price_of_months(annual, seats, months, policy.part_month)
            steps = (sma_step(annual, seats, months, policy.part_month, amount),)
            self._line(
                kind,
                index,
                product,
                seats,
                begun,
                ended,
                months,
                amount,
                (*why, "P3"),
                steps,
                multi_year if kind == "sma_year" else NO_RATE,
            )

    def _line(
        self,
        kind: str,
        index: int,
        product: str,
        seats: int,
        starts_on: date | None,
        ends_on: date | None,
        months: Months,
        amount: int,
        rules: tuple[str, ...],
        steps: tuple[Step, ...],
        multi_year: Fraction = NO_RATE,
    ) -> None:
        discounts: tuple[Discount, ...] = ()
        net = amount
        if multi_year or self.request.discount:
            discounts = discounts_on(amount, multi_year, self.request.discount)
            net += sum(discount.amount for discount in discounts)
            rules += ("P8",) if discounts else ()
        self.lines.append(
            Line(kind, index, product, seats, starts_on, ends_on, months, amount, discounts, net, rules, steps)
        )

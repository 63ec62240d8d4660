"""The terms of trade: policy, prices, what is asked for, and what comes of it. Pure, frozen values.

Amounts are integers in the currency's minor unit, rates exact fractions.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from dongles.coverage import Release
from dongles.terms import Months

NO_RATE = Fraction(0)
NO_MONTHS = Months(0, 0, 0)


class Policy(NamedTuple):
    """The rulebook's policy settings as far as they change a price, with its defaults."""

    part_month: str = "exact"
    missed_majors: str = "once"
    upgrade_includes_months: int = 12
    upgrade_cap: Fraction | None = Fraction(1)
    multi_year_discount: Mapping[int, Fraction] = {}
    max_years: int = 5
    align_min_months: int = 3
    back_pay: bool = False
    reinstatement_fee: Fraction = NO_RATE
    grace_days: int = 0
    replacement_price: str = "free"


class Price(NamedTuple):
    """The prices of one product."""

    licence: int
    sma_year: int
    upgrade: int


class PriceList(NamedTuple):
    """The prices in one currency, by product; and the fee for a replaced dongle, where there is one (Q8)."""

    currency: str
    prices: Mapping[str, Price]
    replacement_fee: int | None = None


class AddedLicence(NamedTuple):
    """A licence that is asked for."""

    product: str
    seats: int


class Request(NamedTuple):
    """What is asked for a dongle on the day `on`.

    `waives_upgrades` and `free_months` are concessions (Q3): missed releases are not charged, months come on top of T.
    `replacement` is why another dongle takes its place, `lost` or `broken`; nothing else is asked for then (Q8).
    """

    on: date
    renew_years: int | None = None
    align_to: date | None = None
    added: tuple[AddedLicence, ...] = ()
    discount: Fraction = NO_RATE
    tax_rate: Fraction = NO_RATE
    waives_upgrades: bool = False
    free_months: int = 0
    replacement: str = ""


class Step(NamedTuple):
    """One step of a line's arithmetic: the rule, what it computes, from what, and the rounded result."""

    rule: str
    what: str
    inputs: tuple[int, ...]
    result: int


class Discount(NamedTuple):
    """A discount on a line; `amount` is negative (P8)."""

    reason: str
    rate: Fraction
    amount: int


class Line(NamedTuple):
    """A priced line. `licence` counts the dongle's licences in order, added ones after them."""

    kind: str
    licence: int
    product: str
    seats: int
    starts_on: date | None
    ends_on: date | None
    months: Months
    list: int
    discounts: tuple[Discount, ...]
    net: int
    rules: tuple[str, ...]
    steps: tuple[Step, ...]


class PricedDongle(NamedTuple):
    """What a request costs. `covered_through` is the rulebook's T, `paid_through` its E."""

    currency: str
    on: date
    covered_through: date
    paid_through: date | None
    lines: tuple[Line, ...]
    missed_majors: Mapping[int, tuple[Release, ...]]
    net: int
    tax: int
    total: int

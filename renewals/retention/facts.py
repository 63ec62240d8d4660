"""The facts of a dongle from which it follows when it was due (rule F5)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Scope(NamedTuple):
    """What a figure is of: everything, a product family (`product` none), or a product of it; ids."""

    family: int | None = None
    product: int | None = None


EVERYTHING = Scope()


class Carried(NamedTuple):
    """A licence that a dongle carries or carried; one withdrawn from a day on has that day (C6)."""

    product: int
    family: int
    withdrawn_on: date | None = None


class Covered(NamedTuple):
    """An SMA period that stands, of a licence (id), with the order (id) that bought it; none if it came on record."""

    licence: int
    starts_on: date
    ends_on: date
    order: int | None


class Worth(NamedTuple):
    """What a line is worth a year, of a licence (id), through the days; negative where a credit takes it back."""

    licence: int
    starts_on: date
    ends_on: date
    annual: int  # minor units
    currency: str


class Renewal(NamedTuple):
    """A fulfilled order (id) for the dongle, and how it stood when it was quoted: C(l) of each licence (id) then.

    `grace_days` are those of the policy by which it was priced.
    """

    order: int
    fulfilled_on: date
    cancelled_from: date | None
    grace_days: int
    currency: str
    stood: Mapping[int, date]


class Chain(NamedTuple):
    """A dongle with all that took its place (Q8), which count as one.

    `owners` are customers (ids) with the first day on which each owned it, the oldest first, none while it was
    nobody's; `grace` are the grace days of the policies with the first day of each, the oldest first.
    """

    licences: Mapping[int, Carried]
    periods: Sequence[Covered]
    worths: Sequence[Worth]
    renewals: Sequence[Renewal]
    owners: Sequence[tuple[date, int | None]]
    grace: Sequence[tuple[date, int]]


def owner_on(owners: Sequence[tuple[date, int | None]], day: date) -> int | None:
    """Who owned a dongle on a day; the first owner on record did so before, too."""
    owner = owners[0][1] if owners else None
    for since, customer in owners:
        if since > day:
            break
        owner = customer
    return owner


def grace_days_on(grace: Sequence[tuple[date, int]], day: date) -> int:
    """The grace days (C4) of the policy of a day; of a day before all policies those of the first."""
    days = grace[0][1] if grace else 0
    for since, of_policy in grace:
        if since > day:
            break
        days = of_policy
    return days

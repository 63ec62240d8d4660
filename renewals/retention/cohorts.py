"""F5: customers by the year in which their first SMA began, and what is left of them at the end of each year."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from renewals.retention.facts import EVERYTHING, Scope
from renewals.retention.values import Valued


class Held(NamedTuple):
    """An SMA period of a customer's that stands, bought here or on record."""

    family: int
    product: int
    starts_on: date
    ends_on: date


class Cohort(NamedTuple):
    """One customer at the end of a year: whether covered on its last day, and the annual value then by currency."""

    scope: Scope
    first_year: int
    year: int
    is_covered: bool
    values: tuple[tuple[str, int], ...]


def cohort_of(held: Sequence[Held], lines: Sequence[Valued]) -> list[Cohort]:
    """F5: a customer's years, from the one in which the first SMA began; those in which nothing is left are left out.

    The first year is the customer's, whatever the product: one who takes up another is not new.
    """
    if not held:
        return []
    first_year = min(each.starts_on for each in held).year
    covered: set[tuple[Scope, int]] = set()
    for each in held:
        covered |= {(scope, year) for scope in _scopes(each) for year in _year_ends(each.starts_on, each.ends_on)}
    values: dict[tuple[Scope, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        for year in _year_ends(line.starts_on, line.ends_on):
            for scope in _scopes(line):
                values[scope, year][line.currency] += line.annual
    return [
        Cohort(scope, first_year, year, (scope, year) in covered, _amounts(values.get((scope, year), {})))
        for scope, year in sorted(covered | values.keys(), key=_order)
        if (scope, year) in covered or _amounts(values[scope, year])
    ]


def _scopes(of: Held | Valued) -> tuple[Scope, ...]:
    return EVERYTHING, Scope(of.family), Scope(of.family, of.product)


def _year_ends(starts_on: date, ends_on: date) -> Iterable[int]:
    """The years whose last day is among the days."""
    last = ends_on.year if (ends_on.month, ends_on.day) == (12, 31) else ends_on.year - 1
    return range(starts_on.year, last + 1)


def _amounts(values: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((currency, value) for currency, value in values.items() if value))


def _order(key: tuple[Scope, int]) -> tuple[int, int, int]:
    (family, product), year = key
    return family or 0, product or 0, year

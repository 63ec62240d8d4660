"""F5: what customers' SMAs are worth a year at the end of each month, and what was kept of it: GRR, NRR, churn."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from dongles.terms import ONE_DAY
from renewals.retention.facts import EVERYTHING, Scope

A_YEAR = 12  # months


class Valued(NamedTuple):
    """What a line of a customer's is worth a year through the days; negative where a credit takes it back."""

    family: int
    product: int
    currency: str
    starts_on: date
    ends_on: date
    annual: int  # minor units


class Retention(NamedTuple):
    """Annual value now against twelve months ago, of any number of customers; amounts in minor units of one currency.

    `value` is that of all customers now; the rest is of those alone who had some twelve months ago: `then`, `kept`
    (the smaller of the two, customer by customer), `now`, `lost` (of customers who have none now). What is neither
    kept nor lost is shrunk. `customers_then` had some then, `customers_kept` of them have some now.
    """

    value: int = 0
    then: int = 0
    kept: int = 0
    now: int = 0
    lost: int = 0
    customers_then: int = 0
    customers_kept: int = 0

    @property
    def shrunk(self) -> int:
        return self.then - self.kept - self.lost

    def plus(self, other: "Retention") -> "Retention":
        return Retention(*(one + another for one, another in zip(self, other, strict=True)))

    def minus(self, other: "Retention") -> "Retention":
        return Retention(*(one - another for one, another in zip(self, other, strict=True)))


NOTHING = Retention()


def compare(then: int, now: int) -> Retention:
    """F5: one customer, worth `then` a year twelve months ago and `now` today: GRR is kept ÷ then, NRR now ÷ then.

    Who had nothing then is new or won back, and counts in the value alone.
    """
    if then <= 0:
        return NOTHING._replace(value=now)
    return Retention(now, then, min(then, max(now, 0)), now, then if now <= 0 else 0, 1, int(now > 0))


def retention_of(customers: Iterable[tuple[int, int]]) -> Retention:
    """F5: all customers together, each as (then, now)."""
    total = NOTHING
    for then, now in customers:
        total = total.plus(compare(then, now))
    return total


def month_number(day: date) -> int:
    """Months counted through, so that they can be added to."""
    return day.year * 12 + day.month - 1


def month_of(number: int) -> date:
    """The first day of a month that is counted through."""
    return date(number // 12, number % 12 + 1, 1)


class Key(NamedTuple):
    """What a customer's annual value is told apart by."""

    scope: Scope
    currency: str


def values_at_month_ends(lines: Iterable[Valued]) -> Mapping[Key, Sequence[tuple[int, int]]]:
    """F5: annual value on the last day of each month: from which month (`month_number`) on it is how much.

    Only months in which it becomes another are listed; before the first it is 0, and the last makes it 0 again.
    """
    changes: dict[Key, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        first, after = month_number(line.starts_on), month_number(line.ends_on + ONE_DAY)
        if first == after or not line.annual:  # it contains no month's last day
            continue
        for scope in (EVERYTHING, Scope(line.family), Scope(line.family, line.product)):
            of_scope = changes[Key(scope, line.currency)]
            of_scope[first] += line.annual
            of_scope[after] -= line.annual
    return {key: steps for key, of_scope in changes.items() if (steps := _steps(of_scope))}


def _steps(changes: Mapping[int, int]) -> list[tuple[int, int]]:
    steps, value = [], 0
    for month in sorted(changes):
        if changes[month]:
            value += changes[month]
            steps.append((month, value))
    return steps


class Change(NamedTuple):
    """By how much a customer's figures become other ones from a month (its first day) on."""

    scope: Scope
    currency: str
    month: date
    by: Retention


def retention_changes(lines: Iterable[Valued]) -> list[Change]:
    """F5: one customer's retention, as what changes from month to month: summed up to a month it is that month's.

    Between the months in which the value, or the value twelve months before, becomes another nothing changes.
    """
    found = []
    for (scope, currency), steps in values_at_month_ends(lines).items():
        before, now, then = NOTHING, dict(steps), {month + A_YEAR: value for month, value in steps}
        value_now = value_then = 0
        for month in sorted({*now, *then}):
            value_now, value_then = now.get(month, value_now), then.get(month, value_then)
            after = compare(value_then, value_now)
            if after != before:
                found.append(Change(scope, currency, month_of(month), after.minus(before)))
                before = after
    return found

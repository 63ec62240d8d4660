"""F5: when a dongle was due, and what came of it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from dongles.terms import ONE_DAY
from renewals.retention.facts import (
    EVERYTHING,
    Chain,
    Covered,
    Renewal,
    Scope,
    grace_days_on,
    owner_on,
)


class Outcome(StrEnum):
    """What came of a dongle that was due. Lost and open are told apart by the day that it is asked on."""

    RENEWED = "renewed"
    WON_BACK = "won_back"
    LOST = "lost"
    OPEN = "open"


class Share(NamedTuple):
    """What of a due dongle is a scope's, by annual value: on its last day, on the first day after, and kept of it."""

    scope: Scope
    old: int
    new: int
    kept: int


class Due(NamedTuple):
    """A dongle that is due on `due_on`, its E.

    `outcome` is none as long as it is not covered again: then it is lost once `grace_ends_on` is over. `order` (id) and
    `covered_again_on` say how it was covered again. `currency` is that of its value, else of the order, else empty.
    The first share is of everything. Where `is_valued` is false the amounts are 0 and not known: it came on record so,
    or was renewed in another currency.
    """

    due_on: date
    grace_ends_on: date
    customer: int
    outcome: Outcome | None
    order: int | None
    covered_again_on: date | None
    currency: str
    is_valued: bool
    shares: tuple[Share, ...]

    @property
    def whole(self) -> Share:
        return self.shares[0]


def outcome_on(due: Due, today: date) -> Outcome:
    """F5: what has come of it as of a day: what nobody has renewed is lost once its grace is over."""
    if due.outcome is not None:
        return due.outcome
    return Outcome.LOST if due.grace_ends_on < today else Outcome.OPEN


class _Again(NamedTuple):
    """An order that covers the dongle beyond its E, from a day on."""

    renewal: Renewal
    due_on: date
    covered_on: date


def due_dongle(chain: Chain) -> list[Due]:
    """F5: each time that a dongle was or will be due, the earliest first.

    Every order that covers it beyond the E that stood makes one at that E; the E that stands now makes one more. An
    order that was annulled, or cancelled before it covered a day, makes none. A dongle of nobody's isn't due.
    """
    void = {each.order for each in chain.renewals if _is_void(each, chain.periods)}
    periods = [each for each in chain.periods if each.order not in void]
    found: dict[date, Due] = {}
    for renewal in sorted(chain.renewals, key=lambda each: (each.fulfilled_on, each.order)):
        again = None if renewal.order in void else _covered_again(renewal, periods)
        if again is not None and again.due_on not in found and (due := _due(chain, periods, again.due_on, again)):
            found[again.due_on] = due
    stands = _stands(chain, periods)
    if stands is not None and stands not in found and (due := _due(chain, periods, stands, None)):
        found[stands] = due
    return [found[day] for day in sorted(found)]


def _is_void(renewal: Renewal, periods: Sequence[Covered]) -> bool:
    """Whether a cancellation left nothing of what an order bought; the day that an upgrade keeps (Q6) is nothing."""
    if renewal.cancelled_from is None:
        return False
    return all(each.starts_on >= renewal.cancelled_from for each in periods if each.order == renewal.order)


def _covered_again(renewal: Renewal, periods: Sequence[Covered]) -> _Again | None:
    """What the order renewed; none where there had been no SMA, or nothing is covered beyond it."""
    ends = [
        through
        for licence, through in renewal.stood.items()
        if any(
            each.licence == licence and each.order != renewal.order and each.starts_on <= through for each in periods
        )
    ]
    if not ends:
        return None
    due_on = max(ends)
    bought = [each.starts_on for each in periods if each.order == renewal.order and each.ends_on > due_on]
    return _Again(renewal, due_on, max(due_on + ONE_DAY, min(bought))) if bought else None


def _stands(chain: Chain, periods: Sequence[Covered]) -> date | None:
    """The E that stands now: the last day of the licences that were not withdrawn by their own last day (C4, C6)."""
    through: dict[int, date] = {}
    for each in periods:
        through[each.licence] = max(each.ends_on, through.get(each.licence, each.ends_on))
    return max((day for licence, day in through.items() if _is_carried_on(chain, licence, day)), default=None)


def _is_carried_on(chain: Chain, licence: int, day: date) -> bool:
    withdrawn_on = chain.licences[licence].withdrawn_on
    return withdrawn_on is None or withdrawn_on > day


def _due(chain: Chain, periods: Sequence[Covered], due_on: date, again: _Again | None) -> Due | None:
    customer = owner_on(chain.owners, due_on)
    if customer is None:
        return None
    grace_days = again.renewal.grace_days if again else grace_days_on(chain.grace, due_on)
    grace_ends_on = due_on + timedelta(days=grace_days)
    outcome = _outcome(again, grace_ends_on) if again else None
    order = again.renewal.order if again else None
    carried = {
        each.licence
        for each in periods
        if each.starts_on <= due_on
        and (order is None or each.order != order)
        and _is_carried_on(chain, each.licence, due_on)
    }
    currencies = _currencies(chain, carried, due_on)
    is_valued = _is_valued(periods, carried, due_on, currencies, again)
    currency = min(currencies) if len(currencies) == 1 else again.renewal.currency if again else ""
    shares = _shares(chain, carried, due_on, again, outcome) if is_valued else _unknown(chain, carried)
    covered_on = again.covered_on if again else None
    return Due(due_on, grace_ends_on, customer, outcome, order, covered_on, currency, is_valued, shares)


def _currencies(chain: Chain, carried: Collection[int], day: date) -> set[str]:
    """The currencies in which it has an annual value on a day."""
    amounts: dict[str, int] = defaultdict(int)
    for each in chain.worths:
        if each.licence in carried and each.starts_on <= day <= each.ends_on:
            amounts[each.currency] += each.annual
    return {currency for currency, amount in amounts.items() if amount}


def _outcome(again: _Again, grace_ends_on: date) -> Outcome:
    """F5: in time is back to back, and ordered before the grace was over; everything later is won back."""
    is_back_to_back = again.covered_on == again.due_on + ONE_DAY
    in_time = is_back_to_back and again.renewal.fulfilled_on <= grace_ends_on
    return Outcome.RENEWED if in_time else Outcome.WON_BACK


def _is_valued(
    periods: Sequence[Covered], carried: Collection[int], due_on: date, currencies: set[str], again: _Again | None
) -> bool:
    """Whether the annual value on its last day is known, in one currency, which is that of the renewal too."""
    on_record = any(
        each.order is None and each.licence in carried and each.starts_on <= due_on <= each.ends_on for each in periods
    )
    known = len(currencies | ({again.renewal.currency} if again and currencies else set()))
    return not on_record and known <= 1


def _scopes(chain: Chain, carried: Collection[int]) -> list[Scope]:
    """Everything first, then the families and products that the dongle carries."""
    products = {(chain.licences[licence].family, chain.licences[licence].product) for licence in carried}
    families = sorted({family for family, _ in products})
    return [EVERYTHING, *map(Scope, families), *(Scope(*each) for each in sorted(products))]


def _shares(
    chain: Chain, carried: Collection[int], due_on: date, again: _Again | None, outcome: Outcome | None
) -> tuple[Share, ...]:
    old = {licence: value for licence, value in _values_on(chain, due_on).items() if licence in carried}
    new = _values_on(chain, again.covered_on) if again else {}
    found = []
    for scope in _scopes(chain, carried):
        before, after = (
            sum(value for licence, value in values.items() if is_within(scope, chain, licence)) for values in (old, new)
        )
        found.append(Share(scope, before, after, min(before, after) if outcome == Outcome.RENEWED else 0))
    return tuple(found)


def _values_on(chain: Chain, day: date) -> dict[int, int]:
    """F5: the annual value of each licence on a day: of the lines whose days contain it."""
    values: dict[int, int] = {}
    for each in chain.worths:
        if each.starts_on <= day <= each.ends_on:
            values[each.licence] = values.get(each.licence, 0) + each.annual
    return values


def _unknown(chain: Chain, carried: Collection[int]) -> tuple[Share, ...]:
    return tuple(Share(scope, 0, 0, 0) for scope in _scopes(chain, carried))


def is_within(scope: Scope, chain: Chain, licence: int) -> bool:
    """Whether a licence is one of a scope's."""
    carried = chain.licences[licence]
    return scope.family in (None, carried.family) and scope.product in (None, carried.product)

"""Three years of invented sales to the demo's further dongles, made by the real services at past moments.

What a dongle of the crowd has on record is taken off again for these years and sold to it anew, so that it stands on
the demo's day as it would without a history; but for the few whose orders were cancelled or came late.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from portal.models import OutboxMessage, User
from renewals.demo.activity import Desk
from renewals.demo.catalogue import PRODUCTS, months_from
from renewals.demo.customers import PAYMENT, kind_of
from renewals.demo.situations import DemoDongle
from renewals.models import QuoteVersion
from renewals.pricing import AddedLicence
from renewals.queries import NO_CONCESSIONS, Concessions

MONTHS = 36
TAKES_PART = 36  # so many of the first dongles without a situation of their own: a quote with its PDF takes time
SHORTEST_LEAD, LONGEST_LEAD = 14, timedelta(days=45)  # from the quote to the first day that it pays for
DAYS_TO_ACCEPT = 9  # at most
ORDERED_TOGETHER = 45  # days within which a customer has dongles renewed by one order

DISCOUNT_REASONS = ("Five dongles at one site.", "Reference site.", "Ordered together with instruments.")
DECLINE_REASONS = (
    "No budget this year.",
    "The instrument is not used any more.",
    "The group has moved to another institute.",
    "Too expensive.",
    "Uses other software now.",
)


class Sale(NamedTuple):
    """A sale to come: quoted on the day and accepted so many days later, of dongles of one customer.

    `outcome` is "kept", "cancelled" (some months later), "annulled" (at once, then ordered anew) or "declined".
    """

    day: date
    serials: tuple[str, ...]
    years: int
    pays_first: bool
    accepted_after: int = 0
    added: str = ""
    concessions: Concessions = NO_CONCESSIONS
    reason: str = ""
    outcome: str = "kept"


class Past(NamedTuple):
    """Dongles as they were when the history begins, and what happens in it."""

    dongles: Sequence[DemoDongle]
    sales: Sequence[Sale]


def past_of(dongles: Sequence[DemoDongle], on: date, months: int = MONTHS) -> Past:
    """The dongles as they stood so many months before, and the sales that bring them to where they stand."""
    chance = random.Random(2001)  # noqa: S311 - to be repeatable, not secret
    since = months_from(on, -months)
    before, sales = [], dict[int, list[Sale]]()
    for dongle in dongles:
        earlier, sold = _taken_back(dongle, since, on, chance)
        before.append(earlier)
        if dongle.customer is not None:
            sales.setdefault(dongle.customer, []).extend(sold)
    together = (sale for of_customer in sales.values() for sale in _ordered_together(sorted(of_customer)))
    return Past(before, sorted(together))


def _taken_back(dongle: DemoDongle, since: date, on: date, chance: random.Random) -> tuple[DemoDongle, Sequence[Sale]]:
    """A dongle without the periods that begin in these years, and the sales of them."""
    periods = dongle.licences[0].periods
    if dongle.customer is None or any(each.periods != periods for each in dongle.licences):
        return dongle, ()
    first = next(
        (place for place, period in enumerate(periods) if place and period.starts_on > since + LONGEST_LEAD),
        len(periods),
    )
    starts = [period.starts_on for period in periods[first:] if period.starts_on + timedelta(days=20) < on]
    came_back = bool(starts) and first > 1 and chance.random() < 0.4
    kept = periods[: first - 1] if came_back else periods[:first]
    sales = list(_sales(dongle, starts, len(periods) - first, came_back=came_back, since=since, on=on, chance=chance))
    if since < periods[-1].ends_on < on and chance.random() < 0.7:
        day = max(since, periods[-1].ends_on - timedelta(days=30))
        reason = chance.choice(DECLINE_REASONS)
        sales.append(Sale(day, (dongle.serial,), 1, pays_first=False, reason=reason, outcome="declined"))
    if not starts:
        return dongle, sales
    return dongle._replace(licences=tuple(each._replace(periods=kept) for each in dongle.licences)), sales


def _sales(
    dongle: DemoDongle,
    starts: Sequence[date],
    years_left: int,
    *,
    came_back: bool,
    since: date,
    on: date,
    chance: random.Random,
) -> Iterator[Sale]:
    """The sales of a dongle's periods: a year each, several at once now and then, and what lies ahead with the last."""
    assert dongle.customer is not None
    pays_first = kind_of(dongle.customer).fulfil_on == PAYMENT
    place = 0
    while place < len(starts):
        is_late = came_back and place == 0
        years = 3 if len(starts) - place >= 3 and chance.random() < 0.3 else 1
        is_last = place + years == len(starts)
        if is_last:
            years = years_left - place
        lead = chance.randint(100, 160) if chance.random() < 0.1 else chance.randint(SHORTEST_LEAD, LONGEST_LEAD.days)
        conceded, reason = _conceded(chance, is_late=is_late)
        yield Sale(
            starts[place] if is_late else max(starts[place] - timedelta(days=lead), since),
            (dongle.serial,),
            years,
            pays_first,
            accepted_after=0 if is_late else chance.randint(0, DAYS_TO_ACCEPT),
            added=_added(dongle, chance) if is_last else "",
            concessions=conceded,
            reason=reason,
            outcome=_outcome(starts[place], on, chance) if is_last and not is_late else "kept",
        )
        place += years


def _conceded(chance: random.Random, *, is_late: bool) -> tuple[Concessions, str]:
    if is_late and chance.random() < 0.3:
        return Concessions(waives_upgrades=True), "They come back with a second instrument."
    if chance.random() < 0.04:
        return Concessions(free_months=2), "For the weeks in which support was slow."
    if chance.random() < 0.15:
        return Concessions(Decimal(chance.choice(("0.05", "0.1")))), chance.choice(DISCOUNT_REASONS)
    return NO_CONCESSIONS, ""


def _added(dongle: DemoDongle, chance: random.Random) -> str:
    """A further product of the family that the dongle does not carry; mostly none."""
    carried = {each.product for each in dongle.licences}
    families = {each.family for each in PRODUCTS if each.code in carried}
    further = [each.code for each in PRODUCTS if each.family in families and each.code not in carried]
    return chance.choice(further) if further and chance.random() < 0.15 else ""


def _outcome(starts_on: date, on: date, chance: random.Random) -> str:
    drawn = chance.random()
    if drawn < 0.12 and (on - starts_on).days > 90:
        return "cancelled"
    return "annulled" if drawn > 0.95 else "kept"


def _ordered_together(sales: Iterable[Sale]) -> Iterator[Sale]:
    """A customer's sales in order, those of the same kind that lie close together made one."""
    waiting: Sale | None = None
    for sale in sales:
        if waiting is not None and _are_one(waiting, sale):
            waiting = waiting._replace(serials=waiting.serials + sale.serials)
            continue
        if waiting is not None:
            yield waiting
        waiting = sale
    if waiting is not None:
        yield waiting


def _are_one(first: Sale, second: Sale) -> bool:
    plain = [sale.outcome == "kept" and not sale.added and not sale.reason for sale in (first, second)]
    is_close = (second.day - first.day).days < ORDERED_TOGETHER
    return all(plain) and is_close and first.years == second.years and not {*first.serials} & {*second.serials}


def retell(on: date, users: Mapping[str, User], sales: Iterable[Sale]) -> None:
    """Let the sales happen one after the other. Nobody is written to about it again."""
    told = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    desk = Desk(on, users)
    for number, sale in enumerate(sales, 1):
        _happen(desk, sale, (on - sale.day).days, f"PO-{10_000 + 37 * number}")
    OutboxMessage.objects.filter(pk__gt=told).delete()


def _happen(desk: Desk, sale: Sale, days_ago: int, purchase_order_number: str) -> None:
    accepted = max(days_ago - sale.accepted_after, 0)
    quoted = _quote(desk, sale, days_ago)
    if sale.outcome == "declined":
        desk.decline(quoted, max(days_ago - 20, 0), sale.reason)
        return
    order = desk.accept(quoted, accepted, purchase_order_number)
    if sale.pays_first:
        accepted = max(accepted - 5, 0)
        desk.settle(order, accepted)
    if sale.outcome == "annulled":
        desk.annul(order, max(accepted - 2, 0), "Entered for the wrong department.")
        accepted = max(accepted - 3, 0)
        order = desk.accept(_quote(desk, sale, accepted), accepted, f"{purchase_order_number}-B")
        if sale.pays_first:
            desk.settle(order, accepted)
    if accepted > 1:
        desk.confirm(order, accepted - 1)
    if sale.outcome == "cancelled":
        desk.cancel(order, max(accepted - 75, 0), "The instrument was sold.")


def _quote(desk: Desk, sale: Sale, days_ago: int) -> QuoteVersion:
    asked: dict[str, object] = {"renew_years": sale.years}
    if sale.added:
        asked["added"] = (AddedLicence(sale.added, 1),)
    if sale.concessions != NO_CONCESSIONS:
        asked |= {"concessions": sale.concessions, "discount_reason": sale.reason}
    version = desk.draft(sale.serials, days_ago, **asked)
    if version.needs_approval:
        desk.approve(version, days_ago, sale.reason)
    return desk.send_draft(version, days_ago)

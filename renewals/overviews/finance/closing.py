"""What stands between a month and its close: each check with what it found and what to do. It only reads.

A new check is a function below and a line in CHECKS.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.urls import reverse

from portal.errors import DomainError
from portal.wording import count, write_day, write_money, write_month
from renewals.calendar import last_day
from renewals.digests import FLOWS, NOTHING, InMonth, Place, totals_of
from renewals.invariants import revenue
from renewals.models import MonthFigures, Order, OrderLine, RevenueSegment, UnsummarisedSegment
from renewals.month_sums import places_by_formula
from renewals.overviews.finance.figures import deferred_by
from renewals.overviews.finance.journal import account_map, holes_in_words, map_holes
from renewals.overviews.finance.ledger_months import first_month, next_month
from renewals.overviews.finance.rates import missing_rates, rate_address
from renewals.states import OrderState

FINDINGS_SHOWN = 20
CHECKED_AT_ONCE = 20_000  # segments; with more the long checks are made when they are asked for, and at the close
REBUILD = "Have the sums added up anew (see “Closing months” in the operations guide), and tell the developers."
SUMMED = (*FLOWS, "current")


class Found(NamedTuple):
    """One thing that a check found, and the page where it is looked into, which may be for those who keep the books."""

    text: str
    address: str = ""
    is_for_keepers: bool = False


class Item(NamedTuple):
    """A check of the list: what has to be, whether its findings forbid the close, what was found and what to do.

    `more` counts the findings that are not listed.
    """

    sentence: str
    is_blocking: bool
    findings: Sequence[Found]
    remedy: str
    more: int = 0

    @property
    def state(self) -> str:
        if not self.findings:
            return "passed"
        return "blocking" if self.is_blocking else "warning"


class Month(NamedTuple):
    """A month that is looked at: its sums by the formula, of how many segments, and how many the sums lack yet."""

    month: date
    today: date
    places: Mapping[Place, InMonth]
    segments: int
    waiting: int

    @property
    def totals(self) -> Mapping[str, InMonth]:
        return totals_of(self.places)


class Checklist(NamedTuple):
    """What a month would be closed as, and what was found.

    Where it is not whole the long checks were left out, and what it would be closed as is what the sums say.
    """

    month: Month
    items: Sequence[Item]
    is_whole: bool = True

    @property
    def blocking(self) -> Sequence[Item]:
        return [item for item in self.items if item.state == "blocking"]

    @property
    def warnings(self) -> Sequence[Item]:
        return [item for item in self.items if item.state == "warning"]


def read_checklist(month: date, today: date, *, is_whole: bool = True) -> Checklist:
    """The dry run of a close, or where it is not to be whole that without LONG_CHECKS. Refuses `month_outside_ledger`.

    The long checks go over every segment and line of the month: seconds where there are a million of them.
    """
    check_in_ledger(month, today)
    waiting = waiting_for_sums(month)
    if is_whole:
        return checklist_of(Month(month, today, *places_by_formula(month), waiting))
    asked = Month(month, today, _places_by_sums(month), 0, waiting)
    return Checklist(asked, [check(asked) for check in CHECKS if check not in LONG_CHECKS], is_whole=False)


def checklist_of(month: Month) -> Checklist:
    return Checklist(month, [check(month) for check in CHECKS])


def is_long(month: date) -> bool:
    """Whether a whole checklist takes long: more than CHECKED_AT_ONCE segments have an effect in the month or after."""
    alive = RevenueSegment.objects.filter(booked_month__lte=month, ends_on__gte=month).order_by()
    return alive[: CHECKED_AT_ONCE + 1].count() > CHECKED_AT_ONCE


def _places_by_sums(month: date) -> dict[Place, InMonth]:
    """What each place is in the month by the sums: its opening is what the months before have left."""
    held = MonthFigures.objects.order_by()
    left = F("booked") + F("credited") - F("recognised") - F("caught_up")
    before = held.filter(month__lt=month).values_list(*Place._fields).annotate(opening=Sum(left))
    openings = {Place(*row): opening for *row, opening in before if opening}
    own = {
        Place(*row[: -len(SUMMED)]): row[-len(SUMMED) :]
        for row in held.filter(month=month).values_list(*Place._fields, *SUMMED)
    }
    places = {}
    for place in {*openings, *own}:
        opening = openings.get(place, 0)
        *flows, current = own.get(place, [0] * len(SUMMED))
        named = dict(zip(FLOWS, flows, strict=True))
        if opening or current or any(flows):
            places[place] = InMonth(**named, opening=opening, closing=opening + deferred_by(named), current=current)
    return places


def check_in_ledger(month: date, today: date) -> None:
    """Refuse (`month_outside_ledger`) a month before the first booking, or one that is to come."""
    first = first_month()
    if first is None:
        raise DomainError("month_outside_ledger", "Nothing has been booked yet, so no month can be closed.")
    if not first <= month <= today:
        raise DomainError(
            "month_outside_ledger",
            f"The ledger begins in {write_month(first)} and has reached {write_month(today)}:"
            f" {write_month(month)} is none of its months.",
            {"first_month": f"{first:%Y-%m}"},
        )


def waiting_for_sums(month: date) -> int:
    """How many of the segments that make up a month the sums lack yet."""
    return UnsummarisedSegment.objects.filter(segment__booked_month__lte=month).count()


def _month_is_over(asked: Month) -> Item:
    ends_on = last_day(asked.month)
    found = [Found(f"It ends on {write_day(ends_on)}.")] if asked.today <= ends_on else []
    return Item("The month is over.", True, found, "Close it from the day after on.")


def _earlier_are_closed(asked: Month) -> Item:
    due = next_month()
    found = []
    if due is not None and due < asked.month:
        text = f"{write_month(due)} is open."
        found = [Found(text, reverse("renewals:month", args=[f"{due:%Y-%m}"]))]
    return Item("All months before it are closed.", True, found, "Close them first, the earliest first.")


def _nothing_waits(asked: Month) -> Item:
    found = [Found(f"{count(asked.waiting, 'segment')} not added yet.")] if asked.waiting else []
    return Item("All bookings are in the sums.", False, found, "Closing adds them first.")


def _sums_are_the_formula(asked: Month) -> Item:
    """Place by place; what waits to be added has to be added first, or it would look like an error."""
    sentence = "The sums that reports read are what the segments come to, product by product."
    if asked.waiting:
        return Item(sentence, False, [Found("Compared at the close, once all is added.")], "Closing compares them.")
    held = {
        Place(*row[: len(Place._fields)]): row[len(Place._fields) :]
        for row in MonthFigures.objects.filter(month=asked.month).values_list(*Place._fields, *SUMMED)
    }
    found = []
    for place in sorted({*held, *asked.places}):
        due = asked.places.get(place, NOTHING)
        for name, expected, said in zip(
            SUMMED, (*due.flows, due.current), held.get(place, [0] * len(SUMMED)), strict=True
        ):
            if expected != said:
                written = write_money(said, place.currency), write_money(expected, place.currency)
                where = f"product {place.product_id}, {place.country} {place.customer_segment}"
                found.append(Found(f"{name.replace('_', ' ').capitalize()}, {where}: {written[0]}, not {written[1]}."))
    return _listed(sentence, found, REBUILD)


def _roll_forward_ties(asked: Month) -> Item:
    """What the months before have left, by the sums, and the month's flows make what the segments leave at its end."""
    sentence = "Opening + booked + credited − recognised − caught up = closing, in every currency."
    if asked.waiting:
        return Item(sentence, False, [Found("Compared at the close, once all is added.")], "Closing compares them.")
    rows = MonthFigures.objects.filter(month__lt=asked.month).order_by().values("currency")
    flows_before = rows.annotate(**{name: Sum(name) for name in FLOWS}).values_list("currency", *FLOWS)
    opening = {row[0]: deferred_by(dict(zip(FLOWS, row[1:], strict=True))) for row in flows_before}
    totals, found = asked.totals, []
    for currency in sorted({*opening, *totals}):
        total = totals.get(currency, NOTHING)
        ends_with = opening.get(currency, 0) + deferred_by(total._asdict())
        if ends_with != total.closing:
            written = write_money(ends_with, currency), write_money(total.closing, currency)
            found.append(Found(f"{currency}: the months come to {written[0]}, the segments leave {written[1]}."))
    return Item(sentence, True, found, REBUILD)


def _lines_are_whole(asked: Month) -> Item:
    findings = (finding for batch in revenue.check_lines(asked.month) for finding in batch.findings)
    return _listed(
        "Recognised and deferred are what was sold, for every line booked in the month.",
        (Found(f"{finding}.") for finding in findings),
        "Don’t close: see “The invariants” in the operations guide.",
    )


def _fulfilled_have_revenue(asked: Month) -> Item:
    without = OrderLine.objects.filter(order=OuterRef("pk"), segments=None).exclude(net=0)
    fulfilled = _until_end(asked, "fulfilled_on").filter(Exists(without), fulfilled_on__gte=asked.month)
    return _listed(
        "Every order fulfilled in the month has its revenue.",
        (_of_order(order, f"fulfilled on {_day(order.fulfilled_on)}") for order in _in_order(fulfilled)),
        "Don’t close: see “The invariants” in the operations guide.",
    )


def _paid_are_fulfilled(asked: Month) -> Item:
    paid = _until_end(asked, "paid_on").filter(state=OrderState.ACCEPTED)
    return _listed(
        "Every order that is paid is fulfilled.",
        (_of_order(order, f"paid on {_day(order.paid_on)}") for order in _in_order(paid)),
        "Fulfil or cancel them.",
    )


def _none_waits_for_payment(asked: Month) -> Item:
    waiting = _until_end(asked, "accepted_on").filter(state=OrderState.ACCEPTED, paid_on=None)
    return _minded(
        "No order waits for its payment.",
        (_of_order(order, f"placed on {write_day(order.accepted_on)}") for order in _in_order(waiting)),
        "Record payments that have come in; the others are booked when they are paid.",
    )


def _no_rate_is_missing(asked: Month) -> Item:
    reporting = settings.REPORTING_CURRENCY
    text = f"{{}} has no rate into {reporting} in {write_month(asked.month)}."
    found = [
        Found(text.format(currency), rate_address(asked.month, currency), True)
        for _, currency in missing_rates(asked.month, asked.month)
    ]
    sentence = f"Every currency has its exchange rate into {reporting}."
    return _minded(
        sentence, found, "Enter them: reports in one currency are refused without. They can be entered later."
    )


def _no_account_is_missing(asked: Month) -> Item:
    holes = holes_in_words(map_holes(account_map(), asked.month))
    address = reverse("renewals:accounts")
    return _minded(
        "The account map has an account for all that is posted.",
        (Found(f"{hole.role}, {hole.product}: none for {hole.places}.", address, True) for hole in holes),
        "Put accounts on the map: the journal is refused without. They can be added after the close.",
    )


def _until_end(asked: Month, field: str) -> QuerySet[Order]:
    return Order.objects.filter(**{f"{field}__lte": last_day(asked.month)})


def _in_order(orders: QuerySet[Order]) -> Iterator[Order]:
    return orders.select_related("customer").order_by("pk").iterator()


def _day(day: date | None) -> str:
    assert day is not None, "orders are asked for by it"
    return write_day(day)


def _of_order(order: Order, standing: str) -> Found:
    return Found(f"{order.number} of {order.customer.name}, {standing}", reverse("renewals:order", args=[order.pk]))


def _listed(sentence: str, findings: Iterable[Found], remedy: str) -> Item:
    """A blocking check with the first of its findings; all are counted."""
    found = iter(findings)
    shown = list(islice(found, FINDINGS_SHOWN))
    return Item(sentence, True, shown, remedy, sum(1 for _ in found))


def _minded(sentence: str, findings: Iterable[Found], remedy: str) -> Item:
    """A check whose findings are to be minded, and forbid nothing."""
    return _listed(sentence, findings, remedy)._replace(is_blocking=False)


CHECKS: tuple[Callable[[Month], Item], ...] = (
    _month_is_over,
    _earlier_are_closed,
    _nothing_waits,
    _sums_are_the_formula,
    _roll_forward_ties,
    _lines_are_whole,
    _fulfilled_have_revenue,
    _paid_are_fulfilled,
    _none_waits_for_payment,
    _no_rate_is_missing,
    _no_account_is_missing,
)
LONG_CHECKS = (_sums_are_the_formula, _roll_forward_ties, _lines_are_whole, _fulfilled_have_revenue)

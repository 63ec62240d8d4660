"""Where a customer stands: all dongles of the organisation, the most urgent first."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, When

from dongles import queries as dongle_queries
from dongles.models import Dongle, Licence
from dongles.unlock import NotASerial, canonical_serial
from portal.models import Customer
from portal.wording import count
from renewals.overviews.customers import ACTIVE, DUE_WITHIN, LAPSED_WITHIN, days_from
from renewals.overviews.my.standing import stand

MOST_GONE = 50  # dongles out of use that are listed


def own_dongles(customer: Customer, today: date, words: str = "") -> QuerySet[Dongle]:
    """The customer's dongles in use whose serial or products the words name, the most urgent first.

    Those with a code that waits; those whose SMA ends within 90 days or ended within a year, the nearest to today
    first; those whose ended earlier; the rest by their SMA date.
    """
    rank = Case(
        When(waiting_code__isnull=False, then=0),
        When(issued_expiry_on__range=(today - LAPSED_WITHIN, today + DUE_WITHIN), then=1),
        When(issued_expiry_on__lt=today, then=2),
        default=3,
        output_field=IntegerField(),
    )
    found = dongle_queries.with_waiting_code(_named(customer.dongles.filter(ACTIVE), words))
    return found.alias(rank=rank).order_by("rank", days_from(today).asc(nulls_last=True), "serial")


def _named(dongles: QuerySet[Dongle], words: str) -> QuerySet[Dongle]:
    """Those of the dongles whose serial holds what is typed, in any spelling, or that carry a product of that name."""
    if not words:
        return dongles
    carried = Licence.objects.filter(dongle=OuterRef("pk"), withdrawn_on__isnull=True)
    for word in words.split():
        carried = carried.filter(Q(product__name__icontains=word) | Q(product__code__icontains=word))
    wanted = Q(Exists(carried))
    with suppress(NotASerial):
        wanted |= Q(serial__contains=canonical_serial(words))
    return dongles.filter(wanted)


def home_overview(customer: Customer, dongles: Sequence[Dongle], words: str, today: date) -> dict[str, Any]:
    """The page of all dongles with these of them: how things stand, the codes that wait, and what is out of use."""
    gone = _named(customer.dongles.exclude(ACTIVE), words).order_by("state", "serial")
    figures = customer.dongles.aggregate(
        active=Count("pk", filter=ACTIVE),
        ended=Count("pk", filter=ACTIVE & Q(issued_expiry_on__lt=today)),
        ending=Count("pk", filter=ACTIVE & Q(issued_expiry_on__range=(today, today + DUE_WITHIN))),
    )
    shown_gone = list(dongle_queries.with_waiting_code(gone)[: MOST_GONE + 1])
    # Both kinds are read together: the same few queries.
    every = stand(customer, [*dongles, *shown_gone[:MOST_GONE]], today)
    active = [each for each in every if each.is_active]
    return {
        "customer": customer,
        "today": today,
        "standing": _standing(figures),
        "active_count": figures["active"],
        "is_choice": figures["active"] > 1,
        "dongles": active,
        "waiting": [each for each in active if each.waiting_code],
        "gone": [each for each in every if not each.is_active],
        "is_more_gone": len(shown_gone) > MOST_GONE,
    }


def _standing(figures: dict[str, int]) -> str:
    """How many dongles there are and how their SMAs stand, in a sentence or two."""
    active, ended, ending = figures["active"], figures["ended"], figures["ending"]
    if not active:
        return "No dongle of yours is in use."
    days = DUE_WITHIN // timedelta(days=1)
    if active == 1 and (ended or ending):
        return f"1 dongle: its SMA {'has ended' if ended else f'ends within {days} days'}."
    parts = []
    if ended:
        parts.append(f"the SMA of {_so_many(ended, active)} has ended")
    if ending:
        parts.append(f"{'that' if parts else 'the SMA'} of {_so_many(ending, active)} ends within {days} days")
    if not parts:
        return f"{count(active, 'dongle')}. No SMA ends within {days} days."
    return f"{count(active, 'dongle')}: {' and '.join(parts)}."


def _so_many(number: int, of: int) -> str:
    if number == of:
        return "all"
    return "one" if number == 1 else str(number)

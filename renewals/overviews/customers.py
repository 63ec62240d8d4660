"""What the pages of customers show. A section of a customer's page is a function here and a part of its template."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Exists, F, Func, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Upper

from dongles.models import Dongle, Licence
from portal.models import Contact, Customer
from portal.wording import count, write_day, write_distance
from renewals.models import QuoteVersion
from renewals.overviews.dongles import standings_by_dongle
from renewals.overviews.lists import has_quote_on_its_way, is_on_its_way, newest_versions
from renewals.overviews.reminders import customer_reminders
from renewals.overviews.requests import requests_newest_first

NEWEST_QUOTES = 10
NEWEST_REQUESTS = 5
MOST_AT_ONCE = 20  # dongles that are proposed for one quote
DUE_WITHIN = timedelta(days=90)
LAPSED_WITHIN = timedelta(days=365)

ACTIVE = Q(state=Dongle.State.ACTIVE)


class StandingDongle(NamedTuple):
    """A dongle of a customer, how its SMA stands, and the number of its licences."""

    dongle: Dongle
    status: str
    licences: int


class NextQuote(NamedTuple):
    """What to quote next: the most urgent dongle without a quote on its way, and those that are due beside it."""

    dongle: Dongle
    is_due: bool
    others: Sequence[Dongle]

    @property
    def query_for_all(self) -> str:
        """What asks the builder for all of them, a year each."""
        return urlencode({"renew_years": 1, "dongles": [other.serial for other in self.others]}, doseq=True)


def customers_by_name(words: str = "") -> QuerySet[Customer]:
    """Customers in whose names all the words occur; of the active dongles of each, `dongle_count` and the first SMA
    date, `earliest_on`."""
    active = Dongle.objects.filter(ACTIVE, customer=OuterRef("pk")).order_by().values("customer")
    named = (Q(name__icontains=word) for word in words.split())
    found = Customer.objects.select_related("owner").filter(*named, merged_into__isnull=True)
    return found.annotate(
        dongle_count=Coalesce(Subquery(active.values(number=Count("pk"))), 0),
        earliest_on=Subquery(active.values(ends_on=Min("issued_expiry_on"))),
    ).order_by(Upper("name"), "pk")


def dongles_most_urgent_first(customer: Customer, today: date) -> QuerySet[Dongle]:
    """The customer's dongles: the active ones first, and of them those whose SMA date is nearest to today."""
    days = days_from(today).asc(nulls_last=True)
    return customer.dongles.annotate(is_over=~ACTIVE).order_by("is_over", days, "serial")


def days_from(today: date) -> Func:
    """Of dongles: how many days their SMA date is from today, before or after it."""
    return Func(F("issued_expiry_on"), Value(today), arg_joiner=" - ", function="abs", output_field=IntegerField())


def customer_overview(customer: Customer, dongles: Sequence[Dongle], today: date) -> dict[str, Any]:
    """A customer's page with these of its dongles: how things stand, what to do next, and its sections."""
    contacts = _contacts_of(customer)
    return {
        "customer": customer,
        "today": today,
        "standing": _standing_of(customer, today),
        "next_quote": _next_quote(customer, today),
        "dongles": _standing_dongles(dongles, today),
        "contacts": contacts,
        "other_spellings": list(customer.merged_here.order_by("name").values_list("name", flat=True)),
        "has_contact": any(contact.email and contact.left_on is None for contact in contacts),
        "versions": list(newest_versions().filter(quote__customer=customer)[:NEWEST_QUOTES]),
        "requests": list(
            requests_newest_first().filter(dongles__dongle__customer=customer).distinct()[:NEWEST_REQUESTS]
        ),
        **customer_reminders(customer, today),
    }


def quotes_on_their_way(customer: Customer, today: date) -> int:
    """How many versions of the customer's quotes are drafted, or sent and valid."""
    return QuoteVersion.objects.filter(is_on_its_way(today), quote__customer=customer).count()


def _contacts_of(customer: Customer) -> Sequence[Contact]:
    """Those who are there first."""
    return list(customer.contacts.order_by(F("left_on").desc(nulls_first=True), "name", "pk"))


def _standing_of(customer: Customer, today: date) -> str:
    """How many dongles there are, which SMA ends next and what has ended, in sentences."""
    has_ended = ACTIVE & Q(issued_expiry_on__lt=today)
    figures = customer.dongles.aggregate(
        total=Count("pk"),
        active=Count("pk", filter=ACTIVE),
        ended=Count("pk", filter=has_ended),
        undated=Count("pk", filter=ACTIVE & Q(issued_expiry_on__isnull=True)),
    )
    total, gone, ended = figures["total"], figures["total"] - figures["active"], figures["ended"]
    if not total:
        return "No dongle of this customer is on record."
    sentences = [f"{count(total, 'dongle')}{f', {gone} of them lost or retired' if gone else ''}."]
    dated = customer.dongles.filter(ACTIVE)
    if following := dated.filter(issued_expiry_on__gte=today).order_by("issued_expiry_on", "serial").first():
        sentences.append(f"Next ends the SMA of {following.serial}: {_when(following, today)}.")
    if last := dated.filter(issued_expiry_on__lt=today).order_by("-issued_expiry_on", "serial").first():
        what = f"The SMA of {count(ended, 'dongle')} has ended" if ended > 1 else "One SMA has ended"
        sentences.append(f"{what}, {'last ' if ended > 1 else ''}that of {last.serial}: {_when(last, today)}.")
    if figures["undated"]:
        sentences.append(f"{count(figures['undated'], 'dongle')} without an SMA date.")
    return " ".join(sentences)


def _when(dongle: Dongle, today: date) -> str:
    assert dongle.issued_expiry_on is not None
    return f"{write_distance(dongle.issued_expiry_on, today)}, {write_day(dongle.issued_expiry_on)}"


def _next_quote(customer: Customer, today: date) -> NextQuote | None:
    """The dongle to quote next; due are those whose SMA ends within 90 days, or ended within a year."""
    licences = Licence.objects.filter(dongle=OuterRef("pk"), withdrawn_on__isnull=True)
    waiting = dongles_most_urgent_first(customer, today).filter(ACTIVE, Exists(licences), ~has_quote_on_its_way(today))
    candidates = list(waiting[:MOST_AT_ONCE])
    if not candidates:
        return None
    due = [dongle for dongle in candidates if _is_due(dongle, today)]
    return NextQuote(candidates[0], bool(due), due[1:])


def _is_due(dongle: Dongle, today: date) -> bool:
    ends_on = dongle.issued_expiry_on
    return ends_on is not None and today - LAPSED_WITHIN <= ends_on <= today + DUE_WITHIN


def _standing_dongles(dongles: Sequence[Dongle], today: date) -> Sequence[StandingDongle]:
    """Rules C4, C5 for these dongles together, in three queries."""
    if not dongles:
        return []
    found = standings_by_dongle(dongles, today)
    return [StandingDongle(dongle, found[dongle.pk][0], len(found[dongle.pk][1])) for dongle in dongles]

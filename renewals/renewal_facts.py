"""The facts from which figures of renewals are worked out (renewals/retention/), of some dongles or customers.

A dongle stands for the whole line of those that took one another's place (Q8), by the first of them. A customer stands
for all that were merged into it, and what these bought and own is its.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from django.utils import timezone

from dongles import queries as dongle_queries
from dongles.models import Dongle, Licence, Replacement, SmaPeriod
from portal.models import AuditEvent, Customer
from renewals.models import DueDongle, Order, PolicySettings, QuoteDongle, RevenueSegment
from renewals.retention import Carried, Chain, Covered, Held, Renewal, Valued, Worth, owner_on


class KnownCustomer(NamedTuple):
    """What figures are told apart by, of a customer or of the one that it was merged into (`pk`)."""

    pk: int
    country: str
    segment: str
    currency: str


class DongleFacts(NamedTuple):
    """A dongle (id) that came last in its line, and the facts of the line."""

    dongle: int
    chain: Chain


class CustomerFacts(NamedTuple):
    """What a customer has or had, and what it is worth."""

    held: list[Held]
    lines: list[Valued]


def known_customers(ids: Iterable[int]) -> dict[int, KnownCustomer]:
    """By these ids the customers, or what they were merged into."""
    rows: dict[int, tuple[int | None, KnownCustomer]] = {}
    missing = set(ids)
    while missing:
        found = Customer.objects.filter(pk__in=missing)
        for pk, into, *facts in found.values_list("pk", "merged_into", "country", "segment", "currency"):
            rows[pk] = (into, KnownCustomer(pk, *facts))
        missing = {into for into, _ in rows.values() if into is not None} - rows.keys()
    known = {}
    for pk in rows:
        last = pk
        while (into := rows[last][0]) is not None:
            last = into
        known[pk] = rows[last][1]
    return known


def merged_with(customers: Collection[int]) -> dict[int, int]:
    """By all customers that were merged into one of these, and by these themselves, that one (ids)."""
    groups = {customer: customer for customer in customers}
    fresh = set(groups)
    while fresh:
        merged = Customer.objects.filter(merged_into__in=fresh).values_list("pk", "merged_into")
        fresh = set()
        for pk, into in merged:
            if into is not None:
                groups[pk] = groups[into]
                fresh.add(pk)
    return groups


def first_dongles(dongles: Iterable[int]) -> set[int]:
    """Q8: the dongles with which the lines of these begin."""
    firsts, asked = set(), set(dongles)
    while asked:
        before = dict(Replacement.objects.filter(successor__in=asked).values_list("successor", "predecessor"))
        firsts |= asked - before.keys()
        asked = set(before.values())
    return firsts


class Concerned(NamedTuple):
    """Whose figures are to be worked out anew: lines of dongles by their first ones, and customers; ids."""

    firsts: set[int]
    customers: set[int]


def concerned_by(outdated: Iterable[tuple[int | None, int | None]]) -> Concerned:
    """What dongles or customers (ids, as in renewals.models.OutdatedRenewal) may have changed."""
    pairs = list(outdated)
    customers = with_kept({customer for _, customer in pairs if customer})
    firsts = first_dongles({dongle for dongle, _ in pairs if dongle} | dongles_of(customers))
    return Concerned(firsts, customers | customers_of(firsts))


def with_kept(customers: set[int]) -> set[int]:
    """These customers, and those that they were merged into."""
    return customers | {each.pk for each in known_customers(customers).values()}


def customers_of(firsts: Collection[int]) -> set[int]:
    """Whose figures depend on these lines of dongles: owners, buyers, and those from whom anything is due."""
    dongles = {dongle for first, after in dongle_queries.successors_of(firsts).items() for dongle in (first, *after)}
    found = set(Dongle.objects.filter(pk__in=dongles, customer__isnull=False).values_list("customer", flat=True))
    buyers = Order.objects.filter(version__dongles__dongle__in=dongles, fulfilled_on__isnull=False)
    found |= set(buyers.values_list("customer", flat=True))
    found |= set(DueDongle.objects.filter(first_dongle__in=firsts).values_list("customer", flat=True))
    return with_kept({customer for customer in found if customer})


def dongle_facts(firsts: Collection[int]) -> dict[int, DongleFacts]:
    """By the first dongle of each line its facts; owners are those that they were merged into."""
    lines = {first: [first, *after] for first, after in dongle_queries.successors_of(firsts).items()}
    of_line = {dongle: first for first, line in lines.items() for dongle in line}
    licences, line_of_licence = _licences(of_line)
    periods = _by_line(_periods(line_of_licence), line_of_licence)
    worths = _by_line(_worths(line_of_licence), line_of_licence)
    renewals = _renewals(of_line)
    owners = _owners(lines)
    grace = list(PolicySettings.objects.order_by("valid_from", "pk").values_list("valid_from", "grace_days"))
    return {
        first: DongleFacts(
            line[-1],
            Chain(
                licences.get(first, {}),
                periods.get(first, ()),
                worths.get(first, ()),
                renewals.get(first, ()),
                owners[first],
                grace,
            ),
        )
        for first, line in lines.items()
    }


def _licences(of_line: Mapping[int, int]) -> tuple[dict[int, dict[int, Carried]], dict[int, int]]:
    found: dict[int, dict[int, Carried]] = defaultdict(dict)
    line_of_licence = {}
    rows = Licence.objects.filter(dongle__in=of_line).order_by("pk")
    facts = ("pk", "dongle", "product", "product__family", "withdrawn_on")
    for pk, dongle, product, family, withdrawn_on in rows.values_list(*facts):
        found[of_line[dongle]][pk] = Carried(product, family, withdrawn_on)
        line_of_licence[pk] = of_line[dongle]
    return found, line_of_licence


OfLicence = TypeVar("OfLicence", Covered, Worth)


def _by_line(rows: Iterable[OfLicence], line_of_licence: Mapping[int, int]) -> dict[int, list[OfLicence]]:
    found: dict[int, list[OfLicence]] = defaultdict(list)
    for row in rows:
        found[line_of_licence[row.licence]].append(row)
    return found


def _periods(licences: Collection[int]) -> Iterable[Covered]:
    rows = SmaPeriod.objects.filter(licence__in=licences, is_cancelled=False).order_by("starts_on", "pk")
    for row in rows.values_list("licence", "starts_on", "ends_on", "order_line__order"):
        yield Covered(*row)


def _worths(licences: Collection[int]) -> Iterable[Worth]:
    rows = RevenueSegment.objects.filter(order_line__licence__in=licences).exclude(annual_amount=0).order_by("pk")
    for row in rows.values_list("order_line__licence", "starts_on", "ends_on", "annual_amount", "currency"):
        yield Worth(*row)


def _renewals(of_line: Mapping[int, int]) -> dict[int, list[Renewal]]:
    found: dict[int, list[Renewal]] = defaultdict(list)
    quoted = QuoteDongle.objects.filter(
        dongle__in=of_line, replacement={}, version__order__fulfilled_on__isnull=False
    ).order_by("pk")
    order = ("version__order", "version__order__fulfilled_on", "version__order__cancelled_from")
    rows = quoted.values_list("dongle", *order, "version__policy__grace_days", "version__currency", "licences")
    for dongle, pk, fulfilled_on, cancelled_from, grace_days, currency, licences in rows:
        stood = {each["licence"]: date.fromisoformat(each["covered_through"]) for each in licences if each["licence"]}
        found[of_line[dongle]].append(Renewal(pk, fulfilled_on, cancelled_from, grace_days, currency, stood))
    return found


def _owners(lines: Mapping[int, list[int]]) -> dict[int, list[tuple[date, int | None]]]:
    """Whose the dongles were, by the audit events of handing them on; whose they are is on record."""
    last = {line[-1]: first for first, line in lines.items()}
    of_line = {dongle: first for first, line in lines.items() for dongle in line}
    handed: dict[int, list[tuple[date, int | None, int | None]]] = defaultdict(list)
    events = AuditEvent.objects.filter(action="transfer", subject_kind="dongle", subject_id__in=of_line).order_by("pk")
    for dongle, at, before, after in events.values_list("subject_id", "at", "before__customer", "after__customer"):
        handed[of_line[dongle]].append((timezone.localdate(at), before, after))
    now = {last[pk]: owner for pk, owner in Dongle.objects.filter(pk__in=last).values_list("pk", "customer")}
    named = {owner for owner in now.values() if owner}
    named |= {each for moves in handed.values() for _, *ends in moves for each in ends if each}
    known = known_customers(named)
    found = {}
    for first in lines:
        owners = [(date.min, handed[first][0][1])] if first in handed else []
        owners += [(day, after) for day, _, after in handed.get(first, ())]
        owners[-1:] = [(owners[-1][0] if owners else date.min, now[first])]
        found[first] = [(day, known[owner].pk if owner in known else None) for day, owner in owners]
    return found


def dongles_of(customers: Collection[int]) -> set[int]:
    """The dongles that are or were of customers (ids), as far as anything was due from them or they bought for it."""
    groups = merged_with(customers)
    owned = Dongle.objects.filter(customer__in=groups).values_list("pk", flat=True)
    due = DueDongle.objects.filter(customer__in=groups, family=None, product=None).values_list("dongle", flat=True)
    return {*owned, *due.distinct()}


def customer_facts(customers: Collection[int]) -> dict[int, CustomerFacts]:
    """By customer (id) its facts. What was bought is the buyer's, what came on record the owner's at its end."""
    groups = merged_with(customers)
    found = {customer: CustomerFacts([], []) for customer in customers}
    segments = RevenueSegment.objects.filter(customer__in=groups).exclude(annual_amount=0).order_by("pk")
    valued = ("product__family", "product", "currency", "starts_on", "ends_on", "annual_amount")
    for customer, *facts in segments.values_list("customer", *valued):
        found[groups[customer]].lines.append(Valued(*facts))
    spans = ("licence__product__family", "licence__product", "starts_on", "ends_on")
    bought = SmaPeriod.objects.filter(is_cancelled=False, order_line__order__customer__in=groups).order_by("pk")
    for customer, *facts in bought.values_list("order_line__order__customer", *spans):
        found[groups[customer]].held.append(Held(*facts))
    for owner, held in _on_record(groups, spans):
        if owner in found:
            found[owner].held.append(held)
    return found


def _on_record(groups: Mapping[int, int], spans: tuple[str, ...]) -> Iterable[tuple[int | None, Held]]:
    dongle_of = dict(Licence.objects.filter(dongle__in=dongles_of(groups)).values_list("pk", "dongle"))
    chains = dongle_queries.successors_of(first_dongles(dongle_of.values()))
    lines = {first: [first, *after] for first, after in chains.items()}
    owners = {dongle: owned_by for first, owned_by in _owners(lines).items() for dongle in lines[first]}
    rows = SmaPeriod.objects.filter(licence__in=dongle_of, is_cancelled=False, source=SmaPeriod.Source.RECORD)
    for licence, *facts in rows.order_by("pk").values_list("licence", *spans):
        held = Held(*facts)
        yield owner_on(owners[dongle_of[licence]], held.ends_on), held

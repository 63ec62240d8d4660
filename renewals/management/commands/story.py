"""`manage.py story`: one renewal from serial number to unlocked dongle, told in the terminal with the real services.

Each time it takes the next dongle that suits: lapsed over a major release, or else about to expire. The demo's
serials to know are left as their situations say.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from textwrap import wrap
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from dongles import queries as dongle_queries
from dongles.coverage import Release, missed_majors, runs
from dongles.keys import public_keys
from dongles.models import Dongle, Licence, UnlockCode
from dongles.services import confirm_receipt
from dongles.unlock import DeviceState, apply, factory_state, printed_rows
from dongles.unlock.codec import DAY_ZERO
from portal import outbox
from portal.audit import Actor
from portal.models import Customer
from portal.wording import write_day, write_figure, write_money
from renewals import demo, queries, recognition
from renewals.models import Order, QuoteVersion, RevenueSegment
from renewals.overviews.dongles import newest_by_family, standing_of_dongle, standings_of
from renewals.overviews.quotes import saved_rows
from renewals.queries import DongleRequest
from renewals.services import orders, quotes

TELLER = Actor("The story")
SOON = timedelta(days=90)
WIDTH = 100


class Command(BaseCommand):
    help = "Tell one renewal: serial number, price with its reasons, order, unlock code, dongle before and after."

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        dongle = next(suitable_dongles(timezone.localdate(at)), None)
        if dongle is None:
            self.stdout.write("No dongle of the demo is due or lapsed any more: every story has been told.")
            return
        for title, lines in tell(dongle, at):
            self.stdout.write(self.style.MIGRATE_HEADING(title))
            for line in lines:
                self.stdout.write(f"  {line}" if line else "")
        outbox.drain()


def suitable_dongles(today: date) -> Iterator[Dongle]:
    """Dongles that a sales person would renew by purchase order today, the most telling first."""
    due = (
        Dongle.objects.filter(
            state=Dongle.State.ACTIVE,
            customer__fulfil_on=Customer.FulfilOn.ACCEPTANCE,
            customer__contacts__left_on__isnull=True,
            customer__contacts__email__gt="",
            licences__withdrawn_on__isnull=True,
            licences__isnull=False,
            issued_expiry_on__lt=today + SOON,
        )
        .exclude(quoted__version__state__in=["draft", "sent"])
        .exclude(serial__in=[each.serial for each in demo.situations()])
        .select_related("customer")
        .distinct()
        .order_by("serial")
    )
    lapsed = due.filter(issued_expiry_on__lt=today)
    yield from (dongle for dongle in lapsed[:200] if _has_missed(dongle, today))
    yield from due.filter(issued_expiry_on__gte=today)
    yield from lapsed


def _has_missed(dongle: Dongle, today: date) -> bool:
    covered = [dongle_queries.coverage_of(licence) for licence in dongle_queries.licences_of([dongle])]
    majors = dongle_queries.published_releases({each.family for each in covered}, through=today, majors_only=True)
    return any(missed_majors(each, majors, today, 0) for each in covered)


def tell(dongle: Dongle, at: datetime) -> Iterator[tuple[str, Sequence[str]]]:
    """The chapters of the story, each done as it is told."""
    today = timezone.localdate(at)
    licences = list(dongle_queries.licences_of([dongle]))
    yield f"1  The serial number: {dongle.serial}", has_now(dongle, licences, today)

    customer = dongle_queries.owner_of(dongle)
    request = DongleRequest(dongle, renew_years=1)
    version = quotes.draft_quote(customer=customer, requests=[request], actor=TELLER, at=at)
    yield f"2  The price of a year, quote {version.quote.number}", priced_lines(version)

    version = quotes.send_quote(version=version, actor=TELLER, at=at)
    assert version.valid_until is not None
    recipients = ", ".join(contact.email for contact in customer.reachable_contacts())
    yield (
        "3  Sent",
        [f"a promise until {write_day(version.valid_until)} (Q1); the mail is in the outbox", f"to {recipients}"],
    )

    before = simulated(dongle, licences)
    order = orders.accept_quote(
        version=version, accepted_by="The story", purchase_order_number=f"PO-{version.quote_id}", actor=TELLER, at=at
    )
    yield f"4  Ordered: {order.number} by purchase order {order.purchase_order_number}", sold(order, today)

    code = UnlockCode.objects.get(dongle=dongle, cause=f"order {order.number}")
    numbered = [f"{number:2}  {row}" for number, row in enumerate(printed_rows(code.letters), 1)]
    yield f"5  The unlock code {code}, to be typed, scanned or loaded", numbered

    outcome, after = apply(before, code.letters)
    confirm_receipt(dongle=dongle, receipt=after.receipt, actor=TELLER, at=at)
    released = dongle_queries.published_releases({each.product.family.name for each in licences}, through=today)
    yield (
        "6  The dongle, simulated",
        [
            f"before:  {held_by(before, released)}",
            f"it says: {outcome.value}, receipt {after.receipt} (entered in the portal: confirmed)",
            f"after:   {held_by(after, released)}",
            "",
        ],
    )


def has_now(dongle: Dongle, licences: Sequence[Licence], today: date) -> list[str]:
    grace = queries.policy_on(today).grace_days
    families = {licence.product.family.name for licence in licences}
    released = dongle_queries.published_releases(families, through=today)
    status, standings = standings_of(licences, released, today, grace)
    names = [
        f"{each.licence.product} covered through {write_day(each.covered_through)}"
        + "".join(f", missed {release.version} ({write_day(release.build_on)})" for release in each.missed)
        for each in standings
    ]
    return [
        f"{dongle.customer}, {dongle.get_kind_display().lower()}",
        *names,
        *wrap(standing_of_dongle(dongle, status, standings, today), WIDTH - 2),
    ]


def priced_lines(version: QuoteVersion) -> Iterator[str]:
    ((_, lines),) = saved_rows(version)
    for line in lines:
        what = f"{line.product}: {line.description}"
        if line.starts_on and line.ends_on:
            what += f", {write_day(line.starts_on)} – {write_day(line.ends_on)}"
        yield f"{what:<78}{write_figure(line.net, version.currency):>14}"
        yield from (f"    {step}" for step in line.arithmetic)
    for what, amount in (("Net", version.net), ("Tax (P9)", version.tax)):
        yield f"{what:<78}{write_figure(amount, version.currency):>14}"
    yield f"{'Total':<78}{write_money(version.total, version.currency):>14}"


def sold(order: Order, today: date) -> Iterator[str]:
    for line in order.lines.select_related("licence__product", "period"):
        if line.period:
            yield f"{line.licence.product}: SMA {write_day(line.period.starts_on)} – {write_day(line.period.ends_on)}"
    segments = [row.segment for row in RevenueSegment.objects.filter(order_line__order=order)]
    currency = order.version.currency
    earned = sum(recognition.recognised_through(segment, today) for segment in segments)
    deferred = sum(segment.amount for segment in segments) - earned
    yield f"Revenue: {write_money(earned, currency)} earned by today, {write_money(deferred, currency)} deferred"
    yield "by year (F2, F3): " + ", ".join(
        f"{year} {write_money(amount, currency)}" for year, amount in by_year(segments)
    )


def by_year(segments: Iterable[recognition.Segment]) -> list[tuple[int, int]]:
    """F2: what is recognised in each calendar year."""
    years: Counter[int] = Counter()
    for segment in segments:
        for month, amount in recognition.months_of(segment):
            years[month.year] += amount
    return sorted(years.items())


def simulated(dongle: Dongle, licences: Sequence[Licence]) -> DeviceState:
    """The dongle as the portal believes it to be."""
    keys = public_keys()
    seats: Counter[int] = Counter()
    for licence in licences:
        seats[licence.product.number] += licence.seats
    return factory_state(dongle.serial, keys.root, keys.slots)._replace(
        generation=dongle.generation,
        sequence=dongle.sequence,
        expiry_on=dongle.issued_expiry_on or DAY_ZERO,
        licences=tuple(sorted(seats.items())),
    )


def held_by(state: DeviceState, released: Sequence[Release]) -> str:
    """The date and number that a dongle holds, and the newest build of each family that starts with it (C2)."""
    day = "none" if state.expiry_on == DAY_ZERO else write_day(state.expiry_on)
    newest = newest_by_family(release for release in released if runs(release.build_on, state.expiry_on))
    starts = " and ".join(f"{family} {release.version}" for family, release in newest.items()) or "nothing"
    return f"SMA date {day}, code number {state.generation}-{state.sequence}; starts builds up to {starts}"

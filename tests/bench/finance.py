"""The reports on money, booking and closing with a million order lines, and with a tenth of them."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dongles.models import Dongle, Licence, Product
from portal.models import Customer, User
from renewals.calendar import following
from renewals.models import RevenueSegment
from renewals.overviews.finance import REPORTS
from renewals.services import conceded, renewal_figures, summaries
from tests import world
from tests.bench import closing, yardstick
from tests.bench.bookings import insert_bookings
from tests.bench.database import empty_database
from tests.bench.measuring import Figure, median_of

MOST_MILLISECONDS, MOST_SLOWER = 300, 1.5
LINES_OF_AN_ORDER = 20
Medians = dict[str, float]


def measure(lines: int) -> Iterator[Figure]:
    """Every page at both sizes; what depends on the size of one order or month at the large one alone."""
    settings.OUTBOX_DISPATCH = "none"
    settings.ALLOWED_HOSTS = ["testserver"]
    today = timezone.localdate()
    with tempfile.TemporaryDirectory() as folder:
        settings.SIGNER_LOG = Path(folder) / "signer.log"
        with _ledger(lines // 10, today):
            tenth = _pages()
            export_of_tenth = closing.export_lines(today)
        with _ledger(lines, today) as made:
            yield from made
            for name, seconds in _pages().items():
                yield Figure(f"{name} with {lines:,} lines", seconds * 1e3, "ms", most=MOST_MILLISECONDS)
                yield Figure(
                    f"{name} against a tenth of them", seconds * 1e3, "ms", tenth[name] * 1e3, most=MOST_SLOWER
                )
            yield from yardstick.measure(today, lines)
            yield from closing.of_exports(export_of_tenth, closing.export_lines(today))
            yield _booking(today)
            yield closing.close_last_month(today)


@contextmanager
def _ledger(lines: int, today: date) -> Iterator[list[Figure]]:
    """A database with about so many lines, and their sums as the portal adds them up; how long both took."""
    with empty_database():
        begun = time.perf_counter()
        made = insert_bookings(lines, today)
        inserted = time.perf_counter()
        segments = summaries.rebuild_summaries()
        added = time.perf_counter()
        facts = conceded.note_all_facts()
        noted = time.perf_counter()
        dongles = renewal_figures.rebuild_renewal_figures()
        followed = time.perf_counter()
        with connection.cursor() as cursor:  # as the server does by itself some time after much was written
            cursor.execute("VACUUM ANALYZE")
        yield [
            Figure(f"Inserting {made:,} order lines in bulk", inserted - begun, "s"),
            Figure(f"Adding up all {segments:,} segments", added - inserted, "s"),
            Figure(f"Noting {facts:,} facts of sales", noted - added, "s"),
            Figure(f"Working out the renewals of {dongles:,} dongles", followed - noted, "s"),
        ]


def _pages() -> Medians:
    """Median seconds of each page for finance: all reports, one of a customer, and the lines that a figure opens."""
    client = Client()
    world.log_in(client, User.objects.get(role="finance"))
    customer = RevenueSegment.objects.order_by("pk").values_list("customer", flat=True)[0]
    addresses = {kind.name: reverse("renewals:report", args=[key]) for key, kind in REPORTS.items()}
    month = f"{timezone.localdate():%Y-%m}"
    lines = f"?figure=recognised&first_month={month}&last_month={month}&currency=EUR"
    addresses["Lines of a figure"] = reverse("renewals:finance_lines") + lines
    addresses["Months"] = reverse("renewals:months")
    over = following(timezone.localdate().replace(day=1), -1)
    addresses["The last month that is over"] = reverse("renewals:month", args=[f"{over:%Y-%m}"])
    addresses["What is due"] = reverse("renewals:due")
    first = next(iter(addresses.values()))
    addresses["The first report for a customer"] = f"{first}?customer={customer}"
    addresses["The first report for a product"] = f"{first}?product={Product.objects.order_by('pk')[0].pk}"
    return {f"Page “{name}”": _median(client, address) for name, address in addresses.items()}


def _median(client: Client, address: str) -> float:
    def get() -> None:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return median_of(get, rounds=7)


def _booking(today: date) -> Figure:
    """Accepting and fulfilling an order of many lines with its revenue added up, against the same without the ledger.

    Without: less what the statements to the ledger's tables took, and the adding up.
    """
    totals, parts = [], []
    for number in range(7):
        version = world.send(_dongle_with_many(f"MANY{number}"), today.isoformat())
        watch = _LedgerWatch()
        begun = time.perf_counter()
        with connection.execute_wrapper(watch):
            world.accept(version, today.isoformat())
            accepted = time.perf_counter()
            summaries.summarise_all()
        ended = time.perf_counter()
        totals.append(ended - begun)
        parts.append(watch.of_booking(until=accepted) + ended - accepted)
    middle = sorted(range(len(totals)), key=totals.__getitem__)[len(totals) // 2]
    return Figure(
        f"Booking an order of {LINES_OF_AN_ORDER} lines",
        totals[middle] * 1e3,
        "ms",
        (totals[middle] - parts[middle]) * 1e3,
        most=1.5,
        note="the floor is the same without the ledger",
    )


class _LedgerWatch:
    """Notes what statements to the ledger's tables took."""

    TABLES = ("renewals_revenuesegment", "renewals_accountingmonth", "renewals_unsummarisedsegment")

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if any(table in sql for table in self.TABLES):
                self.spans.append((begun, time.perf_counter()))

    def of_booking(self, until: float) -> float:
        return sum(ended - begun for begun, ended in self.spans if ended <= until)


def _dongle_with_many(serial: str) -> Dongle:
    """A licence server whose licences all end this year: renewing it for a year makes so many lines."""
    customer = Customer.objects.filter(currency="EUR", segment="commercial").order_by("pk")[0]
    if not customer.contacts.exists():
        customer.contacts.create(name="Ada Lenz", email="ada@cells.example")
    ends = timezone.localdate().isoformat()
    licences = [(("VOL-VIS", "VOL-QNT")[n % 2], ends) for n in range(LINES_OF_AN_ORDER)]
    dongle = world.make_dongle(serial, customer, licences, kind=Dongle.Kind.LICENCE_SERVER)
    assert Licence.objects.filter(dongle=dongle).count() == LINES_OF_AN_ORDER
    return dongle

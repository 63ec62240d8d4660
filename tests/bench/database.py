"""Pages, search and the whole cycle, on PostgreSQL with a small and a large installed base."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dongles.models import Dongle
from portal.models import AuditEvent, Contact, Customer, User
from renewals.demo.customers import CUSTOMERS
from renewals.models import Order, PolicySettings, PriceList, Quote, QuoteVersion
from renewals.overviews import search_results
from renewals.services.reminders import REMINDERS, post_reminders
from tests import world
from tests.bench import campaign, imports
from tests.bench.measuring import Figure, paired_medians

SMALL = 1_000
DONGLES_AN_ORDER = 4
SAMPLE = 10  # things of each kind that are searched for


def measure(large: int) -> Iterator[Figure]:
    settings.OUTBOX_DISPATCH = "none"
    settings.ROOT_URLCONF = "tests.bench.urls"
    settings.ALLOWED_HOSTS = ["testserver"]
    with tempfile.TemporaryDirectory() as folder:
        settings.SIGNER_LOG = Path(folder) / "signer.log"
        with _installed_base(SMALL):
            small = list(_searches())
            yield from imports.measure()
        with _installed_base(large):
            yield from map(_slowdown, small, _searches(), repeat(large))
            yield from _pages()
            yield from _cycle()
            yield _reminders()
            yield from campaign.measure()


@contextmanager
def _installed_base(size: int) -> Iterator[None]:
    with empty_database():
        call_command("demo", dongles=size, history=0, verbosity=0)
        _insert_orders(size // DONGLES_AN_ORDER)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield


@contextmanager
def empty_database() -> Iterator[None]:
    """A database of its own with the portal's tables, gone afterwards."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


class Search(NamedTuple):
    """A kind of search: the seconds that it takes, those of bare look-ups in turn with it, and how much it finds."""

    name: str
    seconds: float
    bare: float
    hits: int


def _searches() -> Iterator[Search]:
    """Every kind of search, for things that are there whatever the size of the installed base, each found alone."""
    today, keys = timezone.localdate(), list(Dongle.objects.values_list("pk", flat=True)[:SAMPLE])
    serials = Dongle.objects.order_by("?").values_list("serial", flat=True)[:SAMPLE]
    domains = [customer.domain for customer in CUSTOMERS[:SAMPLE]]
    orders = Order.objects.filter(purchase_order_number__startswith="BENCH").order_by("?")[:SAMPLE]
    for name, texts in (
        ("serial", list(serials)),
        ("a part of a customer’s name", [customer.name[2:9] for customer in CUSTOMERS[:SAMPLE]]),
        ("a contact’s e-mail address", list(_addresses(domains))),
        ("purchase order number", [order.purchase_order_number for order in orders]),
        ("quote number", [order.quote.number for order in orders]),
    ):

        def all_of(texts: Sequence[str] = texts) -> None:
            for text in texts:
                search_results(text, today)

        def bare() -> None:
            for key in keys:
                Dongle.objects.select_related("customer").get(pk=key)

        hits = sum(len(kind.hits) for text in texts for kind in search_results(text, today))
        seconds, floor = paired_medians(all_of, bare, rounds=21)
        yield Search(name, seconds / len(texts), floor / len(texts), hits)


def _addresses(domains: Sequence[str]) -> Iterator[str]:
    for domain in domains:
        yield Contact.objects.filter(email__endswith=f"@{domain}.example").order_by("pk")[0].email


def _slowdown(small: Search, large: Search, size: int) -> Figure:
    """How much slower a search is with more on record, for as many hits, the machine's own pace taken out."""
    assert large.hits == small.hits, (small, large)
    floor = small.seconds * large.bare / small.bare
    return Figure(f"Search by {large.name} at {size:,} dongles", large.seconds * 1e3, "ms", floor * 1e3, most=1.3)


def _insert_orders(number: int) -> None:
    """As many quotes with an order each, spread over the customers."""
    customers = list(Customer.objects.order_by("pk"))
    whose = [customers[n % len(customers)] for n in range(number)]
    terms = {"policy": PolicySettings.objects.first(), "price_list": PriceList.objects.first(), "currency": "EUR"}
    now, today = timezone.now(), timezone.localdate()
    made = Quote.objects.bulk_create((Quote(customer=each, created_at=now) for each in whose), batch_size=5000)
    versions = QuoteVersion.objects.bulk_create(
        (QuoteVersion(quote=each, number=1, state="accepted", priced_on=today, valid_until=today, net=0, tax=0,
                      total=0, **terms) for each in made),
        batch_size=5000,
    )  # fmt: skip
    Order.objects.bulk_create(
        (Order(quote=version.quote, version=version, customer=version.quote.customer, state="accepted",
               purchase_order_number=f"BENCH-{n:06d}", accepted_on=today) for n, version in enumerate(versions)),
        batch_size=5000,
    )  # fmt: skip


def _pages() -> Iterator[Figure]:
    """The dongle page and the live preview beside the builder's form, against a view with as many indexed queries."""
    client = Client()
    world.log_in(client, User.objects.filter(role=User.Role.SALES).first())
    serial, live = "104233", {"HX-Request": "true"}
    for name, path, headers in (
        ("Dongle page", f"/dongles/{serial}/", {}),
        ("Quote preview", f"/dongles/{serial}/quote/?renew_years=1", live),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, headers=headers)
        assert response.status_code == 200, response
        count = len(queries)
        page, floor = paired_medians(
            lambda path=path, headers=headers: client.get(path, headers=headers),
            lambda count=count: client.get("/floor/", {"queries": count}),
            rounds=41,
        )
        yield Figure(name, page * 1e3, "ms", floor * 1e3, most=3, note=f"{count} queries")


def floor_view(request: HttpRequest) -> HttpResponse:
    """An otherwise empty view that runs indexed queries."""
    keys = list(Dongle.objects.values_list("pk", flat=True)[:1])
    for _ in range(int(request.GET["queries"]) - 3):  # the session, the user and the line above
        Dongle.objects.filter(pk=keys[0]).first()
    return HttpResponse("")


def _cycle() -> Iterator[Figure]:
    """Draft, send with document, accept, fulfil, code for three licences against a row lock with ten bulk inserts."""
    customer = Customer.objects.filter(currency="EUR", fulfil_on="acceptance", contacts__isnull=False).first()
    licences = [("VOL-VIS", None), ("VOL-QNT", None), ("VOL-VIS", None)]
    dongles = iter([world.make_dongle(f"BENCH{n}", customer, licences) for n in range(60)])
    today = timezone.localdate().isoformat()

    def cycle() -> None:
        world.sell(next(dongles), today)

    def floor() -> None:
        with transaction.atomic():
            Dongle.objects.select_for_update().get(serial="104233")
            for _ in range(10):
                AuditEvent.objects.bulk_create(
                    AuditEvent(at=world.at(today), actor_name="bench", action="x", subject_kind="x", subject_id=1)
                    for _ in range(3)
                )

    with CaptureQueriesContext(connection) as queries:
        cycle()
    whole, bare = paired_medians(cycle, floor, rounds=41)
    # One of them is the lock under which no price list changes while a quote is priced with it.
    yield Figure("Draft → send → accept → fulfil → code", len(queries), "queries", most=49)
    # Sending sets the quote's document, which takes longer than all the rest; without it the aim was 5.
    yield Figure("Draft → send → accept → fulfil → code", whole * 1e3, "ms", bare * 1e3, most=10)


def _reminders() -> Figure:
    """Going through the whole installed base for the reminders of a day, and posting them."""
    begun = time.perf_counter()
    posted = post_reminders(actor=REMINDERS, at=timezone.now())
    return Figure("Posting a day's reminders", time.perf_counter() - begun, "s", most=30, note=posted.in_words())

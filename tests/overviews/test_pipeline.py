"""The pipeline against a second, slow reading of its definitions, and where its edges lie. A year of VOL-VIS costs
1,200.00 and of OPL-FUL 1,500.00 in EUR; in JPY, which has no decimals, a year of VOL-VIS costs 198,000.
"""

import random
from collections import defaultdict
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dongles import coverage
from dongles.models import Dongle, Licence, Product, Release, SmaPeriod
from dongles.queries import coverage_of, licences_of, published_releases
from portal.models import User
from renewals.models import PolicySettings, PriceList, PriceListEntry
from renewals.overviews import pipeline
from renewals.overviews.buckets import Days, buckets
from renewals.overviews.pipeline import NOBODY, PipelineFilters
from renewals.services import quotes
from tests import world

TODAY = date(2026, 11, 25)


def on(days):
    return TODAY + timedelta(days=days)


@pytest.fixture
def customer(catalogue):
    return world.make_customer()


def make(serial, customer, *ends, product="VOL-VIS", **fields):
    """A dongle with a licence for each number of days from TODAY to the end of its coverage."""
    return world.make_dongle(serial, customer, [(product, str(on(days))) for days in ends], **fields)


def renew(dongle, first, last, **fields):
    """A further period of each of its licences, from one number of days after TODAY to another."""
    for licence in dongle.licences.all():
        SmaPeriod.objects.create(licence=licence, starts_on=on(first), ends_on=on(last), source="record", **fields)


def rows_of(**asked):
    return list(pipeline.finish_rows(pipeline.read_pipeline(PipelineFilters(**asked), TODAY)))


def bucket_of(dongle):
    return {row.serial: row.bucket.key for row in rows_of()}.get(dongle.serial)


def decline(dongle, sent_on, declined_on):
    version = world.send(dongle, str(sent_on))
    quotes.decline_quote(version=version, reason="No budget", actor=world.SALES, at=world.at(declined_on))


# The slow reading: a dongle at a time, in the order of the definitions, by the functions of the rules.


def slow_bucket(dongle, licences, majors, grace, declined_on):
    covered = [coverage_of(licence) for licence in licences]
    latest = max(map(coverage.covered_through, covered))
    paid_through = coverage.paid_through(covered, TODAY, grace)
    missed = any(coverage.missed_majors(each, majors, TODAY, grace) for each in covered)
    is_back = any(slowly_came_back(each.periods) for each in covered)
    if paid_through is not None and paid_through > on(90) and not is_back:
        return None
    if dongle.state != "active":
        return "lost"
    if paid_through is None:
        if declined_on is not None and declined_on > latest:
            return "lost"
        if missed:
            return "lapsed_over_major"
        return "lost" if latest <= date(2025, 11, 25) else "lapsed"
    for days in (30, 60, 90):
        if paid_through <= on(days):
            return f"due_{days}"
    return "won_back"


def slowly_came_back(periods):
    """Day by day: covered today, and within the last 365 days there is a covered day after one that was not, but for
    the very first."""
    if not periods or not coverage.is_valid_on(periods, TODAY):
        return False
    first = min(period.starts_on for period in periods)
    return any(
        coverage.is_valid_on(periods, on(-days)) and not coverage.is_valid_on(periods, on(-days - 1))
        for days in range(366)
        if on(-days) > first
    )


def random_world(chance):
    customers = [world.make_customer(f"Customer {n}", country=country) for n, country in enumerate(("DE", "FR", "DE"))]
    for number, family in enumerate(("Volocity", "Openlab", "Volocity", "Openlab")):
        release = world.make_release(f"{number}.0", str(on(chance.randint(-900, 30))), family=family)
        Release.objects.filter(pk=release.pk).update(is_published=chance.random() < 0.8)
    for number in range(40):
        dongle = Dongle.objects.create(
            serial=f"R{number}",
            customer=chance.choice([*customers, None]) if number % 8 == 0 else chance.choice(customers),
            state=chance.choice(["active"] * 8 + ["lost", "retired"]),
        )
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            random_licence(chance, dongle)


def random_licence(chance, dongle):
    licence = Licence.objects.create(
        dongle=dongle,
        product=Product.objects.get(code=chance.choice(("VOL-VIS", "VOL-QNT", "OPL-FUL", "VOL-NEW"))),
        seats=chance.choice((1, 1, 5)),
        acquired_on=on(chance.randint(-1200, -400)),
        withdrawn_on=(withdrawn := TODAY if chance.random() < 0.1 else None),
        withdrawal_reason="Sold" if withdrawn else "",
    )
    starts = licence.acquired_on
    for _ in range(chance.choice((0, 1, 2, 3))):
        ends = starts + timedelta(days=chance.choice((29, 200, 364, 364, 729)))
        is_cancelled = chance.random() < 0.1
        SmaPeriod.objects.create(
            licence=licence, starts_on=starts, ends_on=ends, source="record", is_cancelled=is_cancelled
        )
        starts = ends + timedelta(days=chance.choice((1, 1, 1, 2, 60, 300)))


@pytest.mark.parametrize("seed", range(6))
def test_every_dongle_of_a_random_world_is_where_a_slow_reading_puts_it(catalogue, seed):
    chance = random.Random(seed)
    random_world(chance)
    grace = chance.choice((0, 0, 14, 90))
    PolicySettings.objects.update(grace_days=grace)
    majors = published_releases({"Volocity", "Openlab"}, majors_only=True)
    prices = {code: year for code, (_, year, _) in world.PRICES.items()}
    expected, counts, values, unpriced = {}, defaultdict(int), defaultdict(int), defaultdict(int)
    for dongle in Dongle.objects.filter(customer__isnull=False):
        licences = list(licences_of([dongle]))
        bucket = slow_bucket(dongle, licences, majors, grace, None) if licences else None
        if bucket is None:
            continue
        expected[dongle.serial] = bucket
        counts[bucket] += 1
        years = [(prices.get(licence.product.code), licence.seats) for licence in licences]
        if any(year is None for year, _ in years):
            unpriced[bucket] += 1
        else:
            values[bucket] += sum(year * seats for year, seats in years)
    assert {row.serial: row.bucket.key for row in rows_of()} == expected
    read = pipeline.read_pipeline(PipelineFilters(), TODAY)
    assert {bucket.key: each.dongles for bucket, each in read.figures if each.dongles} == counts
    assert {bucket.key: dict(each.values)["EUR"] or 0 for bucket, each in read.figures} == {
        bucket.key: values[bucket.key] for bucket, _ in read.figures
    }
    assert sum(unpriced.values()) == read.total.unpriced
    assert (read.total.dongles, dict(read.total.values)) == (len(expected), {"EUR": sum(values.values())})


# Edges by hand.


def test_a_quote_declined_before_the_end_is_no_loss_yet(customer):
    dongle = make("1", customer, -10)
    decline(dongle, on(-20), on(-10))  # declined on the last valid day
    assert bucket_of(dongle) == "lapsed"


def test_a_quote_declined_after_the_end_is_a_loss_until_a_newer_one_is_sent(customer):
    dongle = make("1", customer, -10)
    decline(dongle, on(-20), on(-9))
    assert bucket_of(dongle) == "lost"
    newer = world.draft(dongle, str(TODAY))
    assert bucket_of(dongle) == "lost"
    quotes.send_quote(version=newer, actor=world.SALES, at=world.at(TODAY))
    assert bucket_of(dongle) == "lapsed"


def test_a_gap_counts_from_the_first_day_that_is_covered_again(customer):
    for serial, started, bucket in (("1", -365, "won_back"), ("2", -366, None), ("3", 0, "won_back"), ("4", 1, None)):
        dongle = make(serial, customer, -500)
        renew(dongle, started, 200)
        assert bucket_of(dongle) == bucket, serial


def test_a_cancelled_period_covers_nothing_and_wins_nothing_back(customer):
    dongle = make("1", customer, -100)
    renew(dongle, -50, 200, is_cancelled=True)
    assert bucket_of(dongle) == "lapsed"


def test_a_first_sma_is_no_return(customer):
    dongle = make("1", customer)
    licence = Licence.objects.create(
        dongle=dongle, product=Product.objects.get(code="VOL-VIS"), acquired_on=world.DAY_ONE, seats=1
    )
    assert bucket_of(dongle) == "lost"  # never covered: lapsed since it was acquired, six years ago
    SmaPeriod.objects.create(licence=licence, starts_on=on(-5), ends_on=on(300), source="record")
    assert bucket_of(dongle) is None


def test_a_release_that_is_not_published_or_not_major_or_comes_tomorrow_is_not_missed(customer):
    dongle = make("1", customer, -100)
    world.make_release("8.0", str(on(1)))
    world.make_release("7.1", str(on(-50)), is_major=False)
    unpublished = world.make_release("7.5", str(on(-50)))
    Release.objects.filter(pk=unpublished.pk).update(is_published=False)
    world.make_release("9.0", str(on(-50)), family="Openlab")
    assert bucket_of(dongle) == "lapsed"


def test_a_year_ago_is_the_same_day_of_last_year_and_28_february_for_29(catalogue):
    assert Days(TODAY, 0).year_ago == date(2025, 11, 25)
    assert Days(date(2028, 2, 29), 0).year_ago == date(2027, 2, 28)
    assert Days(date(2029, 2, 28), 0).year_ago == date(2028, 2, 28)


def test_the_definitions_say_the_days_and_the_grace():
    definitions = {bucket.key: bucket.definition for bucket in buckets(Days(TODAY, 14))}
    assert definitions["due_30"] == (
        "The SMA ends from today to 25 Dec 2026, or ended at most 14 days ago, within the days of grace."
    )
    assert definitions["due_60"] == "The SMA ends from 26 Dec 2026 to 24 Jan 2027."
    assert definitions["due_90"] == "The SMA ends from 25 Jan 2027 to 23 Feb 2027."


# What a row says, and filters.


@pytest.fixture
def japan(catalogue):
    """A customer in Japan whom Sales looks after, with a price list in yen that has no VOL-QNT."""
    prices = PriceList.objects.create(name="JPY", currency="JPY", segment="commercial", valid_from=world.DAY_ONE)
    product = Product.objects.get(code="VOL-VIS")
    PriceListEntry.objects.create(
        price_list=prices, product=product, licence=990_000, sma_year=198_000, upgrade=396_000
    )
    return world.make_customer("Aoba", country="JP", currency="JPY", owner=world.make_user())


def test_values_stand_apart_by_currency_at_the_list_of_today(customer, japan):
    make("1", customer, 10, 10)
    make("2", japan, 10)
    make("3", japan, 10, product="VOL-QNT")
    later = PriceList.objects.create(name="Next", currency="EUR", segment="commercial", valid_from=on(1))
    product = Product.objects.get(code="VOL-VIS")
    PriceListEntry.objects.create(price_list=later, product=product, licence=1, sma_year=5, upgrade=9)
    read = pipeline.read_pipeline(PipelineFilters(), TODAY)
    assert read.currencies == ["EUR", "JPY"]
    # 2 × 1,200.00 in EUR; in JPY 198,000 and one without a price
    assert dict(read.total.values) == {"EUR": 240_000, "JPY": 198_000}
    assert (read.total.dongles, read.total.unpriced) == (3, 1)


def test_another_segment_without_a_price_list_has_no_value(catalogue):
    make("1", world.make_customer(segment="academic"), 10)
    (row,) = rows_of()
    assert (row.value, row.currency) == (None, "EUR")


def test_a_row_says_families_seats_missed_majors_and_the_newest_quote(japan):
    world.make_release("8.0", str(on(-300)))
    world.make_release("9.0", str(on(-30)))
    dongle = make("1", japan, -400, -100, kind=Dongle.Kind.LICENCE_SERVER)
    dongle.licences.update(seats=10)
    world.draft(dongle, str(TODAY))
    version = world.send(dongle, str(on(-40)))
    (row,) = rows_of()
    assert (row.families, row.licences, row.seats, row.value) == (["Volocity"], 2, 20, 3_960_000)
    assert [release.version for release in row.missed] == ["8.0", "9.0"]
    assert (row.through, row.country, row.owner) == (on(-100), "JP", "Sales")
    assert (row.quote.quote_id, row.quote_state) == (version.quote_id, "expired")


def test_filters_hold_for_summary_and_rows_and_a_bucket_for_the_rows_alone(customer, japan):
    make("1", customer, 10)
    make("2", customer, 10, product="OPL-FUL")
    make("3", japan, -5)
    sales = User.objects.get()
    openlab = Product.objects.get(code="OPL-FUL").family_id
    for asked, serials in (
        ({"family": openlab}, ["2"]),
        ({"country": "JP"}, ["3"]),
        ({"currency": "EUR"}, ["1", "2"]),
        ({"owner": sales.pk}, ["3"]),
        ({"owner": NOBODY}, ["1", "2"]),
    ):
        read = pipeline.read_pipeline(PipelineFilters(**asked), TODAY)
        assert [row["serial"] for row in read.rows] == serials
        assert read.total.dongles == read.chosen == len(serials)
    read = pipeline.read_pipeline(PipelineFilters(bucket="lapsed"), TODAY)
    assert ([row["serial"] for row in read.rows], read.chosen, read.total.dongles) == (["3"], 1, 3)


def test_a_family_filters_dongles_not_their_value(customer):
    dongle = make("1", customer, 10, kind=Dongle.Kind.LICENCE_SERVER)
    licence = Licence.objects.create(
        dongle=dongle, product=Product.objects.get(code="OPL-FUL"), acquired_on=world.DAY_ONE, seats=1
    )
    SmaPeriod.objects.create(licence=licence, starts_on=world.DAY_ONE, ends_on=on(10), source="record")
    (row,) = rows_of(family=licence.product.family_id)
    assert row.value == 270_000  # 1,200.00 + 1,500.00


def test_rows_come_in_pages_that_miss_and_repeat_none(customer):
    for number in range(7):
        make(f"S{number}", customer, number)
    pages = [pipeline.read_pipeline(PipelineFilters(), TODAY, limit=3, offset=offset).rows for offset in (0, 3, 6)]
    assert [row["serial"] for page in pages for row in page] == [f"S{number}" for number in range(7)]


def test_reading_takes_as_many_queries_for_one_dongle_as_for_thirty(customer):
    def count():
        with CaptureQueriesContext(connection) as asked:
            rows_of()
        return len(asked)

    make("1", customer, 10)
    one = count()
    for number in range(29):
        make(f"M{number}", customer, -number)
    assert count() == one == 6

"""The pipeline: every dongle whose SMA ends or ended in one bucket, which add up; the same as a page, CSV and XLSX.

A year of VOL-VIS costs 1,200.00, of VOL-QNT 900.00, of OPL-FUL 1,500.00.
"""

import csv
import io
import random
from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from dongles import coverage
from dongles.models import Dongle, Licence, SmaPeriod
from dongles.queries import coverage_of, licences_of, published_releases
from portal.models import User
from renewals.models import PolicySettings, PriceListEntry
from renewals.overviews import pipeline
from renewals.overviews.buckets import NAMES
from renewals.overviews.pipeline import PipelineFilters
from renewals.services import quotes
from tests import world
from tests.web.reading import text_of

PAGE = "renewals:pipeline"


@pytest.fixture
def customer(catalogue):
    return world.make_customer()


def make(serial, customer, today, *ends, product="VOL-VIS", **fields):
    """A dongle with a licence for each number of days from today to the end of its coverage."""
    licences = [(product, (today + timedelta(days=days)).isoformat()) for days in ends]
    return world.make_dongle(serial, customer, licences=licences, **fields)


def bucket_of(dongle, today):
    """The bucket in which the pipeline has a dongle; none where it is not in it."""
    read = pipeline.read_pipeline(PipelineFilters(), today)
    found = [row.bucket.key for row in pipeline.finish_rows(read) if row.serial == dongle.serial]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "due_30"), (30, "due_30"), (31, "due_60"), (60, "due_60"), (61, "due_90"), (90, "due_90"), (91, None),
     (-1, "lapsed"), (-364, "lapsed"), (-365, "lost"), (-366, "lost")],
)  # fmt: skip
def test_what_is_due_or_has_lapsed_is_by_the_day(customer, today, days, bucket):
    # 365 days before 25 Nov 2026 is 25 Nov 2025: covered through that day it has lapsed for a year
    if days in (-364, -365) and (today + timedelta(days=365)).day != today.day:
        pytest.skip("A leap day lies between.")
    assert bucket_of(make("1", customer, today, days), today) == bucket


def test_a_dongle_is_due_by_the_latest_day_of_its_licences_and_lapsed_when_all_have(customer, today):
    assert bucket_of(make("1", customer, today, -40, 20), today) == "due_30"
    assert bucket_of(make("2", customer, today, -40, -90), today) == "lapsed"
    assert bucket_of(make("3", customer, today, -40, 200), today) is None


def test_days_of_grace_are_due_not_lapsed_c4(customer, today):
    PolicySettings.objects.update(grace_days=10)
    assert bucket_of(make("1", customer, today, -10), today) == "due_30"
    assert bucket_of(make("2", customer, today, -11), today) == "lapsed"


def test_a_missed_major_stays_an_opportunity_however_long_ago_c5(customer, today):
    world.make_release("9.0", (today - timedelta(days=500)).isoformat())
    assert bucket_of(make("1", customer, today, -800), today) == "lapsed_over_major"
    assert bucket_of(make("2", customer, today, -400), today) == "lost"  # after the release, a year ago
    assert bucket_of(make("3", customer, today, -501), today) == "lapsed_over_major"
    assert bucket_of(make("4", customer, today, -500), today) == "lost"  # covered on the day of the release


def test_who_came_back_after_a_gap_within_a_year_was_won_back(customer, today):
    back = make("1", customer, today, -100)
    licence = back.licences.get()
    SmaPeriod.objects.create(
        licence=licence, starts_on=today - timedelta(days=50), ends_on=today + timedelta(days=315), source="record"
    )
    assert bucket_of(back, today) == "won_back"
    renewed = make("2", customer, today, -100)
    SmaPeriod.objects.create(
        licence=renewed.licences.get(),
        starts_on=today - timedelta(days=99),
        ends_on=today + timedelta(days=265),
        source="record",
    )
    assert bucket_of(renewed, today) is None  # back to back: no gap


def test_who_declined_after_the_end_or_has_no_dongle_any_more_is_lost(customer, today):
    declined = make("1", customer, today, -30)
    version = world.send(declined, today)
    quotes.decline_quote(version=version, reason="No budget", actor=world.SALES, at=world.at(today))
    assert bucket_of(declined, today) == "lost"
    assert bucket_of(make("2", customer, today, -30, state=Dongle.State.RETIRED), today) == "lost"


def test_dongles_without_owner_or_licence_are_not_considered(customer, today):
    orphan = make("1", customer, today, 10)
    orphan.customer = None
    orphan.save()
    assert bucket_of(orphan, today) is None
    withdrawn = make("2", customer, today, 10)
    withdrawn.licences.update(withdrawn_on=today, withdrawal_reason="Sold")
    assert bucket_of(withdrawn, today) is None


def slow_bucket(dongle, licences, majors, today):
    """A second, straightforward reading of the definitions, for dongles without quotes."""
    covered = [coverage_of(licence) for licence in licences]
    if not covered or dongle.customer is None:
        return None
    through = coverage.paid_through(covered, today, 0)
    latest = max(map(coverage.covered_through, covered))
    has_missed = any(coverage.missed_majors(each, majors, today, 0) for each in covered)
    came_back = any(
        period.starts_on > today - timedelta(days=366)
        and coverage.is_valid_on(each.periods, today)
        and any(other.ends_on < period.starts_on - timedelta(days=1) for other in each.periods)
        and not any(other.ends_on == period.starts_on - timedelta(days=1) for other in each.periods)
        and period.starts_on <= today
        for each in covered
        for period in each.periods
    )
    in_pipeline = through is None or (through - today).days <= 90 or came_back
    if not in_pipeline:
        return None
    if dongle.state != Dongle.State.ACTIVE:
        return "lost"
    if through is None:
        if has_missed:
            return "lapsed_over_major"
        return "lost" if (today - latest).days >= 365 else "lapsed"
    days = (through - today).days
    return next((f"due_{limit}" for limit in (30, 60, 90) if days <= limit), "won_back")


@pytest.mark.parametrize("seed", range(4))
def test_the_buckets_add_up_to_the_total_and_are_as_read_by_hand(customer, today, seed):
    rng = random.Random(seed)
    for version, days in (("8.0", 700), ("9.0", 300), ("10.0", 40)):
        world.make_release(version, (today - timedelta(days=days)).isoformat())
    for number in range(60):
        ends = [rng.randint(-900, 150) for _ in range(rng.randint(1, 3))]
        state = rng.choice(["active"] * 5 + ["lost"])
        dongle = make(f"{number}", customer, today, *ends, product=rng.choice(["VOL-VIS", "OPL-FUL"]), state=state)
        if rng.random() < 0.4:
            licence, gap = dongle.licences.first(), rng.randint(1, 300)
            start = licence.periods.get().ends_on + timedelta(days=gap)
            end = start + timedelta(days=rng.randint(0, 700))
            SmaPeriod.objects.create(licence=licence, starts_on=start, ends_on=end, source="record")
    majors = published_releases({"Volocity", "Openlab"}, majors_only=True)
    expected = Counter(
        bucket
        for dongle in Dongle.objects.select_related("customer")
        if (bucket := slow_bucket(dongle, list(licences_of([dongle])), majors, today))
    )
    read = pipeline.read_pipeline(PipelineFilters(), today)
    counted = {bucket.key: figures.dongles for bucket, figures in read.figures if figures.dongles}
    assert counted == dict(expected)
    assert sum(counted.values()) == read.total.dongles == len(read.rows)
    for index, (_, total) in enumerate(read.total.values):
        assert total == sum(figures.values[index][1] or 0 for _, figures in read.figures)


def test_values_are_a_year_of_sma_at_todays_list_by_bucket_and_currency(customer, today):
    first = make("1", customer, today, 10, 10)  # 2 × 1,200.00
    licence = first.licences.first()
    licence.seats = 3  # 3 × 1,200.00 + 1,200.00
    licence.save()
    make("2", customer, today, 40, product="OPL-FUL")  # 1,500.00
    read = pipeline.read_pipeline(PipelineFilters(), today)
    values = {bucket.key: dict(figures.values)["EUR"] for bucket, figures in read.figures}
    assert (values["due_30"], values["due_60"], values["due_90"]) == (480_000, 150_000, None)
    assert dict(read.total.values) == {"EUR": 630_000}


def test_what_has_no_price_is_counted_apart(customer, today):
    make("1", customer, today, 10)
    PriceListEntry.objects.filter(product__code="VOL-VIS").delete()
    read = pipeline.read_pipeline(PipelineFilters(), today)
    assert (read.total.dongles, read.total.unpriced) == (1, 1)


@pytest.fixture
def three(customer, today, sales):
    """Three dongles: two in Germany, one of them looked after by the seller, one Openlab in France."""
    customer.owner = User.objects.get(role="sales")
    customer.save()
    make("101", customer, today, 10)
    make("102", world.make_customer("Autre", country="FR"), today, 20, product="OPL-FUL")
    make("103", world.make_customer("=HYPERLINK(0)"), today, -5)


@pytest.mark.parametrize(
    ("asked", "serials"),
    [
        ({}, ["101", "102", "103"]),
        ({"bucket": "lapsed"}, ["103"]),
        ({"family": "Openlab"}, ["102"]),
        ({"country": "FR"}, ["102"]),
        ({"owner": "me"}, ["101"]),
        ({"owner": "nobody"}, ["102", "103"]),
        ({"country": "DE", "bucket": "due_30"}, ["101"]),
        ({"sort": "-serial"}, ["103", "102", "101"]),
        ({"sort": "value"}, ["101", "103", "102"]),
    ],
)
def test_filters_and_order_hold_for_page_csv_and_xlsx_alike(three, sales, asked, serials):
    page = sales.get(reverse(PAGE), asked).content.decode()
    shown = sorted(serials, key=lambda each: page.find(f"/dongles/{each}/"))
    assert shown == serials
    assert all((f"/dongles/{serial}/" in page) == (serial in serials) for serial in ("101", "102", "103"))
    answer = sales.get(reverse("renewals:pipeline_csv"), asked)
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == serials
    sheet = load_workbook(io.BytesIO(sales.get(reverse("renewals:pipeline_xlsx"), asked).content)).worksheets[0]
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == serials


def test_files_hold_dates_and_amounts_to_reckon_with_and_no_formulas(three, sales, today):
    sheet = load_workbook(io.BytesIO(sales.get(reverse("renewals:pipeline_xlsx")).content)).worksheets[0]
    rows = {row[1].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=2)}
    assert rows["101"][9].date() == today + timedelta(days=10)
    assert (rows["101"][11], rows["101"][12]) == (1200, "EUR")
    assert rows["103"][3] == "=HYPERLINK(0)"
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    text = b"".join(sales.get(reverse("renewals:pipeline_csv")).streaming_content).decode("utf-8-sig")
    found = {row[1]: row for row in csv.reader(io.StringIO(text))}
    assert found["103"][3] == "'=HYPERLINK(0)"
    assert found["101"][9:13] == [(today + timedelta(days=10)).isoformat(), "", "1200.00", "EUR"]


@pytest.mark.parametrize("asked", [{"bucket": "x"}, {"owner": "99999"}, {"family": "'"}, {"sort": "; drop"}])
def test_a_filter_that_is_none_is_said_and_filters_nothing(three, sales, asked):
    answer = sales.get(reverse(PAGE), asked)
    assert answer.status_code == 422
    assert "101" in text_of(answer)
    assert sales.get(reverse("renewals:pipeline_csv"), asked).status_code == 302


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "2"])
def test_pages_that_are_none_show_one_that_is(three, sales, page):
    assert "101" in text_of(sales.get(reverse(PAGE), {"page": page}))


def test_each_bucket_is_shown_with_its_definition_and_the_empty_pipeline_says_so(customer, sales):
    page = text_of(sales.get(reverse(PAGE)))
    assert all(name in page for name in NAMES.values())
    assert "How this is counted" in page


def test_the_page_asks_the_same_for_one_dongle_as_for_forty(customer, sales, today, django_assert_max_num_queries):
    make("1", customer, today, 10)
    sales.get(reverse(PAGE))
    for number in range(40):
        make(f"9{number:03}", customer, today, number)
    with django_assert_max_num_queries(14):
        sales.get(reverse(PAGE))
    assert Licence.objects.count() == 41

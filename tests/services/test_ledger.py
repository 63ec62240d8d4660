"""The ledger's formula and its sums (F1, F2): SQL and Python say the same; each segment is in the sums exactly once."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import outbox
from renewals.calendar import following, last_day
from renewals.digests import in_month
from renewals.invariants import ledger as ledger_invariant
from renewals.models import BookingFigures, MonthFigures, OrderLine, RevenueSegment, UnsummarisedSegment
from renewals.month_sums import places_by_formula, sums_by_formula, sums_by_rules
from renewals.monthly import figures_of_segments
from renewals.recognition import (
    Segment,
    concession,
    earned_through,
    months_of,
    recognised_through,
    take_back,
    take_back_whole,
)
from renewals.services.summaries import rebuild_summaries, summarise_all
from tests import world

pytestmark = pytest.mark.django_db
DAY = "2026-02-01"
days = st.dates(date(2001, 1, 1), date(2040, 12, 31))
amounts = st.integers(-(10**12), 10**12)


@st.composite
def segments(draw):
    """What a sale, a cancellation, an annulment or a concession books."""
    starts_on = draw(days)
    ends_on = starts_on + timedelta(days=draw(st.integers(0, 1500)))
    amount = draw(amounts.filter(bool))
    segment = draw(st.sampled_from([Segment.daily(amount, starts_on, ends_on), Segment.at_once(amount, starts_on)]))
    from_on = starts_on + timedelta(days=draw(st.integers(0, 1500)))
    return draw(st.sampled_from([segment, take_back(segment, from_on) or segment, take_back_whole(segment)]))


@st.composite
def cases(draw):
    """Fifty segments, each with a day near it and a month of booking near it."""
    found = []
    for segment in draw(st.lists(segments(), min_size=50, max_size=50)):
        length = (segment.ends_on - segment.basis_starts_on).days
        day = segment.basis_starts_on + timedelta(days=draw(st.integers(-40, length + 40)))
        found.append((segment, day))
    return found


def asked(statement, columns):
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)
        return cursor.fetchall()


@settings(max_examples=8, deadline=None)
@given(cases())
def test_sql_earns_as_the_rules_do_f2(found):
    rows = [(s.basis_amount, s.basis_starts_on, s.starts_on, s.ends_on, day) for s, day in found]
    assert asked(
        "SELECT earned_through(amount, begins, ends, day), recognised_through(amount, begins, starts, ends, day)"
        " FROM unnest(%s::bigint[], %s::date[], %s::date[], %s::date[], %s::date[])"
        " WITH ORDINALITY AS of (amount, begins, starts, ends, day, place) ORDER BY place",
        [list(column) for column in zip(*rows, strict=True)],
    ) == [
        (earned_through(s.basis_amount, s.basis_starts_on, s.ends_on, day), recognised_through(s, day))
        for s, day in found
    ]


OF_COLUMNS = """(
    SELECT id, 1::bigint AS product_id, 'DE' AS country, 'commercial' AS customer_segment, 'EUR' AS currency,
        booked_month,
        CASE WHEN amount > 0 THEN 'sale' ELSE 'cancellation' END AS reason, amount, starts_on, ends_on, basis_amount,
        basis_starts_on, annual_amount
    FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::date[], %s::date[], %s::bigint[], %s::date[], %s::bigint[])
        AS of (id, booked_month, amount, starts_on, ends_on, basis_amount, basis_starts_on, annual_amount)
) segment"""
FIGURES = ("booked", "credited", "recognised", "caught_up", "current", "annual")


def figures_by_rules(segment, booked_month, annual):
    """Month → figures, by the months of the rules; what lies before the booking is caught up in its month."""
    by_date = dict(months_of(segment))
    last = max(booked_month, segment.ends_on.replace(day=1))
    month, found = min(booked_month, segment.starts_on.replace(day=1)), {}
    while month <= last:
        is_new = month == booked_month
        a_year = [each for each in by_date if month < each <= month.replace(year=month.year + 1)]
        found[month] = (
            segment.amount if is_new and segment.amount > 0 else 0,
            segment.amount if is_new and segment.amount < 0 else 0,
            by_date.get(month, 0) if month >= booked_month else 0,
            sum(amount for each, amount in by_date.items() if each < month) if is_new else 0,
            sum(by_date[each] for each in a_year) if month >= booked_month else 0,
            annual if segment.starts_on <= last_day(month) <= segment.ends_on else 0,
        )
        month = following(month)
    return found


@settings(max_examples=6, deadline=None)
@given(cases())
def test_the_formula_of_months_is_that_of_the_rules_f1(found):
    rows = [
        (at, day.replace(day=1), s.amount, s.starts_on, s.ends_on, s.basis_amount, s.basis_starts_on, at * 100)
        for at, (s, day) in enumerate(found, 1)
    ]
    statement = f"SELECT segment_id, month, {', '.join(FIGURES)} FROM ({figures_of_segments(OF_COLUMNS)}) figures"
    by_formula = {}
    for at, month, *figures in asked(statement, [list(column) for column in zip(*rows, strict=True)]):
        by_formula.setdefault(at, {})[month] = tuple(figures)
    for at, (segment, day) in enumerate(found, 1):
        assert by_formula[at] == figures_by_rules(segment, day.replace(day=1), at * 100), (segment, day)


@given(segments(), days)
def test_a_segment_in_a_month_is_tied_and_its_months_sum_up_to_it_f1(segment, booked_on):
    booked = booked_on.replace(day=1)
    month, recognised, deferred = booked, 0, 0
    while month <= max(segment.ends_on, booked):
        found = in_month(segment, booked, segment.amount > 0, month)
        assert found.opening + found.booked + found.credited - found.recognised - found.caught_up == found.closing
        assert found.opening == deferred
        recognised, deferred, month = (
            recognised + found.recognised + found.caught_up,
            found.closing,
            following(month),
        )
    assert (recognised, deferred) == (segment.amount, 0)
    assert in_month(segment, following(booked), True, booked) == (0,) * 7


def test_a_concession_s_past_share_falls_into_the_month_of_the_credit_f4():
    # 1,200.00 for the year 2026, of which 365.00 are credited in April: a day is 1.00. 90 days have passed by 31 Mar.
    credit = concession(Segment.daily(120_000, date(2026, 1, 1), date(2026, 12, 31)), 36_500)
    found = in_month(credit, date(2026, 4, 1), False, date(2026, 4, 1))
    assert (found.credited, found.caught_up, found.recognised, found.closing) == (-36_500, -9_000, -3_000, -24_500)


# The sums


@pytest.fixture
def line(dongle):
    """A line whose segment waits to be added, beside that of another."""
    world.sell(dongle, DAY)
    return OrderLine.objects.order_by("pk").first()


def book(line, number, seed=1):
    """So many segments of all kinds, at random, as bookings write them."""
    chance = random.Random(seed)
    like = line.segments.order_by("pk")[0]
    rows = []
    for _ in range(number):
        starts_on = date(2026, 1, 1) + timedelta(days=chance.randint(0, 500))
        segment = Segment.daily(chance.randint(1, 10**6), starts_on, starts_on + timedelta(days=chance.randint(0, 800)))
        is_sale = chance.random() < 0.7
        month = date(2026, chance.randint(1, 12), 1)
        rows.append(
            RevenueSegment(
                order_line=line,
                customer_id=like.customer_id,
                product_id=like.product_id,
                country=chance.choice(["DE", "FR"]),
                customer_segment="commercial",
                currency="EUR",
                annual_amount=segment.amount,
                booked_month=month,
                reason="sale" if is_sale else "concession",
                **(segment if is_sale else take_back_whole(segment))._asdict(),
            )
        )
    return RevenueSegment.objects.bulk_create(rows)


def findings():
    return [str(each) for batch in ledger_invariant.check(timezone.now()) for each in batch.findings]


def sums():
    keys = ("product_id", "country", "customer_segment", "currency", "month")
    return (
        sorted(MonthFigures.objects.values_list(*keys, *FIGURES)),
        sorted(BookingFigures.objects.values_list(*keys, "booked_month", "recognised", "caught_up")),
    )


def test_every_booking_waits_for_the_sums_until_it_is_added(line):
    assert UnsummarisedSegment.objects.count() == 2
    assert summarise_all() == 2
    assert not UnsummarisedSegment.objects.exists()
    february = MonthFigures.objects.filter(month=date(2026, 2, 1))
    assert sorted(february.values_list("booked", "recognised")) == [(90_000, 0), (120_000, 0)]


def test_the_outbox_has_what_was_booked_added(line):
    outbox.drain()
    assert not UnsummarisedSegment.objects.exists()
    assert MonthFigures.objects.exists()


def test_sums_rebuilt_are_those_that_were_added_up_bit_by_bit(line):
    for seed in range(3):
        book(line, 20, seed)
        summarise_all(batch=7)
    added = sums()
    assert rebuild_summaries() == 62
    by_now = sums()
    # What was added and taken off again may leave a cell of zeros; here nothing is ever taken off.
    assert by_now == added
    assert findings() == []


def test_a_month_is_the_same_by_the_formula_by_the_rules_and_in_the_sums(line):
    book(line, 60)
    summarise_all()
    for month in (date(2026, 1, 1), date(2026, 7, 1), date(2027, 2, 1)):
        formula, rules = sums_by_formula(month), sums_by_rules(month, 2**62)
        assert (formula.sha256, formula.segments, formula.places) == (rules.sha256, rules.segments, rules.places)
        assert places_by_formula(month) == (formula.places, formula.segments)
        held = {
            tuple(row[:4]): row[4:]
            for row in MonthFigures.objects.filter(month=month).values_list(
                "product_id", "country", "customer_segment", "currency", *FIGURES[:5]
            )
        }
        assert {place: (*each.flows, each.current) for place, each in formula.places.items()} == {
            place: held[place] for place in formula.places
        }


class Dies:
    """Whoever adds is killed once it has taken segments from the queue, before it commits."""

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "renewals_unsummarisedsegment" in sql and "INSERT INTO renewals_monthfigures" in sql:
            raise SystemExit
        return result


def test_who_dies_while_adding_has_added_nothing(line):
    book(line, 10)
    with pytest.raises(SystemExit), connection.execute_wrapper(Dies()):
        summarise_all()
    assert UnsummarisedSegment.objects.count() == 12
    assert not MonthFigures.objects.exists()
    assert summarise_all() == 12
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_two_who_add_at_once_add_each_segment_once():
    world.make_catalogue()
    world.sell(world.make_dongle(), DAY)
    book(OrderLine.objects.order_by("pk").first(), 60)

    def add(_):
        try:
            return summarise_all(batch=4)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        added = list(pool.map(add, range(2)))
    assert sum(added) == 62
    assert findings() == []

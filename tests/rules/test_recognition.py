"""Money in time: rules F1–F4."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.recognition import (
    Segment,
    annual_value,
    booked_month,
    concession,
    earned_through,
    months_of,
    recognised_through,
    segments_of_sale,
    sma_share,
    take_back,
    take_back_whole,
)

VECTORS = [json.loads(line) for line in (Path(__file__).parent.parent / "vectors/recognition.jsonl").open()]

days = st.dates(date(2001, 1, 1), date(2040, 12, 31))


@st.composite
def daily_segments(draw):
    starts_on = draw(days)
    ends_on = starts_on + timedelta(days=draw(st.integers(0, 2000)))
    return Segment.daily(draw(st.integers(-(10**9), 10**9)), starts_on, ends_on)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['amount']} from {case['starts_on']}")
def test_months_are_as_in_the_vectors_f2(case):
    segment = Segment.daily(case["amount"], date.fromisoformat(case["starts_on"]), date.fromisoformat(case["ends_on"]))
    assert [[f"{month:%Y-%m}", amount] for month, amount in months_of(segment)] == case["months"]


def test_the_rulebooks_example_of_three_years_f2():
    # 1 Jul 2024 … 30 Jun 2027 are 1,095 days; by 31 Dec 2024 184 have passed: 297,000 × 184 / 1,095 = 49,906.8…
    segment = Segment.daily(297_000, date(2024, 7, 1), date(2027, 6, 30))
    by_year_end = recognised_through(segment, date(2024, 12, 31))
    assert by_year_end == 49_907
    assert segment.amount - by_year_end == 247_093
    # current: what the year 2025 earns, 297,000 × 549 / 1,095 − 49,907 = 148,906.8… − 49,907
    assert recognised_through(segment, date(2025, 12, 31)) - by_year_end == 99_000


def test_an_upgrades_sma_share_is_the_year_that_it_includes_f3():
    assert sma_share(240_000, 240_000, 12, 120_000, 1, None) == 120_000


def test_a_discount_falls_on_sma_and_upgrade_alike_f3():
    # 10 % off 2,400.00 leaves 2,160.00; the year's share stays a half
    assert sma_share(216_000, 240_000, 12, 120_000, 1, None) == 108_000


def test_the_sma_share_is_at_most_the_list_price_f3():
    assert sma_share(100_000, 100_000, 24, 120_000, 1, None) == 100_000


def test_a_stand_alone_price_divides_in_proportion_f3():
    # net 2,400.00, a year 1,200.00, the upgrade alone 1,800.00: 2,400 × 1,200 / 3,000 = 960.00
    assert sma_share(240_000, 240_000, 12, 120_000, 1, 180_000) == 96_000


def test_a_free_upgrade_has_no_sma_share_f3():
    assert sma_share(0, 0, 12, 0, 1, None) == 0


def test_a_line_with_included_sma_is_earned_in_two_ways_f3():
    period = (date(2026, 9, 15), date(2027, 9, 14))
    assert segments_of_sale(240_000, 120_000, period, date(2026, 9, 15)) == [
        Segment.daily(120_000, *period),
        Segment.at_once(120_000, date(2026, 9, 15)),
    ]


def test_fees_are_earned_at_fulfilment_f4():
    assert segments_of_sale(5_000, 0, None, date(2026, 9, 15)) == [Segment.at_once(5_000, date(2026, 9, 15))]


def test_a_free_line_has_no_segment():
    assert segments_of_sale(0, 0, (date(2026, 9, 15), date(2027, 9, 14)), date(2026, 9, 15)) == []


@given(daily_segments())
def test_the_months_sum_to_the_amount_f1(segment):
    assert sum(amount for _, amount in months_of(segment)) == segment.amount


@given(daily_segments())
def test_a_credit_mirrors_its_invoice_f2(segment):
    assert months_of(take_back_whole(segment)) == [(month, -amount) for month, amount in months_of(segment)]


@given(daily_segments(), st.integers(-10, 2010))
def test_a_cancellation_undoes_every_day_from_the_day_on_and_none_before_f4(segment, offset):
    from_on = segment.starts_on + timedelta(days=offset)
    undone = take_back(segment, from_on)
    kept = recognised_through(segment, from_on - timedelta(days=1))
    for day in (from_on - timedelta(days=1), from_on, from_on + timedelta(days=40), segment.ends_on):
        both = recognised_through(segment, day) + (recognised_through(undone, day) if undone else 0)
        assert both == (kept if day >= from_on else recognised_through(segment, day))


@given(daily_segments(), st.integers(0, 2000))
def test_a_cancellations_amount_is_what_its_months_sum_to_f1(segment, offset):
    undone = take_back(segment, segment.starts_on + timedelta(days=offset))
    if undone:
        assert sum(amount for _, amount in months_of(undone)) == undone.amount


def test_what_was_earned_at_once_is_not_reached_by_a_cancellation_f4():
    assert take_back(Segment.at_once(120_000, date(2026, 9, 15)), date(2026, 9, 15)) is None


@given(st.integers(-(10**12), 10**12), days, st.integers(0, 2000), st.integers(-5, 2005))
def test_earning_never_passes_the_amount_f2(amount, starts_on, length, offset):
    earned = earned_through(amount, starts_on, starts_on + timedelta(days=length), starts_on + timedelta(days=offset))
    assert abs(earned) <= abs(amount)
    assert earned * amount >= 0


def test_the_annual_value_is_the_net_over_the_months_of_the_period_f5():
    # 2,970.00 for three years: 990.00 a year
    assert annual_value(297_000, date(2024, 7, 1), date(2027, 6, 30)) == 99_000
    # 816.13 for 15 Sep 2026 … 19 May 2027, 8 + 5/31 months: 816.13 × 12 ÷ (253/31) = 816.13 × 372 ÷ 253 = 1,199.998…
    assert annual_value(81_613, date(2026, 9, 15), date(2027, 5, 19)) == 120_000
    assert annual_value(-81_613, date(2026, 9, 15), date(2027, 5, 19)) == -120_000


def test_what_is_booked_belongs_to_the_month_of_its_date_at_the_latest_to_the_days_f1():
    november = date(2026, 11, 3)
    assert booked_month(date(2026, 10, 20), november, None) == date(2026, 10, 1)
    assert booked_month(date(2027, 4, 1), november, None) == date(2026, 11, 1)


def test_what_comes_late_is_booked_in_the_first_open_month_f1():
    november, closed = date(2026, 11, 3), date(2026, 10, 1)
    assert booked_month(date(2026, 3, 31), november, closed) == date(2026, 11, 1)
    assert booked_month(november, november, date(2026, 12, 1)) == date(2027, 1, 1)
    assert booked_month(date(2026, 10, 20), november, date(2026, 9, 1)) == date(2026, 10, 1)


def test_a_concession_is_spread_over_the_whole_period_f4():
    sold = Segment.daily(120_000, date(2026, 1, 1), date(2026, 12, 31))
    credit = concession(sold, 36_500)
    # 365.00 over 365 days: a day is 1.00, so 181 days through 30 June are 181.00
    assert recognised_through(credit, date(2026, 6, 30)) == -18_100
    assert recognised_through(credit, date(2026, 12, 31)) == -36_500

"""What a sold line gave away and what lapses cost. VOL-VIS: licence 6,000.00, SMA year 1,200.00, upgrade 2,400.00."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.terms import Months
from renewals import conceded
from renewals.conceded import CameBack, Fact, SoldLine
from renewals.pricing import Policy, Price

PRICE = Price(600_000, 120_000, 240_000)
YEAR = Months(12, 0, 0)


def line(**fields):
    """A year of SMA from 1 Apr 2026 at the list."""
    plain = {"kind": "sma_year", "seats": 1, "starts_on": date(2026, 4, 1), "months": YEAR, "net": 120_000}
    plain |= {"sma_net": 120_000, "discounts": (), "free_months": 0, "free_days": 0, "price": PRICE}
    return SoldLine(**plain | fields)


def back(**fields):
    return CameBack(**{"seats": 1, "covered_through": date(2025, 9, 14), "missed": 1, "price": PRICE} | fields)


def test_q1_free_days_are_worth_what_a_paid_day_of_the_line_was_sold_for():
    # 1,200.00 ÷ 365 days × 10 = 32.876… → 32.88
    assert conceded.given_away(line(free_days=10)) == [Fact("free_days", 10, 3_288)]
    # Of an upgrade its SMA alone is a matter of days: 1,200.00 of 2,400.00.
    assert conceded.worth_of_days(line(kind="upgrade", net=240_000, free_days=10)) == 3_288
    # 8 months and 5 of 31 days from 15 Sep 2026 are 247 days: 816.13 ÷ 247 × 10 = 33.04…
    part = line(starts_on=date(2026, 9, 15), months=Months(8, 5, 31), sma_net=81_613, free_days=10)
    assert conceded.worth_of_days(part) == 3_304


def test_q1_a_free_extension_is_worth_its_days_at_the_list():
    # 10 of the 31 days of the month from 1 Apr 2027… April has 30: 1,200.00 ÷ 12 × 10/30 = 33.33; two seats 66.67
    gift = line(kind="", starts_on=date(2027, 4, 1), months=Months(0, 0, 0), net=0, sma_net=0, seats=2, free_days=10)
    assert conceded.given_away(gift) == [Fact("free_days", 10, 6_667)]


def test_q3_free_months_are_worth_what_a_paid_month_of_the_line_was_sold_for():
    # A year for 1,080.00 after 10 % off: 2 months more are worth 180.00. The 10 % are told too.
    found = conceded.given_away(line(net=108_000, sma_net=108_000, free_months=2, discounts=(("negotiated", -12_000),)))
    assert found == [Fact("free_months", 2, 18_000), Fact("negotiated", 1, 12_000)]
    # 816.13 for 8 + 5/31 months: × 2 × 31 ÷ 253 = 200.00 (199.999…)
    assert conceded.worth_of_months(line(months=Months(8, 5, 31), sma_net=81_613, free_months=2)) == 20_000


def test_q3_free_months_of_a_licence_that_bought_nothing_are_worth_the_list():
    gift = line(kind="sma_part", months=Months(2, 0, 0), net=0, sma_net=0, free_months=2)
    assert conceded.given_away(gift) == [Fact("free_months", 2, 20_000)]
    # One that got 100 % off had a price of its own: nothing.
    off = line(net=0, sma_net=0, free_months=2, discounts=(("negotiated", -120_000),))
    assert conceded.given_away(off)[0] == Fact("free_months", 2, 0)


def test_p8_each_discount_is_told_by_itself():
    both = (("multi_year", -6_000), ("negotiated", -11_400))
    assert conceded.given_away(line(discounts=both)) == [Fact("multi_year", 1, 6_000), Fact("negotiated", 1, 11_400)]


@pytest.mark.parametrize(
    ("policy", "licence", "back_pay", "worth"),
    [
        (Policy(), back(), 0, 120_000),  # 2,400.00 less the year that it includes
        (Policy(upgrade_includes_months=0), back(), 0, 240_000),
        (Policy(missed_majors="each"), back(missed=2), 0, 360_000),  # 2 × 2,400.00 − 1,200.00
        (Policy(missed_majors="each"), back(missed=4), 0, 480_000),  # capped at the licence's 6,000.00
        (Policy(), back(seats=3), 0, 360_000),
        (Policy(back_pay=True), back(), 50_000, 70_000),  # back pay was paid in its stead
        (Policy(back_pay=True), back(), 130_000, 0),
    ],
)
def test_q3_a_waived_upgrade_is_worth_what_it_would_have_cost_beyond_what_was_paid(policy, licence, back_pay, worth):
    assert conceded.worth_of_waived_upgrade(policy, licence, back_pay) == worth


def test_p6_the_gap_is_worth_its_sma_by_months_and_days():
    # 15 Sep 2025 … 19 May 2026 is 8 + 5/31 months: 1,200.00 ÷ 12 × 253/31 = 816.129 → 816.13
    assert conceded.price_of_gap(Policy(), back(), date(2026, 5, 20)) == 81_613
    assert conceded.price_of_gap(Policy(part_month="whole"), back(), date(2026, 5, 20)) == 90_000
    assert conceded.price_of_gap(Policy(), back(seats=2), date(2026, 5, 20)) == 163_226
    assert conceded.price_of_gap(Policy(), back(), date(2025, 9, 15)) == 0


@given(st.integers(1, 400), st.integers(0, 10**7), st.integers(0, 11), st.integers(0, 27))
def test_q1_free_days_as_many_as_were_paid_for_are_worth_what_was_paid(days, net, whole, left):
    months = Months(whole, left, 28) if left else Months(whole + 1, 0, 0)
    sold = line(months=months, net=net, sma_net=net, starts_on=date(2026, 2, 1))
    paid = next(n for n in range(1, 500) if conceded.worth_of_days(sold._replace(free_days=n, sma_net=10**9)) >= 10**9)
    assert conceded.worth_of_days(sold._replace(free_days=paid)) == net
    assert conceded.worth_of_days(sold._replace(free_days=days)) >= 0

"""What renewals that are expected bring, month by month (F2, D1, D3)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.forecasting import Expected, Falling, Share, expected_renewals, if_all_renewed

NOV, DEC, JAN = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


def months_from(month, number):
    found = []
    for _ in range(number):
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found


def test_what_falls_due_is_earned_by_day_from_the_day_after_worked_by_hand():
    # 365.00 that ends on 20 Dec 2026 is renewed for 21 Dec 2026 – 20 Dec 2027, 365 days: 1.00 a day. December has 11
    # days of it, January 31. At a rate of 3/4: 8.25 and 23.25.
    falling = [Falling(date(2026, 12, 20), 36_500)]
    found = expected_renewals(falling, Share(3, 4), [NOV, DEC, JAN])
    assert found == [Expected(0, 0), Expected(825, 1_100), Expected(2_325, 3_100)]


def test_amounts_that_end_on_different_days_add_up():
    # 365.00 due on 30 Nov is renewed from 1 Dec on: 31 days of December; 730.00 due on 30 Dec: one day, 2.00, of it
    falling = [Falling(date(2026, 11, 30), 36_500), Falling(date(2026, 12, 30), 73_000)]
    assert expected_renewals(falling, Share(1, 2), [DEC]) == [Expected(1_650, 3_300)]


def test_what_was_renewed_falls_due_again_a_year_later_and_the_rate_counts_twice():
    # 365.00 due on 31 Oct 2026: the first renewal is 1 Nov 2026 – 31 Oct 2027, the second from 1 Nov 2027 on; it has
    # 366 days, since 29 Feb 2028 is one: 365.00 × 30/366 = 29.92 in November 2027. At 1/2: 15.00, then 7.48
    falling = [Falling(date(2026, 10, 31), 36_500)]
    found = expected_renewals(falling, Share(1, 2), months_from(NOV, 13))
    assert (found[0], found[12]) == (Expected(1_500, 3_000), Expected(748, 2_992))


def test_without_a_rate_nothing_is_expected():
    assert expected_renewals([Falling(date(2026, 11, 30), 36_500)], None, [DEC]) == [Expected(0, 3_100)]


@pytest.mark.parametrize("months", [[], [NOV]])
def test_what_begins_after_the_months_is_not_in_them(months):
    assert expected_renewals([Falling(date(2026, 11, 30), 36_500)], Share(1, 1), months) == [Expected(0, 0)] * len(
        months
    )


falling_days = st.builds(
    Falling, st.dates(date(2026, 11, 1), date(2028, 3, 1)), st.integers(min_value=0, max_value=10**9)
)
shares = st.integers(1, 10**6).flatmap(lambda due: st.builds(Share, st.integers(0, due), st.just(due)))


@given(st.lists(falling_days, max_size=5), shares)
def test_expected_lies_between_nothing_and_all(falling, share):
    for each in expected_renewals(falling, share, months_from(NOV, 30)):
        assert 0 <= each.by_rate <= each.if_all


@given(falling_days)
def test_a_renewal_is_earned_whole_by_the_end_of_its_year(falling):
    first = if_all_renewed([falling], months_from(NOV, 40))[0]
    assert sum(first) == falling.value


@given(st.lists(falling_days, max_size=5))
def test_if_all_is_renewed_the_rate_is_one(falling):
    for each in expected_renewals(falling, Share(7, 7), months_from(NOV, 30)):
        assert each.by_rate == each.if_all

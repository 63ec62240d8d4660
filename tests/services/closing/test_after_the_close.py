"""What is booked after a close, in the months and as known today; what the list of months says."""

from datetime import date

import pytest

from renewals.models import LedgerEntry, RevenueSegment
from renewals.overviews.finance.changes import known_today
from renewals.overviews.finance.months import month_list, month_overview, prove_close, totals_of_close
from renewals.services.summaries import summarise_all
from tests.services.closing.months import APRIL, FEBRUARY, MARCH, MAY, cancel, close, close_through, reopen

pytestmark = pytest.mark.django_db


def test_a_cancellation_after_the_close_is_credited_in_the_first_open_month_with_catch_up_f1_f4(order):
    closed = close_through(APRIL)[-1]
    cancel(order, "2026-05-06")
    assert set(RevenueSegment.objects.filter(reason="cancellation").values_list("booked_month", flat=True)) == {MAY}
    assert close(MAY).totals == {
        "EUR": {
            # −115,068 − 86,301 are credited, −4,931 − 3,698 of which belong to April.
            "opening": 192_740,
            "booked": 0,
            "credited": -201_369,
            "recognised": 0,
            "caught_up": -8_629,
            "closing": 0,
            "current": 0,
        }
    }
    assert prove_close(closed).is_equal
    assert LedgerEntry.objects.filter(close__month=MAY, kind="recognised").count() == 0


def test_as_reported_and_as_known_today_differ_by_what_was_booked_since_line_by_line_f1(order):
    closed = close_through(APRIL)[-1]
    cancel(order, "2026-05-06")
    (euros,) = known_today(APRIL, totals_of_close(closed))
    # Known today, fifteen days were earned: 4,932 + 3,699.
    assert (euros.reported, euros.later, euros.known, euros.more) == (17_260, -8_629, 8_631, 0)
    lines = [(line.amount, line.booking.segment.product.code) for line in euros.lines]
    assert lines == [(-4_931, "VOL-VIS"), (-3_698, "VOL-QNT")]
    assert {(line.booking.who, line.booking.why) for line in euros.lines} == {("Sally Sales", "Budget cut")}


def test_what_was_caught_up_in_a_month_is_reported_in_it_and_known_where_it_belongs(order):
    close_through(APRIL)
    cancel(order, "2026-05-06")
    (euros,) = known_today(MAY, totals_of_close(close(MAY)))
    assert (euros.reported, euros.caught_up, euros.known) == (-8_629, -8_629, 0)


def test_lines_that_are_not_listed_are_in_the_sum(order):
    closed = close_through(APRIL)[-1]
    cancel(order, "2026-05-06")
    (euros,) = known_today(APRIL, totals_of_close(closed), shown=1)
    assert (len(euros.lines), euros.more, euros.later) == (1, 1, -8_629)


def test_the_list_says_of_each_month_how_it_stands_and_what_it_came_to(order, people):
    summarise_all()
    first = close_through(APRIL)[-1]
    reopen(first, people)
    months = month_list(date(2026, 6, 15))
    assert [(row.month, row.state) for row in months.rows] == [
        *(
            (date(2026, 6, 1), "running"),
            (MAY, "waiting"),
            (APRIL, "reopened"),
            (MARCH, "closed"),
            (FEBRUARY, "closed"),
        ),
    ]
    assert (months.next_month, months.next_is_over) == (APRIL, True)
    # By 31 May 61 days are earned: 20,055 + 15,041 of 210,000.
    assert [row.totals["EUR"].closing for row in months.rows[1:]] == [174_904, 192_740, 210_000, 210_000]


def test_a_month_s_page_knows_whether_it_may_be_opened_again(order):
    close_through(MARCH)
    assert month_overview(MARCH, date(2026, 6, 1)).may_reopen
    assert not month_overview(FEBRUARY, date(2026, 6, 1)).may_reopen
    assert month_overview(APRIL, date(2026, 6, 1)).checklist is not None

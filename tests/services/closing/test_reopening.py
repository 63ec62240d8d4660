"""Opening a month again takes two (F1); what changed between two closes."""

import pytest

from portal.audit import Actor
from renewals.models import AccountingMonth, LedgerEntry
from renewals.overviews.finance.changes import changes_of
from renewals.overviews.finance.months import prove_close
from renewals.services.closing import ask_reopening, decide_reopening
from tests import world
from tests.services.closing.months import APRIL, FEBRUARY, MARCH, cancel, close, close_through, refused, reopen

pytestmark = pytest.mark.django_db


def test_a_month_is_opened_by_two_and_closed_anew_with_what_came_late(order, people):
    first = close_through(APRIL, "2026-05-02")[-1]
    reopen(first, people)
    cancel(order, "2026-05-06")
    second = close(APRIL, "2026-05-07")
    assert second.revision == 2
    assert second.totals["EUR"] == {
        # 210,000 − 201,369 − 8,631: nothing is left.
        "opening": 210_000,
        "booked": 0,
        "credited": -201_369,
        "recognised": 8_631,
        "caught_up": 0,
        "closing": 0,
        "current": 0,
    }
    assert prove_close(first).is_equal
    assert prove_close(second).is_equal
    posted = LedgerEntry.objects.filter(close=second).values_list("number", "kind", "product__code", "amount")
    assert list(posted) == [
        (5, "credited", "VOL-VIS", -115_068),
        (6, "credited", "VOL-QNT", -86_301),
        (7, "recognised", "VOL-VIS", -4_931),
        (8, "recognised", "VOL-QNT", -3_698),
    ]


def test_what_changed_between_two_closes_is_told_line_by_line_and_sums_up_to_the_difference(order, people):
    first = close_through(APRIL, "2026-05-02")[-1]
    reopen(first, people)
    cancel(order, "2026-05-06")
    (until_now,) = changes_of([first], is_open=True)
    second = close(APRIL, "2026-05-07")
    (changes,) = changes_of([first, second], is_open=False)
    assert (changes.heading, until_now.heading) == ("From revision 1 to revision 2", "From revision 1 to now")
    assert changes.totals == until_now.totals
    difference = {name: second.totals["EUR"][name] - first.totals["EUR"][name] for name in first.totals["EUR"]}
    assert changes.totals["EUR"]._asdict() == difference
    lines = [(line.booking.who, line.booking.why, *line.amounts.flows) for line in changes.lines]
    assert lines == [
        ("Sally Sales", "Budget cut", 0, -115_068, -4_931, 0),
        ("Sally Sales", "Budget cut", 0, -86_301, -3_698, 0),
    ]


def test_a_month_opened_and_closed_again_without_a_booking_posts_nothing(order, people):
    first = close(FEBRUARY)
    reopen(first, people)
    second = close(FEBRUARY)
    assert (second.sha256, second.totals, second.entries.count()) == (first.sha256, first.totals, 0)


def test_whoever_asks_for_a_month_to_be_opened_can_only_take_it_back(order, people):
    found = close(FEBRUARY)
    asked = ask_reopening(close=found, reason="Late", actor=people[0], at=world.at("2026-03-02"))
    decide = {"reopening": asked, "actor": people[0], "at": world.at("2026-03-02")}
    refused("reopening_needs_another", decide_reopening, is_granted=True, **decide)
    assert decide_reopening(is_granted=False, **decide).is_granted is False
    assert AccountingMonth.objects.get(month=FEBRUARY).is_closed
    refused("reopening_decided", decide_reopening, is_granted=False, **decide)
    assert reopen(found, people).is_granted  # asked for again


def test_only_the_last_closed_month_is_opened(order, people):
    february, march = close_through(MARCH)
    ask = {"reason": "Late", "actor": people[0], "at": world.at("2026-04-02")}
    refused("later_month_closed", ask_reopening, close=february, **ask)
    asked = ask_reopening(close=march, **ask)
    refused("reopening_asked", ask_reopening, close=march, **ask)
    close(APRIL)
    decide = {"reopening": asked, "actor": people[1], "at": world.at("2026-05-02")}
    refused("later_month_closed", decide_reopening, is_granted=True, **decide)


def test_an_open_month_is_not_opened(order, people):
    found = close(FEBRUARY)
    reopen(found, people)
    refused("month_open", ask_reopening, close=found, reason="Late", actor=people[0], at=world.at("2026-03-02"))


def test_a_month_is_not_opened_without_a_reason_nor_by_sales(order, people):
    found = close(FEBRUARY)
    asked = {"close": found, "at": world.at("2026-03-02")}
    refused("reopening_reason_missing", ask_reopening, reason=" ", actor=people[0], **asked)
    refused("not_allowed", ask_reopening, reason="Late", actor=Actor("Sam", 1, "sales"), **asked)
    pending = ask_reopening(reason="Late", actor=people[0], **asked)
    decide = {"reopening": pending, "is_granted": True, "at": world.at("2026-03-02")}
    refused("not_allowed", decide_reopening, actor=Actor("Sam", 1, "sales"), **decide)

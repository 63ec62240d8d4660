"""Closing a month: what is counted and posted, in which order, and what forbids it (F1)."""

import hashlib
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.audit import Actor
from portal.models import AuditEvent
from renewals.models import AccountingMonth, LedgerEntry, MonthFigures, Order, RevenueSegment, UnsummarisedSegment
from renewals.overviews.finance import closing as checks
from renewals.overviews.finance.months import totals_of_close
from renewals.services.summaries import summarise_all
from tests import world
from tests.services.closing.months import APRIL, FEBRUARY, MARCH, close, close_through, damage, refused, written

pytestmark = pytest.mark.django_db


def test_a_month_is_closed_with_its_count_totals_and_digest_f1(order):
    close_through(MARCH)
    closed = close(APRIL)
    assert (closed.revision, closed.segments) == (1, 2)
    assert closed.totals == {
        "EUR": {
            "opening": 210_000,
            "booked": 0,
            "credited": 0,
            "recognised": 17_260,
            "caught_up": 0,
            # All of the 192,740 that are left is earned by 31 Mar 2027.
            "closing": 192_740,
            "current": 192_740,
        }
    }
    first, second = RevenueSegment.objects.order_by("pk").values_list("pk", flat=True)
    text = f"month 2026-04 version 1\n{first} EUR 0 0 9863 0\n{second} EUR 0 0 7397 0\n"
    assert closed.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert closed.last_segment_id == second
    assert AccountingMonth.objects.get(month=APRIL).is_closed


def test_what_is_booked_is_posted_in_its_month_and_what_is_earned_in_another(order):
    close_through(APRIL)
    posted = LedgerEntry.objects.values_list("number", "close__month", "kind", "product__code", "amount")
    assert list(posted) == [
        (1, FEBRUARY, "booked", "VOL-VIS", 120_000),
        (2, FEBRUARY, "booked", "VOL-QNT", 90_000),
        (3, APRIL, "recognised", "VOL-VIS", 9_863),
        (4, APRIL, "recognised", "VOL-QNT", 7_397),
    ]


def test_the_close_is_told_in_the_audit_trail(order):
    closed = close(FEBRUARY, actor=Actor("Fiona Finance"))
    event = AuditEvent.objects.filter(subject_kind="monthclose").get()
    assert (event.actor_name, event.subject_id, event.after["sha256"]) == ("Fiona Finance", closed.pk, closed.sha256)
    assert event.after["totals"]["EUR"]["booked"] == "€2,100.00"


def test_what_waits_to_be_summed_is_summed_first(order):
    assert UnsummarisedSegment.objects.exists()
    close(FEBRUARY)
    assert not UnsummarisedSegment.objects.exists()


def test_months_are_closed_in_order(order):
    assert refused("earlier_month_open", close, MARCH).data == {"month": "2026-02"}


def test_a_month_without_any_booking_is_closed_all_the_same(order):
    close(FEBRUARY)
    assert close(MARCH).segments == 0


@pytest.mark.parametrize("month", [date(2026, 1, 1), date(2026, 7, 1)])
def test_a_month_before_the_ledger_or_to_come_is_none_of_its_months(order, month):
    refused("month_outside_ledger", close, month)


def test_without_a_booking_there_is_nothing_to_close(catalogue):
    refused("month_outside_ledger", close, FEBRUARY)


def test_a_month_is_not_closed_before_it_is_over(order):
    refused("month_not_over", close, FEBRUARY, "2026-02-28")
    assert close(FEBRUARY, "2026-03-01")


def test_a_closed_month_is_not_closed_twice(order):
    close(FEBRUARY)
    refused("month_closed", close, FEBRUARY)


def test_only_finance_closes_months(order):
    refused("not_allowed", close, FEBRUARY, actor=Actor("Sam", None, "sales"))


def test_sums_that_are_not_their_segments_forbid_the_close(order):
    summarise_all()
    MonthFigures.objects.filter(month=FEBRUARY, product__code="VOL-VIS").update(booked=120_001)
    refusal = refused("month_not_ready", close, FEBRUARY)
    assert "Booked, product" in refusal.message
    assert "€1,200.01, not €1,200.00" in refusal.message
    # An amount too much in February is there at the beginning of April, too.
    checklist = checks.read_checklist(APRIL, date(2026, 6, 1))
    assert "EUR: the months come to €1,927.41, the segments leave €1,927.40." in texts(checklist.blocking)


def test_a_line_that_does_not_come_to_what_was_sold_forbids_the_close(order):
    damage("UPDATE renewals_orderline SET net = net + 1 WHERE net = 120000", "renewals_orderline")
    refusal = refused("month_not_ready", close, FEBRUARY)
    assert "expected €1,200.01 put in time, which was sold; found €1,200.00" in str(refusal.data)


def test_a_fulfilled_order_without_revenue_forbids_the_close(order):
    other = world.sell(world.make_dongle("104234"), "2026-02-10")
    damage(
        "WITH gone AS (DELETE FROM renewals_unsummarisedsegment) DELETE FROM renewals_revenuesegment WHERE"
        f" order_line_id IN (SELECT id FROM renewals_orderline WHERE order_id = {other.pk})",
        "renewals_revenuesegment",
    )
    refusal = refused("month_not_ready", close, FEBRUARY)
    assert f"{other.number} of Institute of Cells, fulfilled on 10 Feb 2026" in str(refusal.data)


def test_so_does_one_that_has_a_free_line_beside_those_without_revenue(order):
    both = [("VOL-VIS", "2028-01-31"), ("OPL-FUL", "2025-06-30")]
    version = world.send(world.make_dongle("104234", licences=both), "2026-02-10", align_to=date(2028, 1, 31))
    other = world.accept(version, "2026-02-20")  # ten days later: those of VOL-VIS are free
    assert sorted(other.lines.values_list("net", flat=True))[0] == 0
    damage(
        "WITH gone AS (DELETE FROM renewals_unsummarisedsegment) DELETE FROM renewals_revenuesegment WHERE"
        f" order_line_id IN (SELECT id FROM renewals_orderline WHERE order_id = {other.pk})",
        "renewals_revenuesegment",
    )
    refusal = refused("month_not_ready", close, FEBRUARY)
    assert f"{other.number} of Institute of Cells, fulfilled on 20 Feb 2026" in str(refusal.data)


def test_a_paid_order_that_is_not_fulfilled_forbids_the_close_and_one_that_waits_is_to_mind(order):
    waits = world.sell(world.make_dongle("104234", world.make_customer("Pays", fulfil_on="payment")), "2026-02-10")
    checklist = checks.read_checklist(FEBRUARY, date(2026, 3, 1))
    assert texts(checklist.blocking) == []
    assert f"{waits.number} of Pays, placed on 10 Feb 2026" in texts(checklist.warnings)
    Order.objects.filter(pk=waits.pk).update(paid_on=date(2026, 2, 11))
    assert f"{waits.number} of Pays, paid on 11 Feb 2026" in str(refused("month_not_ready", close, FEBRUARY).data)


def test_accounts_and_exchange_rates_that_the_month_lacks_are_to_mind_and_forbid_nothing(order, settings):
    settings.REPORTING_CURRENCY = "USD"
    summarise_all()
    checklist = checks.read_checklist(FEBRUARY, date(2026, 3, 1))
    assert checklist.blocking == []
    rates, accounts = checklist.warnings
    # In February two products are booked, and nothing is earned yet: they ask for receivables and deferred revenue.
    assert [(found.text, found.address) for found in rates.findings] == [
        ("EUR has no rate into USD in Feb 2026.", "/finance/rates/?month=2026-02&currency=EUR#enter")
    ]
    assert len(accounts.findings) == 4
    assert {found.address for found in accounts.findings} == {"/finance/accounts/"}
    assert close(FEBRUARY).revision == 1


def texts(items):
    return [found.text for item in items for found in item.findings]


def test_a_dry_run_says_what_the_close_will_and_writes_nothing(order, accounts):
    close_through(MARCH)
    before = written()
    with CaptureQueriesContext(connection) as captured:
        checklist = checks.read_checklist(APRIL, date(2026, 6, 1))
    assert {query["sql"].split()[0] for query in captured} <= {"SELECT", "DECLARE"}  # a cursor that reads
    assert written() == before
    assert [item.state for item in checklist.items] == ["passed"] * len(checks.CHECKS)
    closed = close(APRIL)
    assert totals_of_close(closed) == checklist.month.totals
    assert closed.segments == checklist.month.segments


def test_a_short_dry_run_says_by_the_sums_what_a_whole_one_says_by_the_segments(order):
    close_through(MARCH)
    whole, short = (checks.read_checklist(APRIL, date(2026, 6, 1), is_whole=each) for each in (True, False))
    assert whole.is_whole
    assert not short.is_whole
    assert short.month.totals == whole.month.totals
    assert short.month.places == whole.month.places
    long = [check(whole.month) for check in checks.LONG_CHECKS]
    assert len(long) == 4
    assert list(short.items) == [item for item in whole.items if item not in long]
    MonthFigures.objects.filter(month=APRIL, product__code="VOL-VIS").update(current=1)  # what it leaves out
    assert not checks.read_checklist(APRIL, date(2026, 6, 1), is_whole=False).blocking
    assert "month_not_ready" in str(refused("month_not_ready", close, APRIL).code)


def test_a_dry_run_of_a_month_that_can_not_be_closed_says_why(order):
    checklist = checks.read_checklist(MARCH, date(2026, 3, 15))
    assert texts(checklist.blocking) == ["It ends on 31 Mar 2026.", "Feb 2026 is open."]
    assert "2 segments not added yet." in texts(checklist.warnings)

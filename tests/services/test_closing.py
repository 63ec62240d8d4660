"""Closing a month, opening it again and proving it (F1); what changed between two closes, and since.

Two products are renewed on 1 Feb 2026 for 1 Apr 2026 … 31 Mar 2027 (365 days): Visualisation for 1,200.00 and
Quantitation for 900.00. April earns 120,000 × 30 / 365 = 9,863.01 and 90,000 × 30 / 365 = 7,397.26: 17,260 in all.
Cancelled from 16 April, fifteen days stay: 120,000 × 15 / 365 = 4,931.51 and 90,000 × 15 / 365 = 3,698.63. So 115,068
and 86,301 are credited, of which April has 9,863 − 4,932 = 4,931 and 7,397 − 3,699 = 3,698.
"""

import hashlib
import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import (
    AccountingMonth,
    AccountMapEntry,
    LedgerEntry,
    MonthClose,
    MonthFigures,
    MonthReopening,
    Order,
    RevenueSegment,
    UnsummarisedSegment,
)
from renewals.overviews.finance import closing as checks
from renewals.overviews.finance.changes import changes_of, known_today
from renewals.overviews.finance.months import month_list, month_overview, prove_close, totals_of_close
from renewals.services.account_map import keep_account
from renewals.services.cancellations import cancel_order
from renewals.services.closing import ask_reopening, close_month, decide_reopening
from renewals.services.summaries import summarise_all
from tests import world

pytestmark = pytest.mark.django_db
FEBRUARY, MARCH, APRIL, MAY = (date(2026, month, 1) for month in (2, 3, 4, 5))


@pytest.fixture
def order(dongle):
    return world.sell(dongle, "2026-02-01")


@pytest.fixture
def accounts(db):
    for role, number in (("receivables", "1400"), ("deferred", "0990"), ("revenue", "8400")):
        entry = AccountMapEntry(role=role, account=number, name=role)
        keep_account(entry=entry, actor=world.SALES, at=world.at("2026-01-02"))


def close(month, on="2026-06-01", actor=world.SALES):
    return close_month(month=month, actor=actor, at=world.at(on))


def close_through(month, on="2026-06-01"):
    return [close(each, on) for each in (FEBRUARY, MARCH, APRIL, MAY) if each <= month]


def cancel(order, on):
    options = {"reason": "Budget cut", "actor": Actor("Sally Sales"), "at": world.at(on)}
    return cancel_order(order=order, from_on=date(2026, 4, 16), **options)


def refused(code, call, *arguments, **options):
    """The refusal of a call that has to be refused so, and to write nothing."""
    before = written()
    with pytest.raises(DomainError) as refusal:
        call(*arguments, **options)
    assert refusal.value.code == code
    assert written() == before
    return refusal.value


def written():
    models = (MonthClose, LedgerEntry, MonthReopening, AuditEvent)
    return [*(model.objects.count() for model in models), *AccountingMonth.objects.order_by("month").values_list()]


@pytest.fixture
def people(db):
    return [Actor.of(world.make_user("finance", f"{name}@vendor.example")) for name in ("ann", "ben")]


def reopen(found, people):
    asked = ask_reopening(close=found, reason="An order came late", actor=people[0], at=world.at("2026-05-05"))
    return decide_reopening(reopening=asked, is_granted=True, actor=people[1], at=world.at("2026-05-05"))


# Closing


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


def damage(statement, *tables):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        assert cursor.rowcount > 0


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
    assert len(long) == 3
    assert list(short.items) == [item for item in whole.items if item not in long]
    MonthFigures.objects.filter(month=APRIL, product__code="VOL-VIS").update(current=1)  # what it leaves out
    assert not checks.read_checklist(APRIL, date(2026, 6, 1), is_whole=False).blocking
    assert "month_not_ready" in str(refused("month_not_ready", close, APRIL).code)


def test_a_dry_run_of_a_month_that_can_not_be_closed_says_why(order):
    checklist = checks.read_checklist(MARCH, date(2026, 3, 15))
    assert texts(checklist.blocking) == ["It ends on 31 Mar 2026.", "Feb 2026 is open."]
    assert "2 segments not added yet." in texts(checklist.warnings)


# After the close


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


# Opening again


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


# Proving


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("amount = amount + 1", "booked €2,100.02; found €2,100.00"),
        ("booked_month = '2026-03-01'", "0 segments; found 2"),
        ("currency = 'USD'", "booked US$2,100.00; found US$0.00"),
    ],
)
def test_a_segment_that_was_changed_is_seen_by_the_proof(order, change, says):
    closed = close(FEBRUARY)
    assert prove_close(closed).is_equal
    damage(f"UPDATE renewals_revenuesegment SET {change}", "renewals_revenuesegment")
    proof = prove_close(closed)
    assert not proof.is_equal
    found = [str(finding) for finding in proof.differences]
    assert any(says in each for each in found), found
    assert proof.sha256 != closed.sha256


def test_closing_and_proving_take_no_more_queries_for_more_segments(dongle):
    def queries(month, number):
        for serial in range(number):
            world.sell(world.make_dongle(f"2{month.month}{serial}"), str(month))
        with CaptureQueriesContext(connection) as captured:
            assert prove_close(close(month)).is_equal
        return len(captured)

    queries(FEBRUARY, 1)
    assert queries(MARCH, 1) == queries(APRIL, 5)


# Reading


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


# Commands


def run(*arguments):
    """Its status, its lines, and what it said at its end."""
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines(), str(error)
    return 0, out.getvalue().splitlines(), ""


def test_the_commands_look_at_a_month_close_it_and_prove_it(order, accounts):
    summarise_all()
    status, lines, _ = run("close_month", "2026-02", "--dry-run")
    assert status == 0
    assert [line[:8].strip() for line in lines[: len(checks.CHECKS)]] == ["ok"] * len(checks.CHECKS)
    assert lines[-7:-5] == ["EUR opening                    0.00", "EUR booked                 2,100.00"]
    assert not MonthClose.objects.exists()
    status, lines, _ = run("close_month", "2026-02")
    closed = MonthClose.objects.get()
    assert (status, closed.closed_by) == (0, None)
    assert lines[0] == f"Feb 2026 is closed (revision 1): 2 segments, digest {closed.sha256}"
    status, lines, _ = run("prove_month", "2026-02")
    assert (status, lines[0]) == (0, f"Feb 2026, revision 1: 2 segments, digest {closed.sha256}")
    assert lines[-1] == "Proven: it is what it was closed as."


def test_the_commands_say_what_is_refused_and_what_differs(order):
    assert run("close_month", "2026-03")[::2] == (
        1,
        "Feb 2026 is open: months are closed in order, the earliest first. (earlier_month_open)",
    )
    status, lines, error = run("close_month", "2026-03", "--dry-run")
    assert (status, error) == (1, "Mar 2026 can’t be closed yet.")
    assert "        Feb 2026 is open." in lines
    assert run("close_month", "2026-3")[::2] == (2, "“2026-3” is no month: write one like 2026-11. (malformed_month)")
    assert run("prove_month", "2026-02")[::2] == (1, "Feb 2026 has no such close.")
    close(FEBRUARY)
    damage("UPDATE renewals_revenuesegment SET amount = amount + 1", "renewals_revenuesegment")
    status, lines, error = run("prove_month", "2026-02", "--revision", "1")
    assert (status, error) == (1, "Feb 2026 is not what it was closed as.")
    assert "close 1 of Feb 2026: expected booked €2,100.02; found €2,100.00" in lines

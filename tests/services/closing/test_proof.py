"""Proving a close by the segments, and the commands that close and prove."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from renewals.models import MonthClose
from renewals.overviews.finance import closing as checks
from renewals.overviews.finance.months import prove_close
from renewals.services.summaries import summarise_all
from tests import world
from tests.services.closing.months import APRIL, FEBRUARY, MARCH, close, damage

pytestmark = pytest.mark.django_db


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

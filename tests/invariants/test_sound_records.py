"""What must always be true of the records (`manage.py verify_invariants`): nothing is found in sound ones."""

import io
import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.models import AuditEvent
from renewals.models import MonthClose, Order, OrderLine
from renewals.services.summaries import summarise_all
from renewals.tasks import verify_invariants
from tests import world
from tests.invariants.records import DAY, damage, findings


def test_sound_records_have_no_finding_whatever_was_sold(records):
    assert findings() == {}


def test_every_kind_of_sale_is_in_the_sound_records(records):
    assert set(OrderLine.objects.values_list("quote_line__kind", flat=True)) == {
        *("sma_year", "sma_part", "upgrade", "licence", "replacement"),
        None,  # a free extension
    }
    assert set(Order.objects.values_list("state", flat=True)) == {"accepted", "fulfilled", "cancelled"}


def run(*arguments):
    out = io.StringIO()
    try:
        call_command("verify_invariants", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines(), str(error)
    return 0, out.getvalue().splitlines(), ""


def test_the_command_counts_what_it_verified_and_ends_well(records):
    status, lines, _ = run()
    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        *("revenue", "ledger", "closes", "periods", "codes", "dates", "renewals", "facts", "audit"),
    ]
    assert lines[0].startswith(f"revenue: {OrderLine.objects.count()} lines checked, 0 findings (")
    assert lines[2].startswith(f"closes: {MonthClose.objects.count()} closes checked, 0 findings (")
    assert lines[8].startswith(f"audit: {AuditEvent.objects.count()} events checked, 0 findings (")


def test_the_command_ends_with_status_1_and_names_what_it_found(records):
    damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial IN ('1001', '1002')")
    status, lines, error = run("--limit", "1")
    assert (status, error) == (1, "The records contradict each other: 2 findings.")
    dates = [line for line in lines if line.startswith("dates: ")]
    assert dates[0] == "dates: dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"
    assert dates[1] == "dates: … and 1 more"
    assert ", 2 findings (" in dates[2]


def test_only_what_is_asked_for_is_verified(records):
    damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'")
    status, lines, _ = run("--only", "codes", "--only", "audit")
    assert status == 0
    assert [line.split(":")[0] for line in lines] == ["codes", "audit"]


def test_the_night_s_run_logs_each_finding_as_an_error(records, caplog):
    with caplog.at_level(logging.ERROR, "renewals.tasks"):
        verify_invariants()
        assert caplog.messages == []
        damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'")
        verify_invariants()
    assert caplog.messages == [
        "dates: dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"
    ]


def test_beat_has_it_run_every_night(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["verify the invariants"]
    assert entry["task"] == verify_invariants.name
    assert (entry["schedule"].hour, entry["schedule"].minute) == ({3}, {30})


@pytest.mark.django_db
def test_ten_times_the_dongles_take_no_more_queries(catalogue):
    customer = world.make_customer()

    def queries():
        summarise_all()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert findings() == {}
        return len(captured)

    world.sell(world.make_dongle("1000", customer), DAY)
    few = queries()
    for number in range(1, 10):
        world.sell(world.make_dongle(f"100{number}", customer), DAY)
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_it_reads_as_of_one_moment_and_writes_nothing():
    world.make_catalogue()
    world.sell(world.make_dongle(), DAY)
    summarise_all()
    with CaptureQueriesContext(connection) as captured:
        assert run()[0] == 0
    statements = [query["sql"] for query in captured]
    assert statements[1] == "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

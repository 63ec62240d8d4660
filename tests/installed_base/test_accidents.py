"""What goes wrong in the middle: a process killed, two imports at once, somebody else who is faster."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from dongles.installed_base import services
from dongles.models import Dongle, Import
from portal import jobs, outbox
from portal.errors import DomainError
from portal.models import Customer
from tests import workbooks
from tests.installed_base.conftest import KEEPER, TODAY, bring_in, everything, keep
from tests.outbox.conftest import PROJECT, database_url, kill_group, wait_until
from tests.workbooks import row, xlsx

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalogue")]


def work_off():
    for _ in range(20):
        if not outbox.drain():
            return
    raise AssertionError("it does not end")


def worker_process(tmp_path):
    """A process of its own that does what is due."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "PORTAL_LOCAL_DIR": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", "from portal import outbox; outbox.drain()"],
        cwd=PROJECT,
        env=environment,
        start_new_session=True,
    )


@contextmanager
def held_up_while_it_writes(serial):
    """Somebody puts this dongle on record in a transaction that stays open, and takes it back in the end: an import
    that makes it too waits there, with customers and other dongles written already."""
    is_there, may_go = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Dongle.objects.create(serial=serial)
                is_there.set()
                may_go.wait(100)
                transaction.set_rollback(True)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_there.wait(20)
    try:
        yield
    finally:
        may_go.set()
        thread.join()


def test_a_worker_killed_while_it_writes_leaves_nothing_and_another_does_it_all(tmp_path):
    job = services.start_import(imported=keep(xlsx(workbooks.installed_base(600))), actor=KEEPER, at=TODAY)
    before = everything()
    with held_up_while_it_writes("200299"):
        process = worker_process(tmp_path)
        wait_until(is_anybody_waiting, 100)
        job.refresh_from_db()
        assert job.state == "running"
        kill_group(process)
    wait_until(lambda: not held_locks(), 60)
    assert everything() == before

    work_off()
    job.refresh_from_db()
    assert (job.state, job.result["made"]["dongles"], Dongle.objects.count()) == ("done", 300, 300)
    assert Import.objects.get().imported_at is not None


def held_locks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return cursor.fetchone()[0]


def at_once(*deeds):
    """Do the deeds in threads of their own, begun together; what each returned or raised."""
    barrier, results = threading.Barrier(len(deeds)), {}

    def run(number, deed):
        try:
            barrier.wait()
            results[number] = deed()
        except DomainError as refusal:
            results[number] = refusal.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(deeds))]


def test_two_imports_of_the_same_dongles_at_once_make_them_once():
    files = [keep(xlsx(workbooks.installed_base(600))) for _ in range(2)]
    outcomes = at_once(*(lambda file=file: carried_out(file) for file in files))
    assert sorted((outcome.made.dongles, outcome.plan.unchanged) for outcome in outcomes) == [(0, 300), (300, 0)]
    assert Dongle.objects.count() == 300


def carried_out(file):
    return services.carry_out(imported=file, is_check=False, actor=KEEPER, at=TODAY)


def test_two_imports_that_contradict_each_other_end_with_a_fault_not_with_both():
    files = [keep(xlsx([row(customer=name)])) for name in ("Institute of Cells", "Cells Ltd")]
    outcomes = at_once(*(lambda file=file: carried_out(file) for file in files))
    assert sorted(len(outcome.faults) for outcome in outcomes) == [0, 1]
    assert {fault.code for outcome in outcomes for fault in outcome.faults} == {"differs_from_record"}
    assert Customer.objects.count() == 1


def test_a_dongle_that_somebody_else_makes_meanwhile_is_a_sentence_and_nothing_is_written():
    """The back office takes no lock of the import's: here the database itself refuses the second."""
    imported = keep(xlsx([row()]))
    made, ours_waits = threading.Event(), threading.Event()

    def other():
        with transaction.atomic():
            Dongle.objects.create(serial="104233")
            made.set()
            assert ours_waits.wait(60)

    def ours():
        assert made.wait(60)
        return carried_out(imported)

    def watch():  # in no transaction, which would always see the same
        wait_until(is_anybody_waiting, 60)
        ours_waits.set()

    _, ours_came_to, _ = at_once(other, ours, watch)
    assert ours_came_to == "import_overtaken"
    assert not Customer.objects.exists()
    assert Dongle.objects.get().customer is None


def is_anybody_waiting():
    """Whether somebody waits for a row that another transaction has written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND datname = current_database()"
        )
        return cursor.fetchone()[0] > 0


def test_an_import_asked_for_twice_is_done_once():
    imported = keep(xlsx([row()]))
    first, second = (services.start_import(imported=imported, actor=KEEPER, at=TODAY) for _ in range(2))
    assert first == second
    late = jobs.start_job(
        kind=services.KIND, title="Again", params=first.params, actor=KEEPER, at=TODAY
    )  # as if both had been asked for in the same moment
    work_off()
    late.refresh_from_db()
    assert (late.state, late.result) == ("done", {})
    assert Dongle.objects.count() == 1


def test_an_import_that_finds_faults_since_its_check_is_refused_and_writes_nothing():
    imported = keep(xlsx([row()]))
    check = services.start_check(imported=imported, actor=KEEPER, at=TODAY)
    work_off()
    check.refresh_from_db()
    assert check.result["fault_count"] == 0
    bring_in(xlsx([row(customer="Cells Ltd")]))
    before = everything()
    job = services.start_import(imported=imported, actor=KEEPER, at=TODAY)
    work_off()
    job.refresh_from_db()
    assert (job.state, job.refusal_code) == ("refused", "import_has_faults")
    assert everything() == before


def test_a_cancelled_import_writes_nothing_and_can_go_on(tmp_path):
    job = services.start_import(imported=keep(xlsx(workbooks.installed_base(600))), actor=KEEPER, at=TODAY)
    before = everything()
    with held_up_while_it_writes("200299"):
        process = worker_process(tmp_path)
        wait_until(is_anybody_waiting, 100)
        jobs.cancel_job(job=job, actor=KEEPER, at=TODAY)
        time.sleep(jobs.SECONDS_BETWEEN_TELLS)  # it looks no sooner whether it is to stop
    assert process.wait(60) == 0
    job.refresh_from_db()
    assert (job.state, everything()) == ("cancelled", before)
    jobs.resume_job(job=job, actor=KEEPER, at=TODAY)
    work_off()
    job.refresh_from_db()
    assert (job.state, Dongle.objects.count()) == ("done", 300)

"""Long work in slices: it goes on, stops, is refused or fails, and never leaves anything half-done."""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from portal import jobs, outbox
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Customer, Job, JobFile, OutboxMessage, SentMail
from portal.tasks import forget_sessions, start_daily_job
from tests import world
from tests.jobs.workers import WORKERS, work_off
from tests.outbox.conftest import PROJECT, database_url, kill_group, wait_until

pytestmark = pytest.mark.django_db


def names():
    return list(Customer.objects.order_by("pk").values_list("name", flat=True))


def test_work_is_done_slice_by_slice_to_its_end(start):
    job = start(count=10)
    seen = []
    while outbox.drain():
        job.refresh_from_db()
        seen.append((job.state, job.done, job.total, len(names())))
    assert seen == [("running", 4, 10, 4), ("running", 8, 10, 8), ("done", 10, 10, 10)]
    assert names() == [f"Customer {number}" for number in range(10)]
    assert job.result == {"entered": 10, "files": ["names.csv"]}
    assert b"".join(jobs.file_pieces(job, "names.csv")).decode().splitlines() == names()
    assert list(AuditEvent.objects.filter(subject_kind="job").values_list("action", flat=True)) == ["start", "end"]


def test_a_refusal_ends_it_takes_its_slice_back_and_it_can_go_on(start):
    job = start(count=10, refuse_at=6)
    work_off()
    job.refresh_from_db()
    assert (job.state, job.done, job.refusal_code) == ("refused", 4, "no_more_customers")
    assert job.refusal == "There is no room for another customer."
    assert names() == [f"Customer {number}" for number in range(4)]

    job.params = {"count": 10}
    job.save()
    jobs.resume_job(job=job, actor=world.SALES, at=timezone.now())
    work_off()
    job.refresh_from_db()
    assert (job.state, job.done, job.refusal) == ("done", 10, "")
    assert names() == [f"Customer {number}" for number in range(10)]


def test_a_fault_of_ours_is_tried_again_later(start, tmp_path):
    job = start("crash", mended=str(tmp_path / "mended"))
    work_off()
    message = OutboxMessage.objects.get(kind="job")
    assert message.last_error == "ZeroDivisionError: a fault of ours"
    job.refresh_from_db()
    assert job.is_open
    (tmp_path / "mended").touch()
    OutboxMessage.objects.update(due_at=timezone.now())
    work_off()
    job.refresh_from_db()
    assert job.state == "done"


def test_it_is_stopped_at_once_between_slices_and_goes_on_from_there(start):
    job = start(count=10)
    outbox.drain()
    job = jobs.cancel_job(job=job, actor=world.SALES, at=timezone.now())
    assert job.state == "cancelled"
    work_off()
    assert len(names()) == 4
    jobs.resume_job(job=job, actor=world.SALES, at=timezone.now())
    jobs.resume_job(job=job, actor=world.SALES, at=timezone.now())  # twice is once
    work_off()
    assert names() == [f"Customer {number}" for number in range(10)]


def test_done_is_done(start):
    job = start(count=1)
    work_off()
    with pytest.raises(DomainError) as refusal:
        jobs.resume_job(job=job, actor=world.SALES, at=timezone.now())
    assert refusal.value.code == "job_ended"
    assert jobs.cancel_job(job=job, actor=world.SALES, at=timezone.now()).state == "done"


def test_only_who_asked_or_an_administrator_stops_it(start):
    seller = world.make_user()
    job = start(count=10, actor=Actor.of(seller))
    for stranger in (world.make_user(email="other@vendor.example"), world.make_user("finance")):
        with pytest.raises(DomainError) as refusal:
            jobs.cancel_job(job=job, actor=Actor.of(stranger), at=timezone.now())
        assert refusal.value.code == "not_allowed"
    job.refresh_from_db()
    assert job.is_open
    administrator = Actor.of(world.make_user("administrator"))
    assert jobs.cancel_job(job=job, actor=administrator, at=timezone.now()).state == "cancelled"


def test_who_asked_gets_a_mail_when_long_work_is_done(start):
    start(count=4, actor=Actor.of(world.make_user()))  # asked long before today
    work_off()
    mail = SentMail.objects.get()
    assert (mail.recipients, mail.subject) == (["sales@vendor.example"], "Enter customers: done")
    assert "4 of 4 customers were done." in mail.text


def test_short_work_is_worth_no_mail(db):
    by = {"actor": Actor.of(world.make_user()), "at": timezone.now()}
    jobs.start_job(kind="enter", title="Enter customers", params={"count": 4}, **by)
    work_off()
    assert Job.objects.get().state == "done"
    assert not SentMail.objects.exists()


def test_the_time_that_is_left_is_reckoned_from_the_speed_since_it_last_went_on():
    now = timezone.now()
    job = Job(done=30, total=90, began_from=10, began_at=now - timedelta(seconds=40))
    assert jobs.seconds_left(job, now) == 120  # 20 in 40 s, 60 to go
    assert jobs.seconds_left(Job(done=10, total=90, began_from=10, began_at=now), now) is None


def test_files_are_kept_in_pieces_and_forgotten_after_thirty_days(start):
    job = start(count=4)
    content = os.urandom(jobs.PIECE * 2 + 7)
    jobs.append_to_file(job, "given.xlsx", content)
    assert [len(piece) for piece in jobs.file_pieces(job, "given.xlsx")] == [jobs.PIECE, jobs.PIECE, 7]
    assert b"".join(jobs.file_pieces(job, "given.xlsx")) == content
    work_off()
    assert jobs.forget_old_files(timezone.now() + timedelta(days=29)) == 0
    assert jobs.forget_old_files(timezone.now() + timedelta(days=31)) == 4
    assert not JobFile.objects.exists()
    assert Job.objects.get().result["entered"] == 4


def test_the_clock_starts_daily_work_unless_the_last_still_goes_on(db):
    for _ in range(2):
        start_daily_job("enter", "Enter customers", "customer")
    job = Job.objects.get()
    assert (job.state, job.asked_by) == ("waiting", None)
    assert AuditEvent.objects.get(subject_kind="job").actor_name == "Clock"
    jobs.cancel_job(job=job, actor=world.SALES, at=timezone.now())
    start_daily_job("enter", "Enter customers", "customer")
    assert Job.objects.count() == 2


class TestWithOtherProcesses:
    """Each on the test's database, as a worker on another machine is."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def hold(self, tmp_path):
        path = tmp_path / "hold"
        path.touch()
        return path

    @pytest.fixture
    def start_worker(self, tmp_path):
        started = []

        def start():
            program = (
                "import django; django.setup()\n"
                "from django.conf import settings\n"
                f"settings.OUTBOX_DISPATCH, settings.JOB_WORKERS = 'none', {WORKERS!r}\n"
                "from tests.jobs.workers import work_off; work_off()"
            )
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", program],
                    cwd=PROJECT,
                    env={
                        **os.environ,
                        "DJANGO_SETTINGS_MODULE": "portal.settings",
                        "DATABASE_URL": database_url(),
                        "PORTAL_LOCAL_DIR": str(tmp_path),
                    },
                    start_new_session=True,
                )
            )
            return started[-1]

        yield start
        for process in started:
            kill_group(process)

    def test_killed_in_the_middle_of_a_slice_it_leaves_nothing_half_done_and_another_goes_on(
        self, start, start_worker, hold
    ):
        job = start(count=10, hold=str(hold), hold_at=6)
        worker = start_worker()
        wait_until(hold.with_suffix(".held").exists)
        kill_group(worker)
        hold.unlink()
        assert len(names()) == 4, "the slice that was killed is gone as a whole"

        # The server may still hold what the killed one held: another worker comes, as the sweep would send it.
        wait_until(lambda: start_worker().wait(60) == 0 and Job.objects.get().state == "done")
        job.refresh_from_db()
        assert (job.state, job.done) == ("done", 10)
        assert names() == [f"Customer {number}" for number in range(10)]
        assert b"".join(jobs.file_pieces(job, "names.csv")).decode().splitlines() == names()

    def test_its_progress_is_seen_and_it_is_stopped_from_within_a_slice(self, start, start_worker, hold):
        job = start(count=10, hold=str(hold), hold_at=6)
        worker = start_worker()
        wait_until(hold.with_suffix(".held").exists)
        wait_until(lambda: Job.objects.get().done == 6)
        assert len(names()) == 4, "told ahead of the commit"
        assert jobs.cancel_job(job=job, actor=world.SALES, at=timezone.now()).state == "running"
        worker.wait(30)
        job.refresh_from_db()
        assert (job.state, job.done) == ("cancelled", 4)
        assert len(names()) == 4

    def test_two_workers_do_one_job_once(self, start, start_worker):
        start(count=40)
        for worker in [start_worker(), start_worker()]:
            worker.wait(60)
        work_off()  # whichever came too late has left a slice to the sweep
        assert sorted(names()) == sorted(f"Customer {number}" for number in range(40))
        assert Job.objects.get().state == "done"

    def test_without_the_messages_lock_two_do_it_twice(self, start):
        """The control: what a slice does is not safe by itself."""
        job = start(count=4, without_file=True)
        message = OutboxMessage.objects.get(kind="job")
        barrier = threading.Barrier(2)

        def run():
            own = OutboxMessage.objects.get(pk=message.pk)
            Job.objects.get(pk=job.pk)
            barrier.wait(10)
            try:
                jobs.run_slice(own)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(names()) == 8


def test_sessions_that_are_over_go_by_themselves_and_others_stay(settings):
    for key, hours in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    forget_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert "portal.tasks.forget_sessions" in {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()}

"""The pages of long work: how far it is, what came of it, stopping it and letting it go on."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from portal import jobs
from portal.audit import Actor
from portal.models import Job, User
from tests import world
from tests.jobs.workers import WORKERS, work_off
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in


@pytest.fixture(autouse=True)
def _workers(settings):
    settings.JOB_WORKERS = {**settings.JOB_WORKERS, **WORKERS}


def start(user, kind="enter", **params):
    return jobs.start_job(
        kind=kind, title="Enter customers", params=params, unit="customer", actor=Actor.of(user), at=timezone.now()
    )


@pytest.fixture
def job(sales):
    return start(User.objects.get(), count=10)


def address(job, name="job", *more):
    return reverse(name, args=[job.pk, *more])


def test_the_page_says_how_far_it_is_and_reloads_itself_at_the_end(sales, job):
    assert "Waiting for its turn." in sales.get(address(job)).content.decode()
    Job.objects.update(state="running", done=1200, total=10_000)
    assert "1,200 of 10,000 customers" in sales.get(address(job), headers={"HX-Request": "true"}).content.decode()
    Job.objects.update(state="done", ended_at=timezone.now())
    assert sales.get(address(job), headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_a_fault_of_ours_is_told_on_the_page(sales, job, tmp_path):
    broken = start(User.objects.get(), "crash", mended=str(tmp_path / "never"))
    work_off()
    assert "It is tried again at" in sales.get(address(broken)).content.decode()


def test_it_is_stopped_and_goes_on_by_buttons(sales, job):
    sales.post(address(job, "cancel_job"))
    page = sales.get(address(job)).content.decode()
    assert "Stopped at 0 customers. It can go on from there." in page
    assert sales.post(address(job, "resume_job")).status_code == 302
    work_off()
    assert "Done in a few seconds." in sales.get(address(job)).content.decode()


def test_its_file_is_handed_out_and_no_other_one(sales, job):
    jobs.append_to_file(job, "given.csv", b"secret")
    work_off()
    answer = sales.get(address(job, "job_file", "names.csv"))
    assert b"".join(answer.streaming_content).startswith(b"Customer 0\n")
    assert answer["Content-Disposition"] == 'attachment; filename="names.csv"'
    for name in ("given.csv", "nothing.csv", "..%2Fnames.csv"):
        assert sales.get(address(job, "job_file", name)).status_code == 404


def test_somebody_elses_work_is_not_stopped(finance, db):
    job = start(world.make_user(), count=10)
    answer = finance.post(address(job, "cancel_job"))
    assert answer.status_code == 409
    assert "Whoever asked for this work can do that" in answer.content.decode()
    job.refresh_from_db()
    assert job.is_open


def test_an_empty_list_says_what_comes_here(sales):
    assert "Imports, campaigns and large exports are listed here" in sales.get(reverse("jobs")).content.decode()


@pytest.mark.browser
def test_in_a_browser_it_is_seen_to_end_and_nothing_is_in_the_way(portal, browser, client):
    world.make_user()
    user, found = User.objects.get(), []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client)
        job = start(user, count=6)
        page.goto(portal + address(job))
        expect(page.locator(".job-progress")).to_contain_text("Waiting for its turn.")
        check(page, found)
        work_off()
        expect(page.locator(".page-lead")).to_contain_text("Done in")
        page.get_by_role("link", name="names.csv").wait_for()
        check(page, found)
        page.goto(portal + address(start(user, count=10, refuse_at=5)))
        work_off()
        expect(page.locator(".page-lead")).to_have_text("There is no room for another customer.")
        check(page, found)
        page.goto(portal + reverse("jobs"))
        check(page, found)
    assert found == []

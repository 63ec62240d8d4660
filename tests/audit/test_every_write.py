"""No write without an event: whoever adds a service or a model says how it is told (happenings/ and told.py beside)."""

import importlib
import inspect
import pkgutil
from datetime import date, datetime
from typing import Any

import pytest
from django.core.management import call_command

import portal.services
import renewals.services
from dongles import catalogue, downloads
from dongles import services as dongle_services
from portal import exports, jobs, outbox
from portal.models import AuditEvent
from renewals.demo import build
from renewals.services import files, quotes
from tests.audit.happenings import HAPPENINGS
from tests.audit.happenings.beginnings import BY
from tests.audit.happenings.dongles import received
from tests.audit.happenings.jobs import JOB_KIND
from tests.audit.told import TOLD_BY, all_rows, business_models, tellers, untold

pytestmark = pytest.mark.django_db

# Parts of others, which record what they return: their callers' happenings tell of them.
PARTS = {dongle_services.issue_unlock_code, dongle_services.exchange_dongle, quotes.draft_quotes, files.keep_file}


def services() -> set[Any]:
    """Every public function of the services that is told who acts."""
    modules = [dongle_services, catalogue, downloads, jobs, exports]
    for package in (portal.services, renewals.services):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            modules.append(importlib.import_module(found.name))
    return {
        each
        for module in modules
        for name, each in vars(module).items()
        if inspect.isfunction(each)
        and each.__module__ == module.__name__
        and not name.startswith("_")
        and "actor" in inspect.signature(each).parameters
    }


def named(functions: Any) -> list[str]:
    return sorted(f"{each.__module__}.{each.__name__}" for each in functions)


def test_every_model_is_told_or_is_no_business():
    found = {model._meta.label_lower for model in business_models()}
    assert found == set(TOLD_BY)


def test_something_happens_here_for_every_service():
    assert named(services()) == named([*HAPPENINGS, *PARTS])


@pytest.mark.parametrize("service", HAPPENINGS, ids=lambda service: service.__name__)
def test_what_a_service_writes_is_told(service):
    happen = HAPPENINGS[service]()
    before, newest = all_rows(), AuditEvent.objects.order_by("-pk").first()
    happen()
    events = list(AuditEvent.objects.filter(pk__gt=newest.pk if newest else 0))
    assert events
    assert {event.actor_name for event in events} <= {"Sally Sales", "Administrator", "Portal"}
    assert all(isinstance(event.at, datetime) and event.at.date() == date(2026, 2, 1) for event in events)
    assert untold(before, all_rows(), events) == []


def test_an_event_that_is_left_out_would_be_missed():
    """The control: without its event the same service is found to write in silence."""
    happen = received()
    before = all_rows()
    happen()
    newest = AuditEvent.objects.order_by("-pk")[0]
    assert untold(before, all_rows(), [newest]) == []
    assert len(untold(before, all_rows(), [])) == 2
    newest.before = {}
    assert [words.partition(" of ")[0] for words in untold(before, all_rows(), [newest])] == [
        "no event says that confirmed_expiry_on"
    ]


def test_a_job_that_ends_is_told():
    job = jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)
    while outbox.drain():
        pass
    job.refresh_from_db()
    assert job.state == "done"
    ended = AuditEvent.objects.get(action="end", subject_kind="job", subject_id=job.pk)
    assert (ended.actor_name, ended.after["state"]) == ("Export", "done")


FOLDED_INTO_THE_DONGLE = {"dongles.licence", "dongles.smaperiod"}


def test_what_the_demo_writes_is_told():
    build.build_demo(on=date(2026, 2, 1), months=1)
    events = {(event.subject_kind, event.subject_id) for event in AuditEvent.objects.all()}
    silent = [
        f"{label} {pk}"
        for label, pk in all_rows()
        if label not in FOLDED_INTO_THE_DONGLE and not tellers(label, pk) & events
    ]
    assert silent == []


def test_a_superuser_made_on_the_command_line_is_told(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long test password")
    call_command("createsuperuser", email="root@vendor.example", name="Root", interactive=False, verbosity=0)
    event = AuditEvent.objects.get()
    assert (event.actor_name, event.action) == ("manage.py createsuperuser", "create")
    assert event.after == {"email": "root@vendor.example", "name": "Root", "role": "administrator"}

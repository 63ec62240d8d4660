"""What happens to long work."""

from collections.abc import Callable
from typing import Any

from portal import exports, jobs
from portal.trail import TrailFilters
from tests.audit.happenings.beginnings import BY


def exported() -> Callable[[], object]:
    return lambda: exports.start_export(filters=TrailFilters(who="Sam"), **BY)


def daily_job() -> Callable[[], object]:
    return lambda: jobs.start_job_unless_open(kind=JOB_KIND, title="Export", unit="event", **BY)


def started_job() -> Callable[[], object]:
    return lambda: jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)


def cancelled_job() -> Callable[[], object]:
    job = jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY)
    return lambda: jobs.cancel_job(job=job, **BY)


def resumed_job() -> Callable[[], object]:
    job = jobs.cancel_job(job=jobs.start_job(kind=JOB_KIND, title="Export", params={}, **BY), **BY)
    return lambda: jobs.resume_job(job=job, **BY)


JOB_KIND = "audit_export"


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    exports.start_export: exported,
    jobs.start_job_unless_open: daily_job,
    jobs.start_job: started_job,
    jobs.cancel_job: cancelled_job,
    jobs.resume_job: resumed_job,
}

"""Long work for tests: a worker that enters customers, four a slice, and may be held up in the middle of a slice."""

import time
from pathlib import Path

from portal import jobs, outbox
from portal.errors import DomainError
from portal.models import Customer

SLICE = 4


def enter_customers(job, tell):
    """Enters `params.count` customers; the one with the number `params.refuse_at` is refused."""
    first, count = job.checkpoint.get("next", 0), job.params["count"]
    for number in range(first, min(first + SLICE, count)):
        if number == job.params.get("refuse_at"):
            raise DomainError("no_more_customers", "There is no room for another customer.")
        Customer.objects.create(name=f"Customer {number}", country="DE", currency="EUR")
        hold = job.params.get("hold")
        if hold and number == job.params["hold_at"] and Path(hold).exists():
            Path(hold).with_suffix(".held").touch()
            while Path(hold).exists():
                time.sleep(0.02)
                tell(number)
    upto = min(first + SLICE, count)
    if not job.params.get("without_file"):
        jobs.append_to_file(job, "names.csv", "".join(f"Customer {n}\n" for n in range(first, upto)).encode())
    return jobs.Step(upto, count, {"next": upto} if upto < count else None, {"entered": upto, "files": ["names.csv"]})


def crash_once(job, tell):
    """Breaks until a file is there."""
    if not Path(job.params["mended"]).exists():
        raise ZeroDivisionError("a fault of ours")
    return jobs.Step(1, 1, None)


WORKERS = {"enter": "tests.jobs.workers.enter_customers", "crash": "tests.jobs.workers.crash_once"}


def work_off(limit=100):
    """Do slice after slice until nothing is due."""
    for _ in range(limit):
        if not outbox.drain():
            return
    raise AssertionError("it does not end")

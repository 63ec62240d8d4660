import pytest

from portal import jobs
from tests import world
from tests.jobs import workers


@pytest.fixture(autouse=True)
def _workers(settings):
    settings.JOB_WORKERS = {**settings.JOB_WORKERS, **workers.WORKERS}


@pytest.fixture
def start(db):
    """Starts work of a kind, as a sales person asked for it or somebody else."""

    def start(kind="enter", actor=world.SALES, **params):
        return jobs.start_job(
            kind=kind, title="Enter customers", params=params, unit="customer", actor=actor, at=world.at("2026-02-01")
        )

    return start

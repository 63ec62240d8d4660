"""What all tests share: the outbox hands nothing on by itself; each test has a signer's log and a store of its own."""

import pytest

from tests import world


@pytest.fixture(autouse=True)
def _quiet_surroundings(settings, tmp_path):
    settings.OUTBOX_DISPATCH = "none"
    settings.SIGNER_LOG = tmp_path / "signer.log"
    settings.FILES_DIR = tmp_path / "files"
    settings.DOWNLOADS_DIR = tmp_path / "downloads"


def pytest_collection_modifyitems(items):
    """Whatever asks for the database is run again against other servers: `-m database`."""
    for item in items:
        if {"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db"):
            item.add_marker("database")


@pytest.fixture
def catalogue(db):
    world.make_catalogue()


@pytest.fixture
def dongle(catalogue):
    """Two Volocity licences of a German customer, covered through 31 Mar 2026."""
    return world.make_dongle()

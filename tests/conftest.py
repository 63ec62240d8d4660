"""What all tests share: the outbox hands nothing on by itself; each test has a signer's log and a store of its own.

Passwords are hashed as in production, only with little work.
"""

import gc
import os

import hypothesis
import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import override_settings, setup_databases, teardown_databases

from tests import databases, world

hypothesis.settings.register_profile("proof", max_examples=1000)  # each drawn anew; a run of the suite draws a hundred
TransactionTestCase._fixture_teardown = databases.empty_tables


@pytest.fixture(autouse=True)
def _quiet_surroundings(settings, tmp_path):
    settings.OUTBOX_DISPATCH = "none"
    settings.SIGNER_LOG = tmp_path / "signer.log"
    settings.FILES_DIR = tmp_path / "files"
    settings.DOWNLOADS_DIR = tmp_path / "downloads"


@pytest.fixture(scope="session", autouse=True)
def _little_work_for_passwords():
    with override_settings(PASSWORD_HASHERS=["tests.passwords.QuickArgon2"]):  # whatever is made once, too
        yield


def pytest_collection_modifyitems(items):
    """Whatever asks for the database is run again against other servers: `-m database`."""
    for item in items:
        if {"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db"):
            item.add_marker("database")


def pytest_collection_finish():
    """What was imported and collected stays: half a million objects that the collector need not look at again."""
    gc.freeze()


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The database of the run that was migrated and nothing else, once `django_db_setup` is done."""
    folder = tmp_path_factory.getbasetemp()
    is_one_of_several = "PYTEST_XDIST_WORKER" in os.environ
    return databases.Template(folder.parent if is_one_of_several else folder)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker, template):
    """For pytest-django's, which migrates in every process: that takes as long as a hundred tests."""
    with django_db_blocker.unblock(), template.locked():
        if template.name:
            connection.settings_dict["TEST"] |= {"TEMPLATE": template.name, "MIGRATE": False}
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=())
        if not template.name:
            template.make()
    yield
    with django_db_blocker.unblock():
        template.drop_own()
        databases.end_other_connections()
        teardown_databases(made, verbosity=0)


@pytest.fixture
def catalogue(db):
    world.make_catalogue()


@pytest.fixture
def dongle(catalogue):
    """Two Volocity licences of a German customer, covered through 31 Mar 2026."""
    return world.make_dongle()

"""The demo as of one day, built once a process in a database of its own; what a test writes is undone."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import override_settings

from tests import databases

DEMO_DAY = date(2026, 11, 24)
FEW_MONTHS = 3  # of history: the whole is long to build, and tests/demo/test_history.py builds it


@pytest.fixture(scope="session")
def demo_database(django_db_setup, django_db_blocker, template, tmp_path_factory):
    """The name of the database with the demo of DEMO_DAY."""
    place, name = tmp_path_factory.mktemp("demo"), f"{connection.settings_dict['NAME']}_demo"
    with django_db_blocker.unblock():
        with template.locked():
            databases.copy_database(template.name, name)
        with (
            override_settings(
                OUTBOX_DISPATCH="none",
                SIGNER_LOG=place / "signer.log",
                FILES_DIR=place / "files",
                DOWNLOADS_DIR=place / "downloads",
            ),
            databases.connected_to(name),
        ):
            call_command("demo", on=str(DEMO_DAY), history=FEW_MONTHS, stdout=StringIO())
    yield name
    with django_db_blocker.unblock():
        databases.drop_database(name)


@pytest.fixture
def demo(demo_database, django_db_blocker):
    """The database with the demo, inside a transaction of the test's own; its day."""
    with django_db_blocker.unblock(), databases.connected_to(demo_database), transaction.atomic():
        yield DEMO_DAY
        transaction.set_rollback(True)

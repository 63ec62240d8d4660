"""The demo, built once for all tests of a module as of one day; what a test writes is undone."""

from datetime import date

import pytest
from django.db import transaction
from django.test.utils import override_settings

from renewals.demo.build import build_demo

DEMO_DAY = date(2026, 11, 24)
FEW_MONTHS = 3  # of history: the whole is long to build, and tests/demo/test_history.py builds it


@pytest.fixture(scope="module")
def demo_database(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo of DEMO_DAY in the test database, rolled back after the module."""
    place = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(
            OUTBOX_DISPATCH="none",
            SIGNER_LOG=place / "signer.log",
            FILES_DIR=place / "files",
            DOWNLOADS_DIR=place / "downloads",
        ):
            build_demo(on=DEMO_DAY, months=FEW_MONTHS)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def demo(demo_database):
    """The demo inside a transaction of the test's own; its day."""
    with transaction.atomic():
        yield DEMO_DAY
        transaction.set_rollback(True)

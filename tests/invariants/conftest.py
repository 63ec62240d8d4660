"""The sound records, made once for all tests here; what a test does to them is undone."""

import pytest
from django.db import transaction
from django.test.utils import override_settings

from portal import audit_chain
from tests.invariants.records import make_world


@pytest.fixture(scope="package")
def sound_records(django_db_setup, django_db_blocker, tmp_path_factory):
    place = tmp_path_factory.mktemp("sound")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(OUTBOX_DISPATCH="none", SIGNER_LOG=place / "log", FILES_DIR=place / "files"):
            make_world()
        audit_chain.seal_events()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def records(sound_records):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

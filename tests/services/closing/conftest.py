"""An order, accounts for the books, and two people."""

import pytest

from portal.audit import Actor
from renewals.models import AccountMapEntry
from renewals.services.account_map import keep_account
from tests import world


@pytest.fixture
def order(dongle):
    return world.sell(dongle, "2026-02-01")


@pytest.fixture
def accounts(db):
    for role, number in (("receivables", "1400"), ("deferred", "0990"), ("revenue", "8400")):
        entry = AccountMapEntry(role=role, account=number, name=role)
        keep_account(entry=entry, actor=world.SALES, at=world.at("2026-01-02"))


@pytest.fixture
def people(db):
    return [Actor.of(world.make_user("finance", f"{name}@vendor.example")) for name in ("ann", "ben")]

"""The sales desk as of today: a dongle that expires in 30 days, and browsers of each role logged in."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests import world


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def dongle(catalogue, today):
    """Two Volocity licences of a German customer, covered for 30 days more."""
    ends = (today + timedelta(days=30)).isoformat()
    return world.make_dongle(licences=[("VOL-VIS", ends), ("VOL-QNT", ends)])


def client_of(role, **fields):
    client = Client()
    client.force_login(world.make_user(role, **fields))
    return client


@pytest.fixture
def sales(db):
    return client_of("sales")


@pytest.fixture
def finance(db):
    return client_of("finance")


@pytest.fixture
def administrator(db):
    return client_of("administrator", is_superuser=True)


@pytest.fixture
def customer_user(db):
    return client_of("customer", customer=world.make_customer("A customer"))

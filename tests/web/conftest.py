"""The sales desk as of today: a dongle that expires in 30 days, and browsers of each role logged in."""

import os
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests import world
from tests.web.browsing import BROWSERS, FLAGS, browser_path

# Once a browser was started its driver runs a loop in the thread of the tests, until the last of them.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def dongle(catalogue, today):
    """Two Volocity licences of a German customer, covered for 30 days more."""
    ends = (today + timedelta(days=30)).isoformat()
    return world.make_dongle(licences=[("VOL-VIS", ends), ("VOL-QNT", ends)])


@pytest.fixture
def contact(catalogue):
    """A contact of a customer without a dongle."""
    return world.make_customer().contacts.get()


def client_of(role, **fields):
    client = Client()
    world.log_in(client, world.make_user(role, **fields))
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
    """A contact of a customer that has nothing to do with anybody else here."""
    customer = world.make_customer("A customer")
    return client_of("customer", email=customer.contacts.get().email, customer=customer)


@pytest.fixture
def owner(dongle):
    """Ada Lenz of the dongle's owner, logged in."""
    return client_of("customer", email=dongle.customer.contacts.get().email, customer=dongle.customer)


@pytest.fixture(scope="session")
def browser_type_launch_args():
    """The machine's own browser; nothing is downloaded."""
    path = browser_path()
    if path is None:
        pytest.skip(f"No browser: install one of {', '.join(BROWSERS)} to run the browser tests.")
    return {"executable_path": path, "args": list(FLAGS)}


@pytest.fixture
def portal(live_server):
    """The portal's address, with a small vendor behind it."""
    world.make_catalogue()
    return live_server.url

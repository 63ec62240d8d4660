"""Clients with tokens, and a clock that stands still: the API reads it, the services are told."""

import pytest
from django.core.cache import cache
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests import world

TODAY = "2026-02-01"


@pytest.fixture(autouse=True)
def _failures_forgotten():
    cache.clear()


@pytest.fixture(autouse=True)
def set_day(monkeypatch):
    """Makes it noon of a day; 1 Feb 2026 to begin with."""

    def set_to(day: str) -> None:
        monkeypatch.setattr(timezone, "now", lambda: world.at(day))

    set_to(TODAY)
    return set_to


def client_of(user) -> APIClient:
    """A client that sends a token of the user's."""
    _, token = AuthToken.objects.create(user=user, expiry=None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    client.default_format = "json"
    return client


@pytest.fixture
def sales(db):
    return client_of(world.make_user("sales"))


@pytest.fixture
def finance(db):
    return client_of(world.make_user("finance"))


@pytest.fixture
def administrator(db):
    return client_of(world.make_user("administrator"))


@pytest.fixture
def api_client(db):
    """Somebody without a token."""
    return APIClient()

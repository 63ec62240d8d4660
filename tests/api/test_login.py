"""A token is had for e-mail, password and a code; what is missing or wrong says so by its code."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from knox.models import AuthToken

from portal.models import AuditEvent
from portal.second_factor import give_demo_factor
from tests import world
from tests.api.asking import assert_problem, post

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"


def log_in(client, user, **more):
    return post(client, "login/", {"email": user.email, "password": PASSWORD, **more})


def test_password_and_code_give_a_token_once(api_client):
    user, code = world.make_user(), world.code_now()
    answer = log_in(api_client, user, code=code)
    assert (answer.status_code, answer.json()["name"]) == (200, "Sales")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("log_in", user)
    assert event.after == {"second_factor": "totp", "for": "API"}
    assert_problem(log_in(api_client, user, code=code), 401, "second_factor_wrong")
    assert AuthToken.objects.count() == 1


def test_the_password_alone_is_not_enough(api_client):
    user = world.make_user()
    answer = log_in(api_client, user)
    assert_problem(answer, 401, "second_factor_needed")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert_problem(log_in(api_client, user, code="000000"), 401, "second_factor_wrong")
    assert not AuthToken.objects.exists()


def test_a_wrong_password_says_nothing_of_the_second_factor(api_client):
    user = world.make_user()
    answer = post(api_client, "login/", {"email": user.email, "password": "wrong", "code": world.code_now()})
    assert_problem(answer, 401, "authentication_failed")


def test_who_has_no_second_factor_sets_one_up_on_the_pages(api_client):
    user = world.make_user(has_second_factor=False)
    RecoveryCodes.activate(user)  # which are none
    assert_problem(log_in(api_client, user, code="123456"), 401, "second_factor_missing")
    assert not AuthToken.objects.exists()


def test_a_recovery_code_stands_in_once(api_client):
    user = world.make_user()
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    assert log_in(api_client, user, code=code).status_code == 200
    assert_problem(log_in(api_client, user, code=code), 401, "second_factor_wrong")


def test_five_wrong_codes_hold_the_user_on_the_pages_too(api_client, client):
    user = world.make_user()
    for _ in range(5):
        assert_problem(log_in(api_client, user, code="000000"), 401, "second_factor_wrong")
    answer = log_in(api_client, user, code=world.code_now())
    assert_problem(answer, 429, "throttled")
    assert 290 < int(answer.headers["Retry-After"]) <= 301
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    page = client.post("/accounts/second-factor/code/", {"code": world.code_now()})
    assert "Try again in 5 minutes." in page.content.decode()
    assert not AuthToken.objects.exists()


def test_without_counting_failures_nobody_gets_a_token(api_client, settings):
    user = world.make_user()
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert_problem(log_in(api_client, user, code=world.code_now()), 503, "login_unavailable")
    assert not AuthToken.objects.exists()


def test_in_production_the_demos_factor_counts_for_nothing(api_client, settings, monkeypatch):
    user = world.make_user(has_second_factor=False)
    give_demo_factor([user])
    monkeypatch.setattr(world, "FACTOR_SECRET", settings.DEMO_FACTOR_SECRET)
    settings.PRODUCTION = True
    assert_problem(log_in(api_client, user, code=world.code_now()), 401, "second_factor_wrong")
    settings.PRODUCTION = False
    assert Authenticator.objects.count() == 1
    assert log_in(api_client, user, code=world.code_now(1)).status_code == 200

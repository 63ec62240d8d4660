"""Staff log in with a password and a second factor; failures slow and lock; nothing opens before."""

import re
import time
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from portal import failures, notices
from portal.models import AuditEvent, OutboxMessage, SentMail, User
from portal.second_factor import WRONG_CODE, give_demo_factor
from tests import world

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"
CODE = reverse("mfa_authenticate")
SET_UP = reverse("mfa_index")


@pytest.fixture(autouse=True)
def _failures_forgotten():
    cache.clear()


def give_password(client, user, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": user.email, "password": password, **more})


def give_code(client, code):
    return client.post(CODE, {"code": code})


def is_in(client):
    """Whether the search, which every member of staff may see, opens."""
    return client.get(reverse("dongles:find")).status_code == 200


def actions(user):
    return list(AuditEvent.objects.filter(subject_kind="user", subject_id=user.pk).values_list("action", flat=True))


def test_password_and_code_lead_to_the_page_that_was_asked_for(client):
    user = world.make_user()
    asked = client.get("/orders/")
    assert asked.url == "/accounts/login/?next=/orders/"
    assert give_password(client, user, next="/orders/").url == CODE
    assert not is_in(client)
    assert give_code(client, world.code_now()).url == "/orders/"
    assert is_in(client)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.after) == ("log_in", user, {"second_factor": "totp"})


def test_a_wrong_password_does_not_say_what_is_wrong(client):
    user = world.make_user()
    answers = [give_password(client, user, "another"), give_password(client, User(email="nobody@vendor.example"))]
    assert [answer.status_code for answer in answers] == [422, 422]
    for answer in answers:
        assert "E-mail address and password don&#x27;t belong together." in answer.content.decode()
    assert client.get(CODE).status_code == 302
    assert not is_in(client)


def test_a_wrong_code_comes_back_as_typed(client):
    give_password(client, world.make_user())
    answer = give_code(client, "000000x")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="000000x"' in page
    assert WRONG_CODE in page
    assert not is_in(client)


def test_a_code_is_taken_once(client):
    user, code = world.make_user(), world.code_now()
    give_password(client, user)
    assert give_code(client, code).status_code == 302
    cache.clear()  # whatever the cache forgets, the database remembers
    other = Client()
    give_password(other, user)
    assert give_code(other, code).status_code == 422
    assert give_code(other, world.code_now(-1)).status_code == 422  # nor one from before
    assert not is_in(other)
    assert give_code(other, world.code_now(1)).status_code == 302


@pytest.mark.parametrize("steps", [-3, 2, 3])
def test_codes_of_other_times_are_none(client, steps):
    give_password(client, world.make_user())
    assert give_code(client, world.code_now(steps)).status_code == 422


def addresses(resolver=None, prefix="/"):
    """Every address of the portal, with something in the place of its parts."""
    for each in (resolver or get_resolver()).url_patterns:
        text = prefix + re.sub(r"<uuid:\w+>", str(uuid4()), str(each.pattern)).strip("^").rstrip("$")
        text = re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]*>", "1", text)
        if isinstance(each, URLPattern):
            yield text.replace("\\Z", "")
        else:
            yield from addresses(each, text)


OPEN_BEFORE_IT = {"/health/", "/accounts/login/", "/accounts/logout/"}  # not the customers' login, above all
TO_SET_UP = {"/accounts/second-factor/", "/accounts/second-factor/app/", "/accounts/second-factor/passkeys/add/"}
TO_SET_UP |= {"/accounts/reauthenticate/"}
TO_SHOW = {"/accounts/second-factor/again/", "/accounts/second-factor/passkeys/again/"}


@pytest.mark.parametrize(("role", "has_one"), [("sales", False), ("finance", True), ("administrator", False)])
def test_a_session_without_second_factor_reaches_nothing(client, role, has_one):
    """Over all addresses there are: whether the user has one elsewhere or none at all."""
    client.force_login(world.make_user(role, has_second_factor=has_one))
    found = [each for each in addresses() if not each.startswith("/api/")]
    assert len(found) > 60
    leads_to = reverse("mfa_reauthenticate") if has_one else SET_UP
    reached = set()
    for address in found:
        for answer in (client.get(address), client.post(address, {})):
            if answer.status_code == 302 and answer.url == leads_to:
                continue
            reached.add(address)
            if address == "/accounts/logout/":
                client.force_login(User.objects.get())
    assert reached <= OPEN_BEFORE_IT | (TO_SHOW if has_one else TO_SET_UP)


def test_a_page_that_is_not_there_shows_no_way_into_the_portal(client):
    client.force_login(world.make_user())
    page = client.get("/nowhere/").content.decode()
    assert "site-nav" not in page
    assert "Keys" not in page


def test_a_customers_user_needs_none(client):
    user = world.make_user("customer", customer=world.make_customer())
    assert give_password(client, user).url == "/"
    assert client.get(reverse("dongles:find")).status_code == 403


def start_app(client):
    """The page that sets up an app, and the secret that it shows."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    return re.search(r'id="secret-letters">([A-Z2-7 ]+)<', page)[1].replace(" ", "")


def test_who_has_none_sets_up_an_app_right_after_the_password(client, monkeypatch):
    user = world.make_user(has_second_factor=False)
    give_password(client, user)
    assert client.get("/orders/").url == SET_UP
    assert "Set up a second factor" in client.get(SET_UP).content.decode()
    monkeypatch.setattr(world, "FACTOR_SECRET", start_app(client))
    refused = client.post(reverse("mfa_activate_totp"), {"code": "12"})
    assert refused.status_code == 422
    assert "The app does not show this code now." in refused.content.decode()
    assert not Authenticator.objects.exists()
    done = client.post(reverse("mfa_activate_totp"), {"code": world.code_now()})
    assert done.url == reverse("mfa_view_recovery_codes")
    codes = re.findall(r"<li><code>(\d{8})</code>", (shown := client.get(done.url)).content.decode())
    assert len(set(codes)) == 10
    assert 'href="/orders/"' in shown.content.decode()
    assert shown.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert codes[0] not in client.get(done.url).content.decode()  # once
    assert is_in(client)
    assert actions(user) == ["add_second_factor"]


def test_the_code_that_set_the_app_up_does_not_log_in(client, monkeypatch):
    user = world.make_user(has_second_factor=False)
    give_password(client, user)
    monkeypatch.setattr(world, "FACTOR_SECRET", start_app(client))
    client.post(reverse("mfa_activate_totp"), {"code": (code := world.code_now())})
    other = Client()
    give_password(other, user)
    assert give_code(other, code).status_code == 422


def test_a_session_from_before_the_app_was_set_up_has_to_show_it(client):
    user = world.make_user(has_second_factor=False)
    give_password(client, user)
    TOTP.activate(user, world.FACTOR_SECRET)  # in another browser
    assert client.get(reverse("mfa_add_webauthn")).url == reverse("mfa_reauthenticate")
    assert not is_in(client)
    client.post(reverse("mfa_reauthenticate"), {"code": world.code_now()})
    assert is_in(client)


def test_a_recovery_code_stands_in_once(client):
    user = world.make_user()
    code = RecoveryCodes.activate(user).get_unused_codes()[3]
    give_password(client, user)
    assert give_code(client, code).status_code == 302
    assert AuditEvent.objects.get().after == {"second_factor": "recovery_codes"}
    other = Client()
    give_password(other, user)
    assert give_code(other, code).status_code == 422


def test_five_wrong_codes_hold_the_account_and_say_for_how_long(client):
    user = world.make_user()
    give_password(client, user)
    for _ in range(5):
        assert "Too many" not in give_code(client, "000000").content.decode()
    for _ in range(3):
        answer = give_code(client, world.code_now())
        assert answer.status_code == 422
        assert "Too many failed attempts. Try again in 5 minutes." in answer.content.decode()
    assert not is_in(client)
    assert actions(user) == ["slow_login"]  # the attempts after it leave nothing
    assert AuditEvent.objects.get().after == {"minutes": 5}


def test_five_wrong_passwords_hold_the_account_and_say_for_how_long(client):
    user = world.make_user()
    for number in range(5):
        give_password(Client(REMOTE_ADDR=f"192.0.2.{number}"), user, "wrong")
    answer = give_password(client, user)
    assert "Too many failed attempts. Try again in 5 minutes." in answer.content.decode()
    assert client.get(CODE).status_code == 302
    assert actions(user) == ["slow_login"]


def fail_for_a_day(user, key):
    """Twenty failures over the last twenty minutes, as allauth counts them: newest first."""
    newest = time.time() - 301
    for rate in failures.ratelimit.get_rates(**failures.COUNTING):
        if rate.per == "key":
            history = [newest - 60 * number for number in range(19)]
            where = failures.ratelimit.get_cache_key(None, rate=rate, key=key, **failures.COUNTING)
            cache.set(where, [at for at in history if at > time.time() - rate.duration], rate.duration)


def test_twenty_failures_in_a_day_lock_the_account_until_an_administrator_unlocks_it(client, administrator):
    user = world.make_user()
    fail_for_a_day(user, failures.password_key(user.email))
    give_password(client, user, "wrong")
    assert "this account is locked for 24 hours" in give_password(client, user).content.decode()
    assert actions(user) == ["lock_login"]
    listed = reverse("admin:portal_user_changelist")
    administrator.post(listed, {"action": "unlock_logging_in", "_selected_action": user.pk})
    assert actions(user) == ["lock_login", "unlock_login"]
    assert give_password(client, user).url == CODE


def test_a_new_password_by_mail_unlocks_the_password_too(client, settings):
    user = world.make_user()
    fail_for_a_day(user, failures.password_key(user.email))
    give_password(client, user, "wrong")
    client.post(reverse("account_reset_password"), {"email": user.email})
    message = OutboxMessage.objects.get(kind="password_reset")
    assert message.payload == {"user_id": user.pk}
    notices.send_password_reset(message)
    link = re.search(rf"{settings.ADDRESS}(/accounts/password/reset/key/\S+)", SentMail.objects.get().text)[1]
    form = client.get(link).url
    chosen = "quite another password"
    assert client.post(form, {"password1": chosen, "password2": "x"}).status_code == 422
    assert client.post(form, {"password1": chosen, "password2": chosen}).status_code == 302
    assert not is_in(client)
    assert give_password(client, user, chosen).url == CODE
    assert "reset_password" in actions(user)
    assert "good no more" in Client().get(link).content.decode()


def test_a_new_password_for_nobody_is_answered_alike_and_mails_nobody(client):
    answer = client.post(reverse("account_reset_password"), {"email": "nobody@vendor.example"})
    assert answer.url == reverse("account_reset_password_done")
    assert not OutboxMessage.objects.exists()


def test_without_counting_failures_nobody_logs_in(client, settings):
    user = world.make_user()
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    answer = give_password(client, user)
    assert answer.status_code == 503
    assert "Nobody can log in at the moment" in answer.content.decode()
    assert not is_in(client)
    world.log_in(client, user)  # who was logged in goes on working
    assert is_in(client)


def test_after_logging_out_everything_is_asked_again(client):
    sam = world.make_user()
    world.log_in(client, sam)
    assert client.post(reverse("account_logout")).status_code == 302
    assert client.get("/orders/").url.startswith("/accounts/login/")
    assert give_password(client, sam).url == CODE


def test_the_demos_code_stands_on_the_page(client):
    user = world.make_user(has_second_factor=False)
    give_demo_factor([user])
    for _ in range(2):  # the second time it is the next one: none is taken twice
        give_password(client, user)
        code = re.search(r"the code is <code>(\d{6})</code>", client.get(CODE).content.decode())[1]
        assert give_code(client, code).status_code == 302
        client.post(reverse("account_logout"))


def test_nobody_elses_code_stands_there(client):
    give_password(client, world.make_user())
    assert "Demo" not in client.get(CODE).content.decode()


def test_in_production_the_demos_factor_counts_for_nothing(client, settings, monkeypatch):
    user = world.make_user(has_second_factor=False)
    give_demo_factor([user])
    settings.PRODUCTION = True
    monkeypatch.setattr(world, "FACTOR_SECRET", settings.DEMO_FACTOR_SECRET)
    give_password(client, user)
    assert "Demo" not in client.get(CODE).content.decode()
    assert give_code(client, world.code_now()).status_code == 422
    assert not is_in(client)


def test_secrets_are_encrypted_and_another_key_says_so(client, settings):
    user = world.make_user()
    assert world.FACTOR_SECRET not in str(Authenticator.objects.values_list("data", flat=True)[0])
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "x" * 60
    give_password(client, user)
    answer = give_code(client, world.code_now())
    assert answer.status_code == 409
    assert "The portal&#x27;s secret key has changed" in answer.content.decode()
    assert not is_in(client)
    settings.SECRET_KEY_FALLBACKS = [before]
    again = Client()
    give_password(again, user)
    assert give_code(again, world.code_now()).status_code == 302

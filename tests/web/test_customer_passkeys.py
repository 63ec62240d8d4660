"""Customers' passkeys, which log in alone; and the second factor of staff, which no customer has or needs."""

import time

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect

from portal import outbox
from portal.audit import Actor
from portal.models import AuditEvent, SentMail, User
from portal.services.logins import add_passkey
from portal.services.users import Account, change_user
from tests import world
from tests.web.mailed_codes import ASK, HOME, ask, confirm, is_in, mailed
from tests.web.test_passkeys import page_with_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


def log_in_by_hand(page, portal, client, user):
    world.log_in(client, user)
    cookie = {"name": "sessionid", "value": client.session.session_key, "url": portal}
    page.context.add_cookies([cookie])


@pytest.mark.browser
def test_a_customers_passkey_logs_in_alone_until_it_is_removed(portal, browser, client):
    contact = world.make_customer().contacts.get()
    user = world.make_user("customer", contact.email, customer=contact.customer)
    with page_with_key(browser) as page:
        log_in_by_hand(page, portal, client, user)
        page.goto(portal + reverse("renewals:my_add_passkey"))
        page.fill("[name=name]", "My laptop")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("status").or_(page.locator(".message")).first).to_contain_text("My laptop logs you in")
        page.context.clear_cookies()
        page.goto(portal + "/my/account/")
        page.get_by_role("link", name="Log in with a passkey").click()
        page.get_by_role("button", name="Use your passkey").click()
        expect(page.locator("h1")).to_have_text("Account")
        page.get_by_role("button", name="Remove My laptop").click()
        page.context.clear_cookies()
        page.goto(portal + reverse("account_login_by_passkey"))
        page.get_by_role("button", name="Use your passkey").click()
        expect(page.get_by_role("alert").first).to_contain_text("This passkey was not accepted.")
    events = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert events == ["add_passkey", "log_in", "remove_passkey"]
    assert AuditEvent.objects.get(action="log_in").after == {"by": "passkey"}
    outbox.drain()
    assert SentMail.objects.get().recipients == [contact.email]


@pytest.mark.browser
def test_a_passkey_of_staff_is_a_second_factor_and_logs_nobody_in(portal, browser, client):
    """Even one that would do for a customer: made on this page while its owner was one."""
    contact = world.make_customer().contacts.get()
    user = world.make_user("customer", contact.email, customer=contact.customer)
    with page_with_key(browser) as page:
        log_in_by_hand(page, portal, client, user)
        page.goto(portal + reverse("renewals:my_add_passkey"))
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("h1")).to_have_text("Account")
        User.objects.update(role="sales")
        page.context.clear_cookies()
        page.goto(portal + reverse("account_login_by_passkey"))
        page.get_by_role("button", name="Use your passkey").click()
        expect(page.get_by_role("alert").first).to_contain_text("This passkey was not accepted.")
        assert page.goto(portal + "/orders/").url.endswith("/accounts/login/?next=/orders/")


def test_who_logged_in_by_a_passkey_alone_has_shown_no_second_factor(client):
    user = world.make_user()
    world.log_in(client, user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "webauthn", "at": time.time(), "passwordless": True}
    ]
    session.save()
    assert client.get("/orders/").url == reverse("mfa_reauthenticate")


def test_after_a_code_by_mail_no_passkey_is_asked_for_too(client, contact):
    user = world.make_user("customer", contact.email, customer=contact.customer)
    add_passkey(user=user, name="Laptop", credential={}, actor=Actor.of(user), at=world.at("2026-02-01"))
    ask(client, contact.email)
    assert confirm(client, mailed()).url == HOME
    assert is_in(client)


def test_who_becomes_staff_is_logged_out_everywhere(client, contact):
    ask(client, contact.email)
    confirm(client, mailed())
    user = User.objects.get()
    account = Account(user.email, user.name, "sales")
    change_user(user=user, account=account, actor=Actor("Admin"), at=world.at("2026-02-01"))
    assert client.get(HOME).url.startswith(ASK)
    assert client.get(reverse("mfa_index")).status_code == 302
    assert "_auth_user_id" not in client.session


def test_customers_set_up_no_second_factors(client, contact):
    world.log_in(client, world.make_user("customer", contact.email, customer=contact.customer))
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).url == reverse("renewals:my_account"), name
        assert client.post(reverse(name)).url == reverse("renewals:my_account"), name
    assert not Authenticator.objects.exists()

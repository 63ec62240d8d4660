"""Passkeys in a real browser, with an authenticator that Chromium plays."""

from contextlib import contextmanager

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import AuditEvent
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_journeys import log_in

pytestmark = pytest.mark.browser


@contextmanager
def page_with_key(browser):
    """A page of a browser with a security key inside, whose owner always agrees."""
    with watched_page(browser) as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        key |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        page.key = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})["authenticatorId"]
        page.devtools = devtools
        yield page


def give_password(page, portal, user):
    page.goto(portal + reverse("account_login"))
    page.fill("[name=login]", user.email)
    page.fill("[name=password]", "a long test password")
    page.click("main button.button-primary")


def test_the_first_factor_is_a_passkey_which_then_logs_in(portal, browser):
    user = world.make_user(has_second_factor=False)
    with page_with_key(browser) as page:
        give_password(page, portal, user)
        expect(page.locator("h1")).to_have_text("Set up a second factor")
        page.get_by_role("link", name="Set up a passkey").click()
        page.fill("[name=name]", "My laptop")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("h1")).to_have_text("Recovery codes")
        expect(page.locator(".recovery-codes li")).to_have_count(10)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as a file").click()
        assert len(download.value.path().read_text().split()) == 10
        page.get_by_role("link", name="go on").click()
        page.goto(portal + reverse("mfa_index"))
        expect(page.locator("tbody th")).to_have_text("My laptop")
        page.locator(".user-menu summary").click()
        page.get_by_role("button", name="Log out").click()

        give_password(page, portal, user)
        expect(page.locator("h1")).to_have_text("Second step")
        page.get_by_role("button", name="Use your passkey").click()
        expect(page.locator(".user-menu")).to_be_visible()
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    events = list(AuditEvent.objects.order_by("pk").values_list("action", "after"))
    assert events == [("add_second_factor", {"kind": "webauthn"}), ("log_in", {"second_factor": "webauthn"})]


def test_a_passkey_is_added_beside_the_app_once_and_shown_again(portal, browser, client):
    user = world.make_user()
    with page_with_key(browser) as page:
        log_in(page, portal, client, user)
        page.goto(portal + reverse("mfa_add_webauthn"))
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("h1")).to_have_text("Recovery codes")
        page.goto(portal + reverse("mfa_add_webauthn"))
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("has a passkey of yours for the portal already")
        page.goto(portal + reverse("mfa_reauthenticate_webauthn") + "?next=/orders/")
        page.get_by_role("button", name="Use your passkey").click()
        page.wait_for_url("**/orders/")
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_key_that_is_not_the_users_does_not_log_in(portal, browser, client):
    user = world.make_user()
    with page_with_key(browser) as page:
        log_in(page, portal, client, user)
        page.goto(portal + reverse("mfa_add_webauthn"))
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("h1")).to_have_text("Recovery codes")
        page.context.clear_cookies()
        page.devtools.send("WebAuthn.clearCredentials", {"authenticatorId": page.key})
        give_password(page, portal, user)
        page.evaluate(
            """() => {
                const form = document.querySelector("form[data-passkey]");
                const credential = {id: "x", rawId: "x", type: "public-key", response: {}};
                form.elements.credential.value = JSON.stringify(credential);
                HTMLFormElement.prototype.submit.call(form);
            }"""
        )
        expect(page.get_by_role("alert").first).to_contain_text("This passkey was not accepted.")
        assert page.locator(".user-menu").count() == 0


def test_at_an_address_of_numbers_the_page_says_why_there_are_no_passkeys(client, db):
    user = world.make_user()
    world.log_in(client, user)
    page = client.get(reverse("mfa_add_webauthn"), headers={"host": "127.0.0.1:8000"}).content.decode()
    assert "they don't work at an address of numbers such as 127.0.0.1:8000" in page
    assert "http://localhost:8000/" in page
    assert "data-passkey=" not in page

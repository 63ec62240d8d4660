"""Every page that needs no login, as a browser gets it for the first time: light, and asking nobody but the portal."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect

from tests import world
from tests.web.browsing import watched_page
from tests.web.test_guards import is_public, patterns

pytestmark = pytest.mark.browser
MOST_BYTES = 100_000
CONTINUE = "main form button.button-primary"

# Public addresses that show no page: they answer software, or only take what a page sends.
NO_PAGES = re.compile(r"api/|feeds/|health/|quote/<slug:number>/(document|accept|decline|ask|choose|again)/")
# Those around logging in that staff alone come to, with a login of some step behind them.
FOR_STAFF = re.compile(r"accounts/(second-factor|reauthenticate|password/change|logout|inactive|signup)")
KEY_OF_PASSWORD = "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"


def public_pages():
    return {
        address
        for address, _ in patterns()
        if is_public(address) and not NO_PAGES.match(address) and not FOR_STAFF.match(address)
    }


def over_the_wire(answer):
    """The bytes of an answer in production: static files are packed beforehand, pages come as they are."""
    path = urlsplit(answer.url).path
    if path.startswith("/static/"):
        return packed(path)
    return 0 if answer.status == 302 else len(answer.body())


def packed(path):
    """The bytes of a static file as production packs it."""
    return len(gzip.compress(Path(finders.find(path.removeprefix("/static/"))).read_bytes(), 9))


class Scales:
    """Weighs a page with everything that it loads, as for somebody who was never here before."""

    def __init__(self, page, portal):
        self.page, self.portal, self.weights, self._answers = page, portal, {}, []
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.on("response", lambda answer: self._answers.append(answer))

    def weigh(self, pattern, address=None):
        """Open the page, or look at the one that the browser has just come to."""
        if address is not None:
            self._answers.clear()
            self.page.goto(self.portal + address)
        self.page.wait_for_load_state("load")
        asked = [answer for answer in self._answers if not answer.url.startswith("data:")]
        icon = self.page.locator("link[rel=icon]").get_attribute("href")  # a browser without a window asks for none
        assert any(answer.url.endswith("/portal.css") for answer in asked)
        self.weights[pattern] = sum(map(over_the_wire, asked)) + packed(icon)
        self._answers.clear()


def test_every_public_page_weighs_less_than_100_kB_the_first_time_and_asks_nobody_else(portal, browser, today):
    cache.clear()
    dongle = world.make_dongle(licences=[(code, today.isoformat()) for code in ("VOL-VIS", "VOL-QNT")])
    contact = dongle.customer.contacts.get()
    version = world.send(dongle, today, renew_years=3)
    with watched_page(browser) as page:  # which asserts that no other host is asked
        scales = Scales(page, portal)
        for name in ("home", "dongles:check_code", "account_login", "account_login_by_passkey"):
            scales.weigh(reverse(name)[1:], reverse(name))
        for name in ("account_reset_password", "account_reset_password_done", "account_reset_password_from_key_done"):
            scales.weigh(reverse(name)[1:], reverse(name))
        scales.weigh(KEY_OF_PASSWORD, "/accounts/password/reset/key/1-abc/")
        scales.weigh("reminders/<uuid:key>/", reverse("renewals:reminders_of_key", args=[contact.reminders_key]))
        scales.weigh("q/<slug:key>/", reverse("renewals:quote_of_key", args=[version.key]))
        scales.weigh("quote/<slug:number>/", page.url.removeprefix(portal))
        scales.weigh("accounts/login/code/", reverse("account_request_login_code"))
        page.fill("[name=email]", contact.email)
        page.click(CONTINUE)
        expect(page.locator("[name=code]")).to_be_visible()
        scales.weigh("accounts/login/code/confirm/")
        scales.weigh("renew/", reverse("renewals:renew"))
        page.fill("[name=serials]", "104233, 999999")
        page.click(CONTINUE)
        page.fill("[name=name]", "Ada Lenz")
        scales.weigh("renew/details/", reverse("renewals:renew_details"))
        page.fill("[name=name]", "Ada Lenz")
        page.fill("[name=email]", contact.email)
        page.click(CONTINUE)
        expect(page.locator(".answers")).to_be_visible()
        scales.weigh("renew/check/")
        page.click(CONTINUE)
        expect(page.locator("h1")).to_have_text("Your request was sent")
        scales.weigh("renew/done/")
    assert set(scales.weights) == public_pages()
    assert min(scales.weights.values()) > 10_000  # the stylesheet is counted
    assert {name: size for name, size in scales.weights.items() if size >= MOST_BYTES} == {}

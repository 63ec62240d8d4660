"""From the link in the mail to an accepted quote in a real browser: in four clicks at most, by keyboard, scriptless."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from portal import outbox
from portal.models import SentMail
from renewals.models import Order
from tests import papers, world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import Keyboard, Mouse, log_in

pytestmark = pytest.mark.browser
MOST_CLICKS = 4


class CountingMouse(Mouse):
    """Somebody who points and clicks, each click counted; typing is none, since the keyboard goes on by itself."""

    clicks = 0

    def press(self, selector):
        self.clicks += 1
        super().press(selector)


WAYS = {
    "mouse": (CountingMouse, {}),
    "keyboard": (Keyboard, {}),
    "without script": (CountingMouse, {"java_script_enabled": False}),
}


def mailed_link(today):
    """A quote for a year of two licences, and where the link in its mail leads."""
    ends = str(today + timedelta(days=30))
    world.send(world.make_dongle(licences=[("VOL-VIS", ends), ("VOL-QNT", ends)]), today)
    outbox.drain()
    return urlsplit(re.search(r"http\S+/q/\S+", SentMail.objects.get().text)[0]).path


@pytest.mark.parametrize("way", WAYS)
def test_from_the_link_in_the_mail_to_accepted(way, portal, browser, today):
    person_of, options = WAYS[way]
    link = mailed_link(today)
    with watched_page(browser, **options) as page:
        page.goto(portal + link)  # the first click, in the mail
        person = person_of(page)
        expect(page).to_have_url(re.compile(r"/quote/Q-\d+/$"))
        person.write("[name=purchase_order_number]", "PO-77")
        file = {"name": "PO-77.pdf", "mimeType": "application/pdf", "buffer": papers.PDF}
        page.locator("[name=purchase_order_file]").set_input_files(file)
        person.write("#id_accepted_by", "Pat Buyer")
        person.write("[name=role]", "Purchasing")
        if way == "keyboard":
            person.reach("[name=agrees]")
            page.keyboard.press("Space")
        else:
            person.press("[name=agrees]")
        person.press(".next-step button.button-primary")
        expect(page.locator("main")).to_contain_text("accepted. Thank you.")
        expect(page.locator("main")).to_contain_text("Pat Buyer, Purchasing")
    order = Order.objects.get()
    assert order.files.count() == 1
    assert 1 + getattr(person, "clicks", 0) <= MOST_CLICKS


@pytest.mark.timeout(120)
def test_the_pages_after_login_and_a_refused_form_have_no_barrier(portal, browser, client, today):
    customer = world.make_customer()
    ends = str(today + timedelta(days=30))
    version = world.send(world.make_dongle("1", customer, [("VOL-VIS", ends)]), today)
    world.sell(world.make_dongle("2", customer, [("VOL-VIS", ends)]), today)
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        user = world.make_user("customer", email=customer.contacts.get().email, customer=customer)
        log_in(page, portal, client, user)
        page.goto(portal + reverse("renewals:my_quotes"))
        check(page, found)
        page.goto(portal + reverse("renewals:my_quote", args=[version.quote_id]))
        for each in page.locator(".quote-past details > summary").all():
            each.click()
        page.locator(".next-step button.button-primary").click()
        page.locator(".error-summary").wait_for()
        check(page, found)
    assert found == []

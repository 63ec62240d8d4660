"""The ten main tasks of a customer, each done by the keyboard alone.

Some are done in journeys of their own, which are not repeated here:
 1 request a renewal                 test_renew_journey.py, test_a_contact_on_file_comes_to_a_reference_in_three_pages
 2 log in                            test_customer_login.py, test_the_way_in_by_the_keyboard_alone
 3 find a dongle and how it stands   here
 4 renew several together            test_my_journey.py, test_two_dongles_are_renewed_together_by_keyboard_alone
 5 accept a quote                    test_customer_quote_journey.py, test_from_the_link_in_the_mail_to_accepted
 6 ask about a quote, decline it     here
 7 apply a code, enter its receipt   here
 8 download a version                here
 9 check a code                      test_check_code.py, test_a_mistyped_code_is_put_right_by_keyboard_alone
10 change reminders and contacts     here
"""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dongles.models import Dongle
from portal.models import Contact
from renewals.models import QuoteQuestion
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_journeys import Keyboard, letters_on, log_in, receipt_of_the_dongle

pytestmark = pytest.mark.browser
CONFIRM = ".next-step button.button-primary"


@pytest.fixture
def institute(portal, today):
    """An institute whose dongle 104233 expires in 20 days and 777 in 40."""
    customer = world.make_customer()
    for serial, days in (("104233", 20), ("777", 40)):
        world.make_dongle(serial, customer, [("VOL-VIS", str(today + timedelta(days=days)))])
    return customer


@pytest.fixture
def page(portal, browser, client, institute):
    """The browser of the institute's contact, who is logged in."""
    with watched_page(browser) as page:
        contact = institute.contacts.get()
        log_in(page, portal, client, world.make_user("customer", contact.email, customer=institute))
        yield page


def test_a_dongle_is_found_its_code_applied_and_a_version_downloaded(portal, page, today):
    world.make_release_file(world.make_release("8.1", str(today - timedelta(days=5))))
    world.sell(Dongle.objects.get(serial="104233"), today)
    hands = Keyboard(page)
    page.goto(portal + "/my/")
    hands.press("a[href='/my/dongles/104233/']")
    expect(page.locator("h1")).to_have_text("Dongle 104233")
    expect(page.locator(".page-lead")).to_contain_text("Its newest unlock code waits to be applied")
    hands.press(".next-step a.button-primary")
    expect(page.locator("h1")).to_contain_text("Unlock code 104233-0-")
    hands.write("[name=receipt]", receipt_of_the_dongle("104233", letters_on(page)).receipt)
    hands.press(CONFIRM)
    expect(page.locator(".message")).to_contain_text("Dongle 104233 is up to date")
    hands.press(".site-nav a[href='/my/downloads/']")
    with page.expect_download() as downloading:
        hands.press("main a.button-primary")
    assert downloading.value.suggested_filename == "setup-8.1.zip"
    dongle = Dongle.objects.get(serial="104233")
    assert dongle.confirmed_expiry_on == dongle.issued_expiry_on


def test_a_question_is_asked_about_a_quote_before_it_is_declined(portal, page, institute, today):
    version = world.send(Dongle.objects.get(serial="777"), today)
    hands = Keyboard(page)
    page.goto(portal + "/my/quotes/")
    hands.press(f"a[href='/my/quotes/{version.quote_id}/']")
    hands.press(".quote-past details:nth-of-type(1) > summary")
    hands.write("[name=text]", "Is the second computer included?")
    hands.press(".quote-past details:nth-of-type(1) button")
    expect(page.locator(".message")).to_contain_text("Your question is with our SMA team")
    assert QuoteQuestion.objects.get().text == "Is the second computer included?"
    hands.press(".quote-past details:nth-of-type(2) > summary")
    hands.write("[name=reason]", "No budget this year")
    hands.press(".quote-past details:nth-of-type(2) button")
    expect(page.locator("#next")).to_have_text("You have declined")
    version.refresh_from_db()
    assert version.state == "declined"


def test_reminders_are_stopped_and_a_colleague_is_put_on_file(portal, page, institute):
    hands = Keyboard(page)
    page.goto(portal + "/my/")
    hands.press(".site-nav a[href='/my/account/']")
    hands.press(".contacts button")
    expect(page.locator(".contacts")).to_contain_text("No reminders since")
    assert institute.contacts.get().reminders_stopped_at
    hands.press("main a.button-primary")
    hands.write("[name=name]", "Bo Brandt")
    hands.write("[name=email]", "bo@cells.example")
    hands.press("main form button.button-primary")
    expect(page.locator(".contacts")).to_contain_text("bo@cells.example")
    assert Contact.objects.get(email="bo@cells.example").customer == institute

"""A customer's own pages in a real browser: renewing by keyboard alone, applying a code, and no barrier on any page."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dongles.models import Dongle, UnlockCode
from renewals.models import QuoteVersion
from tests import world
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import Keyboard, letters_on, log_in, receipt_of_the_dongle

pytestmark = pytest.mark.browser


@pytest.fixture
def institute(portal, today):
    """An institute with two dongles that expire, and Ada Lenz's user."""
    customer = world.make_customer()
    for serial, days in (("104233", 20), ("777", 40)):
        world.make_dongle(serial, customer, [("VOL-VIS", str(today + timedelta(days=days)))])
    return customer


@pytest.fixture
def ada(institute):
    return world.make_user("customer", institute.contacts.get().email, customer=institute)


def test_two_dongles_are_renewed_together_by_keyboard_alone(portal, browser, client, institute, ada):
    with watched_page(browser) as page:
        log_in(page, portal, client, ada)
        page.goto(portal)
        hands = Keyboard(page)
        for serial in ("104233", "777"):
            hands.reach(f"[value='{serial}']")
            page.keyboard.press("Space")
        hands.press(".choose-bar .button-primary")
        # two VOL-VIS for a year: 2,400.00, with 19 % tax 2,856.00; for two years twice as much
        expect(page.locator("#comes-to")).to_contain_text("€2,856.00 in total, 2 dongles")
        hands.choose("select[name=years]", "2 years")
        expect(page.locator("#comes-to")).to_contain_text("€5,712.00 in total")
        expect(page.locator("[name=work_it_out]")).to_be_hidden()
        with page.expect_navigation():
            hands.press("main form button.button-primary")
        version = QuoteVersion.objects.get()
        assert page.url == f"{portal}/my/quotes/{version.quote_id}/"
        assert (version.state, version.total) == ("sent", 571_200)


def test_a_code_is_found_typed_and_confirmed_without_script(portal, browser, client, institute, ada, today):
    world.sell(Dongle.objects.get(serial="104233"), today)
    with watched_page(browser, java_script_enabled=False) as page:
        log_in(page, portal, client, ada)
        page.goto(portal)
        page.click("main .next-step a.button-primary")
        page.fill("[name=receipt]", receipt_of_the_dongle("104233", letters_on(page)).receipt)
        page.click(".next-step button.button-primary")
        expect(page.locator(".message")).to_contain_text("Dongle 104233 is up to date")
        page.goto(portal + "/my/renew/?dongle=104233&dongle=777")
        page.click("[name=way][value=date]")
        page.fill("[name=align_to]", "2020-12-31")
        page.click("[name=work_it_out]")
        expect(page.locator("#id_align_to_error")).to_contain_text("or a later day")


@pytest.mark.timeout(300)
def test_a_customers_own_pages_have_no_barrier(portal, browser, client, institute, ada, today):
    world.make_release("7.0", str(today - timedelta(days=100)))
    world.make_release("9.0", str(today + timedelta(days=60)))
    world.make_dongle("OVER", institute, [("VOL-VIS", str(today - timedelta(days=300))), ("VOL-QNT", str(today))])
    world.make_dongle("LOST", institute, [("VOL-VIS", str(today))], state=Dongle.State.LOST)
    world.make_dongle("EMPTY", institute, [])
    order = world.sell(Dongle.objects.get(serial="104233"), today)
    code = UnlockCode.objects.get()
    addresses = [
        "/my/",
        "/my/renew/?dongle=OVER&dongle=777&years=3",
        "/my/dongles/104233/",
        "/my/dongles/OVER/",
        "/my/dongles/LOST/",
        f"/my/orders/{order.pk}/",
        f"/my/dongles/104233/codes/{code.pk}/",
    ]
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client, ada)
        for address in addresses:
            page.goto(portal + address)
            for each in page.locator("main details > summary").all():
                if each.is_visible():
                    each.click()
            check(page, found)
        page.goto(f"{portal}/my/dongles/104233/codes/{code.pk}/")
        page.fill("[name=receipt]", "ABC")
        page.click(".next-step button.button-primary")
        page.locator(".error-summary").wait_for()
        check(page, found)
    assert found == []

"""From the front page to a reference in a real browser: by mouse, by keyboard, without script, without a barrier."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from renewals.models import QuoteVersion, RenewalRequest
from renewals.services.answers import PORTAL, answer_at_once
from tests import world
from tests.services.test_answers import ada_of
from tests.web.browsing import watched_page
from tests.web.test_accessibility import check
from tests.web.test_journeys import Keyboard, Mouse, log_in

pytestmark = pytest.mark.browser
CONTINUE = "main form button.button-primary"


@pytest.fixture(autouse=True)
def _nothing_counted():
    cache.clear()


@pytest.fixture
def dongle(portal, today):
    return world.make_dongle(licences=[("VOL-VIS", today.isoformat())])


@pytest.mark.parametrize(("hands", "has_script"), [(Mouse, True), (Keyboard, True), (Mouse, False)])
def test_a_contact_on_file_comes_to_a_reference_in_three_pages(portal, browser, dongle, hands, has_script):
    """Two years of 1,200.00 are 2,400.00, with 19 % tax 2,856.00."""
    pages = []
    with watched_page(browser, java_script_enabled=has_script, viewport={"width": 390, "height": 844}) as page:
        hand = hands(page)
        page.goto(portal)
        page.on("framenavigated", lambda frame: pages.append(frame.url.removeprefix(portal)))
        hand.press("main a.button-primary")
        hand.write("[name=serials]", "S/N: 104-233")
        hand.press(CONTINUE)
        expect(page.locator("h1")).to_have_text("Your details, and what you need")
        hand.write("[name=name]", "Ada Lenz")
        hand.write("[name=email]", ada_of(dongle))
        hand.choose("[name=renew_years]", "2 years")
        hand.press(CONTINUE)
        expect(page.locator(".answers")).to_contain_text("Renew for 2 years")
        hand.press(CONTINUE)
        expect(page.locator("h1")).to_have_text("Your request was sent")
        expect(page.locator(".page-lead")).to_have_text(f"Your reference is {RenewalRequest.objects.get()}")
    assert pages == [f"/renew/{name}" for name in ("", "details/", "check/", "done/")]
    answer_at_once(request=RenewalRequest.objects.get(), actor=PORTAL, at=timezone.now())
    assert QuoteVersion.objects.get().total == 285_600


def test_a_double_click_sends_one_request_and_the_back_button_finds_the_answers(portal, browser, dongle):
    with watched_page(browser) as page:
        page.goto(portal + reverse("renewals:renew"))
        page.fill("[name=serials]", "104233")
        page.click(CONTINUE)
        page.fill("[name=name]", "Ada Lenz")
        page.fill("[name=email]", "ada@nowhere.example")
        page.fill("[name=message]", "Soon")
        page.click(CONTINUE)
        page.go_back()
        expect(page.locator("[name=message]")).to_have_value("Soon")
        page.go_back()
        expect(page.locator("[name=serials]")).to_have_value("104233")
        page.goto(portal + reverse("renewals:renew_check"))
        page.dblclick(CONTINUE)
        expect(page.locator("h1")).to_have_text("Your request was sent")
        page.go_back()
        expect(page.locator("h1")).to_have_text("Your request was sent")
    assert RenewalRequest.objects.count() == 1


@pytest.mark.timeout(200)
def test_no_page_has_a_barrier(portal, browser, client, dongle, settings):
    """Each page as it is refused, which shows all that it can show; then what staff see of the request."""
    settings.REQUEST_LIMITS = {**settings.REQUEST_LIMITS, "serial": "1/1h/key"}
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(portal)
        check(page, found)
        page.click("main a.button-primary")
        page.fill("[name=serials]", f"1042!33\n{'9' * 80}")
        page.click(CONTINUE)
        expect(page.locator(".error-summary")).to_be_focused()
        check(page, found)
        page.fill("[name=serials]", "104233, 999999")
        page.click(CONTINUE)
        page.fill("[name=name]", "Ada " + "Lenz" * 30)
        page.click(".more-licences summary")
        page.locator("[name=product_1]").select_option("VOL-VIS")
        page.click(CONTINUE)
        expect(page.locator(".error-summary")).to_be_focused()
        check(page, found)
        page.fill("[name=email]", "ada@nowhere.example")
        page.fill("[name=seats_1]", "2")
        page.click(CONTINUE)
        page.click(CONTINUE)
        expect(page.locator("h1")).to_have_text("Your request was sent")
        check(page, found)
        page.goto(portal + reverse("renewals:renew"))
        page.fill("[name=serials]", "104233")
        page.click(CONTINUE)
        page.fill("[name=name]", "Ada")
        page.fill("[name=email]", "ada@nowhere.example")
        page.click(CONTINUE)
        page.click(CONTINUE)  # once too often for this serial number
        expect(page.locator(".error-summary")).to_contain_text("Try again in 60 minutes")
        check(page, found)
        request = answer_at_once(request=RenewalRequest.objects.get(), actor=PORTAL, at=timezone.now())
        log_in(page, portal, client, world.make_user())
        page.goto(portal + reverse("renewals:request", args=[request.pk]))
        check(page, found)
    assert found == []

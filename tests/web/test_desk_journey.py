"""The sales desk's day in a real browser: from a request to the unlock code, clicks counted, and lists walked by keys.

Two licences for a year: 1,200.00 + 900.00 = 2,100.00, with 19 % tax 2,499.00.
"""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dongles.models import Dongle
from portal.models import OutboxMessage
from renewals.models import Order, PurchaseOrderFile, QuoteVersion, RenewalRequest
from renewals.services import requests
from tests import papers, world
from tests.web.browsing import watched_page
from tests.web.test_journeys import log_in

pytestmark = pytest.mark.browser


class Counted:
    """A mouse whose clicks are counted."""

    def __init__(self, page):
        self.page, self.clicks = page, 0

    def __call__(self, selector):
        self.page.locator(selector).click()
        self.clicks += 1


def enter(page, portal, press):
    """Log in for real, by password and second factor: two clicks."""
    page.goto(portal + "/accounts/login/")
    page.locator("input[name=login]").fill("sales@vendor.example")
    page.locator("input[name=password]").fill("a long test password")
    press("main button.button-primary")
    page.locator("input[name=code]").fill(world.code_now())
    press("main button.button-primary")


@pytest.fixture
def desk(portal, today):
    """A sales person with a dongle of a customer of theirs that expires in 20 days."""
    seller = world.make_user()
    ends = (today + timedelta(days=20)).isoformat()
    dongle = world.make_dongle(licences=[("VOL-VIS", ends), ("VOL-QNT", ends)])
    dongle.customer.owner = seller
    dongle.customer.save()
    return portal


def record(serial="104-233"):
    return requests.record_request(
        serial=serial, name="Ada Lenz", email="ada@cells.example", actor=world.SALES, at=timezone.now()
    )


def test_a_standard_renewal_is_quoted_within_five_clicks_and_45_seconds_of_the_login(desk, browser):
    with watched_page(browser) as page:
        press, began = Counted(page), time.monotonic()
        enter(page, desk, press)
        press("tr:has-text('Dongle 104233') a:has-text('Make a quote')")
        expect(page.locator("#comes-to")).to_contain_text("€2,499.00 in total")
        press("#quote-form button.button-primary")
        press(".next-step button.button-primary")
        expect(page.locator(".page-lead")).to_contain_text("€2,499.00, promised until")
        took = time.monotonic() - began
    assert press.clicks <= 5
    assert took <= 45
    assert OutboxMessage.objects.get(kind="quote_sent").payload["version"] == QuoteVersion.objects.get(state="sent").pk


def test_from_request_to_quote_approval_sending_purchase_order_and_code(desk, browser, client, tmp_path):
    record()
    administrator = world.make_user("administrator")
    paper = tmp_path / "order.pdf"
    paper.write_bytes(papers.PDF)
    with watched_page(browser) as page:
        log_in(page, desk, client)
        page.goto(desk)
        page.get_by_role("link", name="Answer it").click()
        expect(page.locator(".page-lead")).to_have_text("Ada Lenz asks for a quote for dongle 104-233.")
        page.get_by_role("link", name="Make a quote").click()
        page.get_by_text("Concede something").click()
        page.locator("[name=discount]").fill("20")
        page.locator("[name=discount_reason]").fill("Reference site")
        # 2,100.00 less 20 % = 1,680.00, with 19 % tax 1,999.20
        expect(page.locator("#comes-to")).to_contain_text("€1,999.20 in total")
        page.get_by_role("button", name="Keep as a draft").click()
        expect(page.locator(".next-step h2")).to_have_text("Needs approval")
        address = page.url

        log_in(page, desk, client, administrator)
        page.goto(desk)
        page.get_by_role("link", name="Decide").click()
        page.locator("[name=reason]").fill("Worth it")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".message")).to_contain_text("can be sent")

        log_in(page, desk, client)
        page.goto(address)
        page.get_by_role("button", name="Send the quote").click()
        expect(page.locator(".page-lead")).to_contain_text("€1,999.20, promised until")
        assert RenewalRequest.objects.get().state == "answered"

        page.locator("[name=purchase_order_number]").fill("PO-1")
        page.locator("[name=purchase_order_file]").set_input_files(paper)
        page.locator("[name=accepted_by]").fill("Ada Lenz")
        page.get_by_role("button", name="Order and issue the code").click()
        expect(page.locator("h1")).to_contain_text("Order O-")
        page.locator(".next-step a.button-primary").click()
        expect(page.locator("h1")).to_contain_text("Unlock code 104233-0-")
    assert Order.objects.get().state == "fulfilled"
    assert PurchaseOrderFile.objects.get().name == "order.pdf"


def focused(page):
    return page.evaluate("document.activeElement.closest('tr')?.querySelector('th')?.textContent ?? ''")


@pytest.fixture
def queue(desk, browser, client):
    """The queue with three requests, looked at by the sales person."""
    for number in range(3):
        requests.record_request(
            serial=f"99{number}", name=f"Person {number}", email="p@cells.example", actor=world.SALES, at=timezone.now()
        )
    with watched_page(browser) as page:
        log_in(page, desk, client)
        page.goto(f"{desk}/queue/?kind=request")
        yield page


def test_j_and_k_walk_the_list_and_enter_opens_the_row(queue):
    seen = []
    for key in ("j", "j", "j", "j", "k"):
        queue.keyboard.press(key)
        seen.append(focused(queue))
    assert seen == [f"Person {number} asks for a quote" for number in (0, 1, 2, 2, 1)]
    queue.keyboard.press("Enter")
    expect(queue.locator(".page-lead")).to_contain_text("Person 1 asks for a quote")


def test_the_pipeline_is_walked_by_keys_too(queue, desk):
    queue.goto(f"{desk}/pipeline/")
    queue.keyboard.press("j")
    assert focused(queue) == "104233"


def test_a_printed_quote_shows_what_is_offered_and_no_buttons(queue, desk, today):
    version = world.send(Dongle.objects.get(), today)
    queue.goto(f"{desk}/quotes/{version.quote_id}/")
    queue.emulate_media(media="print")
    expect(queue.locator(".totals")).to_be_visible()
    for hidden in (".next-step", "text=Make a new version", "text=The customer declines"):
        expect(queue.locator(hidden).first).to_be_hidden()


def test_slash_goes_to_the_search_and_typing_there_is_no_command(queue):
    queue.keyboard.press("/")
    queue.keyboard.type("jk?")
    assert queue.locator(".site-search input").input_value() == "jk?"
    assert not queue.locator("#keys-help").is_visible()


def test_a_question_mark_opens_the_help_escape_closes_it_and_keys_can_be_switched_off(queue):
    queue.keyboard.press("?")
    expect(queue.locator("#keys-help")).to_be_visible()
    queue.locator("#keys-on").uncheck()
    queue.keyboard.press("Escape")
    expect(queue.locator("#keys-help")).to_be_hidden()
    queue.keyboard.press("j")
    assert focused(queue) == ""
    queue.reload()
    queue.keyboard.press("j")
    assert focused(queue) == ""  # remembered
    queue.get_by_role("button", name="Keys").click()
    queue.locator("#keys-on").check()
    queue.keyboard.press("Escape")
    queue.keyboard.press("j")
    assert focused(queue) == "Person 0 asks for a quote"


def test_keys_with_modifiers_stay_the_browsers(queue):
    queue.keyboard.press("Control+j")
    assert focused(queue) == ""

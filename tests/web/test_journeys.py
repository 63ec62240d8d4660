"""The main job in a real browser: from a serial number to a code that the dongle has applied."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dongles.keys import public_keys
from dongles.models import Dongle
from dongles.unlock import apply, factory_state
from renewals.models import Order, QuoteVersion
from tests import world
from tests.web.browsing import watched_page

pytestmark = pytest.mark.browser


IS_FOCUS_SEEN = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


class Mouse:
    """Somebody who points and clicks."""

    def __init__(self, page):
        self.page = page

    def write(self, selector, text):
        self.page.locator(selector).fill(text)

    def choose(self, selector, label):
        self.page.locator(selector).select_option(label=label)

    def press(self, selector):
        self.page.locator(selector).click()


class Keyboard(Mouse):
    """Somebody who only types."""

    def reach(self, selector):
        self.page.locator(selector).wait_for()  # the page before may still be there
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate(IS_FOCUS_SEEN), f"nobody sees that {selector} has the focus"
                return
        raise AssertionError(f"{selector} is not reached by the keyboard")

    def write(self, selector, text):
        self.reach(selector)
        self.page.keyboard.type(text)

    def choose(self, selector, label):
        self.reach(selector)
        self.page.keyboard.type(label)

    def press(self, selector):
        self.reach(selector)
        self.page.keyboard.press("Enter")


def receipt_of_the_dongle(serial, letters):
    """A simulated dongle applies the typed letters; what it shows then."""
    keys = public_keys()
    outcome, state = apply(factory_state(serial, keys.root, keys.slots), letters)
    assert outcome == "applied"
    return state


def letters_on(page):
    """The code that the page shows; the page before may still be there."""
    letters = page.locator(".unlock-code code")
    letters.first.wait_for()
    return "\n".join(letters.all_text_contents())


def sell_and_apply(page, portal, hands, *, has_script=True):
    """Two licences for two years: 2 × (1,200.00 + 900.00) = 4,200.00, with 19 % tax 4,998.00."""
    page.goto(portal + "/accounts/login/")
    hands.write("input[name=login]", "sales@vendor.example")
    hands.write("input[name=password]", "a long test password")
    hands.press("main button.button-primary")
    hands.write("input[name=code]", world.code_now())
    hands.press("main button.button-primary")

    hands.write(".site-search input", "104-233")
    hands.press(".site-search button")
    expect(page.locator("h1")).to_have_text("Dongle 104233")
    hands.press("main a.button-primary")

    expect(page.locator("#comes-to")).to_contain_text("€2,499.00 in total")
    hands.choose("select[name=renew_years]", "2 years")
    if has_script:
        expect(page.locator("[name=work_it_out]")).to_be_hidden()
    else:
        hands.press("[name=work_it_out]")
    expect(page.locator("#comes-to")).to_contain_text("€4,998.00 in total")
    expect(page.locator(".totals-total dd")).to_have_text("€4,998.00")
    hands.press("main form button.button-primary")

    expect(page.locator(".page-lead")).to_contain_text("€4,998.00, a draft")
    hands.press(".next-step button.button-primary")
    expect(page.locator(".message")).to_contain_text("is on its way")
    expect(page.locator(".page-lead")).to_contain_text("€4,998.00, promised until")

    hands.press(".next-step button.button-primary")
    expect(page.locator("#id_purchase_order_number_error")).to_contain_text("Enter the purchase order number.")
    assert not Order.objects.exists()
    hands.write("[name=purchase_order_number]", "PO-2207")
    hands.write("[name=accepted_by]", "Ada Lenz, laboratory head")
    hands.press(".next-step button.button-primary")

    expect(page.locator("h1")).to_contain_text("Order O-")
    hands.press(".next-step a.button-primary")
    expect(page.locator("h1")).to_contain_text("Unlock code 104233-0-")
    state = receipt_of_the_dongle("104233", letters_on(page))
    hands.write("[name=receipt]", state.receipt)
    hands.press(".next-step button.button-primary")
    expect(page.locator(".next-step h2")).to_have_text("Applied")

    dongle = Dongle.objects.get(serial="104233")
    assert state.expiry_on == dongle.issued_expiry_on == dongle.confirmed_expiry_on


@pytest.fixture
def desk(portal, today):
    """A sales person, and a dongle that expires in 30 days."""
    world.make_user()
    ends = (today + timedelta(days=30)).isoformat()
    world.make_dongle(licences=[("VOL-VIS", ends), ("VOL-QNT", ends)])
    return portal


def test_a_dongle_is_renewed_from_serial_number_to_receipt(desk, browser):
    with watched_page(browser) as page:
        sell_and_apply(page, desk, Mouse(page))


def test_the_same_works_without_script(desk, browser):
    with watched_page(browser, java_script_enabled=False) as page:
        sell_and_apply(page, desk, Mouse(page), has_script=False)


def test_the_same_works_by_keyboard_alone(desk, browser):
    with watched_page(browser) as page:
        sell_and_apply(page, desk, Keyboard(page))


@pytest.fixture
def builder(desk, browser, client):
    """The builder of a sales person who is logged in."""
    with watched_page(browser) as page:
        log_in(page, desk, client)
        page.goto(f"{desk}/dongles/104233/quote/")
        yield page


def log_in(page, address, client, user=None):
    world.log_in(client, user or world.User.objects.get(email="sales@vendor.example"))
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])


def test_enter_in_a_field_of_the_builder_keeps_a_draft(builder):
    builder.get_by_text("Concede something").click()
    builder.locator("[name=discount_reason]").press("Enter")
    expect(builder.locator("h1")).to_contain_text("Quote Q-")
    assert QuoteVersion.objects.count() == 1


def test_back_from_the_draft_the_builder_shows_what_was_asked(builder):
    builder.locator("[name=renew_years]").select_option("3")
    # 3 × 2,100.00 = 6,300.00, with 19 % tax 7,497.00
    expect(builder.locator("#comes-to")).to_contain_text("€7,497.00")
    builder.locator("main form button.button-primary").click()
    expect(builder.locator("h1")).to_contain_text("Quote Q-")
    builder.go_back()
    expect(builder.locator("[name=renew_years]")).to_have_value("3")
    expect(builder.locator("#comes-to")).to_contain_text("€7,497.00")
    expect(builder.locator("main form button.button-primary")).to_be_enabled()


def test_what_is_asked_stands_in_the_address_and_the_token_does_not(builder):
    builder.get_by_text("Concede something").click()
    builder.locator("[name=discount]").fill("10")
    # 2,100.00 less 10 % = 1,890.00, with 19 % tax 359.10
    expect(builder.locator("#comes-to")).to_contain_text("€2,249.10")
    assert builder.url.endswith("/dongles/104233/quote/?renew_years=1&discount=10")


def test_no_button_for_who_has_no_script_comes_with_another_dongle(desk, browser, client, today):
    world.make_dongle("777", Dongle.objects.get().customer, licences=[("VOL-VIS", today.isoformat())])
    with watched_page(browser) as page:
        log_in(page, desk, client)
        page.goto(f"{desk}/dongles/104233/quote/")
        expect(page.get_by_role("button", name="Work it out")).to_be_hidden()
        page.get_by_text("More dongles of").click()
        page.locator("[name=dongles]").check()
        expect(page.locator("#comes-to")).to_contain_text("2 dongles")
        expect(page.get_by_role("button", name="Work it out")).to_be_hidden()


def test_only_a_short_line_is_announced_while_the_price_changes(builder):
    live = builder.locator("[aria-live], [role=status], [role=alert]")
    assert [each.get_attribute("id") for each in live.all()] == ["comes-to"]


def test_a_double_click_on_the_draft_makes_one(builder):
    builder.locator("main form button.button-primary").dblclick()
    expect(builder.locator("h1")).to_contain_text("Quote Q-")
    assert QuoteVersion.objects.count() == 1


def test_the_code_is_copied_row_by_row(desk, browser, client, today):
    order = world.sell(Dongle.objects.get(), today)
    code = Dongle.objects.get().codes.get()
    with watched_page(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        log_in(page, desk, client)
        page.goto(f"{desk}/dongles/codes/{code.pk}/")
        page.get_by_role("button", name="Copy the code").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert apply(_fresh("104233"), copied)[0] == "applied"
    assert order.state == "fulfilled"


def _fresh(serial):
    keys = public_keys()
    return factory_state(serial, keys.root, keys.slots)

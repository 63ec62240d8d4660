"""The search on every page: who may, where it leads, what it says; by keyboard, without a barrier."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests import world
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in
from tests.web.test_pages import queries_of

SEARCH = "/search/"


def test_the_one_thing_meant_is_shown_at_once(dongle, sales, today):
    order = world.sell(dongle, today)
    customer = reverse("renewals:customer", args=[dongle.customer_id])
    for text, address in (
        ("104-233", reverse("renewals:dongle", args=["104233"])),
        ("104‑233", reverse("renewals:dongle", args=["104233"])),  # a hyphen of a word processor
        ("institute of cells", customer),
        (dongle.customer.contacts.get().email, f"{customer}#contacts"),
        (order.quote.number, reverse("renewals:quote_version", args=[order.quote_id, 1])),
        (order.number, reverse("renewals:order", args=[order.pk])),
        ("PO-77", reverse("renewals:order", args=[order.pk])),
        ("104233-0-1", reverse("dongles:code", args=[dongle.codes.get().pk])),
    ):
        assert sales.get(SEARCH, {"q": text}).url == address, text


def test_what_could_be_meant_is_listed_by_kind(dongle, sales):
    world.make_customer("Living Cells")
    page = text_of(sales.get(SEARCH, {"q": "cells"}))
    assert "2 customers and 2 contacts." in page
    assert (
        page.index("Customers Institute of Cells Germany")
        < page.index("Living Cells")
        < page.index("Contacts Ada Lenz")
    )


def test_more_than_fit_are_told_of(dongle, sales):
    for number in range(9):
        world.make_customer(f"Optics {number}").contacts.update(name="Bo Optics")
    page = sales.get(SEARCH, {"q": "Optics"})
    assert '<a href="/customers/?q=Optics">All customers for “Optics”</a>' in page.content.decode()
    assert "There are more: type more of it." in text_of(page)
    assert len(sales.get("/customers/?q=Optics").context["page"]) == 9


@pytest.mark.parametrize("text", [None, "", "   "])
def test_nothing_typed_says_what_can_be(sales, text):
    answer = sales.get(SEARCH, {} if text is None else {"q": text})
    assert answer.status_code == 200
    assert "What can be typed" in text_of(answer)
    assert "Nothing found" not in text_of(answer)


def test_nothing_found_says_so_and_what_can_be_typed(dongle, sales):
    page = text_of(sales.get(SEARCH, {"q": "nobody"}))
    assert "Nothing found Nothing on record is called like this." in page
    assert "What can be typed" in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x" * 10_000, "This is longer than anything on record: type at most 200 letters."),
     ("a\x00b", "Null characters are not allowed.")],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(dongle, sales, text, sentence):
    answer = sales.get(SEARCH, {"q": text})
    assert answer.status_code == 422
    assert sentence in text_of(answer)


def test_what_is_typed_is_shown_as_text(dongle, sales):
    page = sales.get(SEARCH, {"q": "\"><script>alert('x')</script>"}).content.decode()
    assert "<script>alert" not in page
    assert 'value="&quot;&gt;&lt;script&gt;' in page


def test_the_search_is_for_staff(dongle, client, customer_user, finance):
    assert client.get(SEARCH, {"q": "104233"}).url.startswith("/accounts/login/?next=")
    assert customer_user.get(SEARCH, {"q": "104233"}).status_code == 403
    assert finance.get(SEARCH, {"q": "104233"}).status_code == 302
    assert finance.post(SEARCH, {"q": "104233"}).status_code == 405


def test_every_page_has_the_field_and_only_a_search_fills_it(dongle, sales):
    for address in ("/queue/", "/dongles/", "/customers/?q=cells", "/dongles/104233/", SEARCH):
        page = sales.get(address).content.decode()
        assert 'action="/search/"' in page
        assert '<input id="site-search" name="q" type="search" value=""' in page
    assert (
        'id="site-search" name="q" type="search" value="nobody"' in sales.get(SEARCH, {"q": "nobody"}).content.decode()
    )


def test_the_page_asks_no_more_the_more_it_finds(catalogue, sales, today):
    def fill(first, last):
        for number in range(first, last):
            dongle = world.make_dongle(f"123{number}", world.make_customer(f"Cells {number}"))
            world.sell(dongle, today)

    fill(0, 2)
    addresses = [f"{SEARCH}?q={text}" for text in ("123", "cells", "PO-7")]
    few = [queries_of(sales, address) for address in addresses]
    fill(2, 12)
    assert [queries_of(sales, address) for address in addresses] == few
    assert max(few) <= 8  # the session, the user, and one a kind


@pytest.mark.browser
def test_a_search_by_keyboard_alone(portal, browser, client):
    world.make_user()
    for serial in ("104233", "104234", "104235"):
        world.make_dongle(serial, None, [])
    with watched_page(browser) as page:
        log_in(page, portal, client)
        page.goto(f"{portal}/queue/")
        page.keyboard.press("/")
        page.keyboard.type("1042")
        page.keyboard.press("Enter")
        expect(page.locator(".page-lead")).to_have_text("3 dongles.")
        for key, serial in (("j", "104233"), ("j", "104234"), ("j", "104235"), ("j", "104235"), ("k", "104234")):
            page.keyboard.press(key)
            expect(page.locator(":focus")).to_have_text(serial)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Dongle 104234")
        page.keyboard.press("/")
        page.keyboard.type("104-235")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Dongle 104235")


@pytest.mark.browser
def test_in_the_queue_the_keys_open_what_waits_and_not_its_customer(portal, browser, client, today):
    world.make_user()
    version = world.draft(world.make_dongle(), today)
    with watched_page(browser) as page:
        log_in(page, portal, client)
        page.goto(f"{portal}/queue/")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text(f"Quote {version.quote.number}")


@pytest.mark.browser
def test_the_search_has_no_barrier_in_any_state(portal, browser, client, today):
    world.make_user()
    customer = world.make_customer("Cells")
    for number in range(9):
        world.make_dongle(f"123{number}", customer, [])
        world.make_customer(f"Cells {number}")
    world.sell(world.make_dongle("777", customer), today)
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client)
        for text in ("", "nobody", "cell", "123", "x" * 300):
            page.goto(f"{portal}{SEARCH}?q={text}")
            check(page, found)
    assert found == []

"""Lost, broken and handed on dongles through their pages (rule Q8). VOL-VIS 6,000.00, VOL-QNT 4,500.00, tax 19 %."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from dongles.keys import public_keys
from dongles.models import Dongle, Replacement, UnlockCode
from dongles.services import lose_dongle
from dongles.unlock import Outcome, factory_state
from dongles.unlock import apply as apply_letters
from portal import outbox
from portal.models import SentMail
from renewals.models import Order, PolicySettings, PriceList, QuoteVersion
from renewals.queries import ReplacementRequest
from renewals.services.replacements import replace_dongle
from tests import world
from tests.documents.reading import letters_of, words_of
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in


def page_of(name, dongle, **query):
    address = reverse(f"renewals:{name}", args=[dongle.serial])
    return address + "?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else address


def lost(serial="109001"):
    return {"replacement": ReplacementRequest(serial, "lost", "Lost on a train")}


def replaced(dongle, today):
    return replace_dongle(
        dongle=dongle, serial="109001", cause="broken", reason="Bent", actor=world.SALES, at=world.at(today)
    )


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        ("replace-broken", "/dongles/104233/replace/?cause=broken"),
        ("replace-lost", "/dongles/104233/replace/?cause=lost"),
        ("lose", "/dongles/104233/lost/"),
        ("transfer", "/dongles/104233/transfer/"),
    ],
)
def test_what_happened_leads_to_the_page_that_does_it(sales, dongle, answer, page):
    assert sales.get(page_of("what_happened", dongle, happened=answer)).url == page
    assert "Choose what happened" in text_of(sales.get(page_of("what_happened", dongle, happened="")))


def test_only_a_lost_dongle_can_be_found_again(sales, dongle, today):
    assert "Found again" not in text_of(sales.get(page_of("what_happened", dongle)))
    lose_dongle(dongle=dongle, reason="Gone", actor=world.SALES, at=world.at(today))
    asked = text_of(sales.get(page_of("what_happened", dongle)))
    assert "Found again" in asked
    assert "Lost" in asked
    sales.post(page_of("find", dongle), {"reason": "In a drawer"})
    assert Dongle.objects.get().state == "active"


def test_the_page_says_beforehand_what_follows_and_that_it_is_free(sales, dongle, today):
    version = world.send(dongle, today)
    page = text_of(sales.get(page_of("replace", dongle, cause="broken")))
    assert "The replacement is free." in page
    assert "2 licences go to the new dongle with all the SMA that is paid for" in page
    assert f"{version.quote.number} version 1 , sent, €2,499.00" in page
    assert not Replacement.objects.exists()


def test_a_double_click_replaces_once_and_leads_to_the_new_dongle(sales, dongle):
    asked = {"serial": "109-001", "reason": "The plug is bent", "once": "a token"}
    answers = [sales.post(page_of("replace", dongle, cause="broken"), asked) for _ in range(2)]
    assert {answer.url for answer in answers} == {"/dongles/109001/"}
    assert Replacement.objects.count() == UnlockCode.objects.count() == 1
    assert "has taken the place of 104233" in text_of(sales.get("/dongles/109001/"))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"serial": "", "reason": "Bent"}, "Enter the serial number."),
        ({"serial": "104233", "reason": "Bent"}, "can’t take the place of 104233"),
        ({"serial": "no serial!", "reason": "Bent"}, "is not a serial number"),
        ({"serial": "109001", "reason": ""}, "Say why."),
    ],
)
def test_what_is_refused_stands_beside_the_field_and_stays_typed(sales, dongle, asked, sentence):
    answer = sales.post(page_of("replace", dongle, cause="broken"), asked)
    assert answer.status_code == 422
    assert sentence in text_of(answer).replace("&#x27;", "’")
    assert f'value="{asked["serial"]}"' in answer.content.decode() or not asked["serial"]
    assert not Replacement.objects.exists()


def test_both_dongles_name_each_other(sales, dongle, today):
    replaced(dongle, today)
    old, new = text_of(sales.get("/dongles/104233/")), text_of(sales.get("/dongles/109001/"))
    assert "This dongle is retired: 109001 took its place" in old
    assert "What it carried is on dongle 109001" in old
    assert "Took the place of Q8 104233" in new
    became = text_of(sales.get(page_of("what_happened", dongle)))
    assert "Replaced by 109001" in became


def test_nothing_is_offered_while_an_order_waits_for_its_payment(sales, catalogue, today):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.sell(dongle, today)
    for page in (page_of("replace", dongle, cause="broken"), page_of("transfer", dongle)):
        answer = sales.get(page)
        assert f"Order {order.number} waits for its payment: settle or cancel it first" in text_of(answer)
        assert b'method="post"' not in answer.content.split(b"<main")[1]


def test_what_costs_something_becomes_a_quote_which_can_be_changed(sales, dongle):
    page = page_of("replace", dongle, cause="lost")
    assert "The replacement costs €10,500.00 net" in text_of(sales.get(page))
    drafted = sales.post(page, {"serial": "109001", "reason": "Lost on a train"})
    quote = sales.get(drafted.url)
    assert "Replaced by dongle 109001 ; its licences and their SMA go over Q8" in text_of(quote)
    change = re.search(r'href="([^"]+/replace/[^"]+)">Change it', quote.content.decode())[1].replace("&amp;", "&")
    assert 'value="109001"' in sales.get(change).content.decode()
    again = {"serial": "109002", "reason": "Lost", "discount": "10", "discount_reason": "Theft, reported"}
    newer = sales.post(change, again)
    # 10,500.00 less 10 % is 9,450.00; with 19 % tax 11,245.50
    assert QuoteVersion.objects.get(number=2).total == 1_124_550
    assert "replaced by 109002 instead of replaced by 109001" in text_of(sales.get(newer.url))


def test_a_missing_fee_is_said_and_nothing_offered(sales, dongle):
    PolicySettings.objects.update(replacement_price="fee")
    answer = sales.get(page_of("replace", dongle, cause="broken"))
    assert "It can’t be quoted: The price list names no fee for replacing a dongle." in text_of(answer)


def test_mail_document_and_customers_page_speak_of_the_replacement(sales, client, dongle, today):
    PolicySettings.objects.update(replacement_price="fee")
    PriceList.objects.update(replacement_fee=8_000)
    version = world.send(dongle, today, **lost())
    outbox.drain()
    mail = SentMail.objects.get()
    assert mail.subject.endswith("replacement of dongle 104233")
    assert "Dongle 109001 takes its place" in mail.text
    assert "SMA expiry date now" not in mail.text
    words = words_of(bytes(version.document.pdf))
    assert letters_of("to replace your dongle 104233 by dongle 109001") in letters_of(words)
    assert letters_of("Replacement of the dongle") in letters_of(words)
    assert letters_of("Goes over with the others.") in letters_of(words)
    page = text_of(client.get(reverse("renewals:quote_of_key", args=[version.key]), follow=True))
    assert "Goes over to dongle 109001" in page
    assert "the unlock code for the new dongle" in page


def test_the_order_shows_both_codes_and_where_everything_is_now(sales, dongle, today):
    order = world.sell(dongle, today, **lost())
    page = text_of(sales.get(reverse("renewals:order", args=[order.pk])))
    assert "the new dongle has taken the other’s place" in page
    assert "Without licences, to empty it" in page
    assert "Open 104233-0-1" in page
    assert "Open 109001-0-1" in page
    emptying = UnlockCode.objects.get(dongle=dongle)
    assert "Empties dongle 104233" in text_of(sales.get(reverse("dongles:code", args=[emptying.pk])))


def test_a_dongle_is_handed_on_to_a_customer_found_by_name(sales, dongle):
    other = world.make_customer("Institute of Plants")
    page = page_of("transfer", dongle, whom="plants")
    assert "Institute of Plants, DE, priced in EUR" in text_of(sales.get(page))
    assert sales.post(page, {"customer": other.pk, "reason": "The group moved"}).url == "/dongles/104233/"
    assert Dongle.objects.get().customer == other
    assert sales.post(page_of("transfer", dongle, whom="nobody"), {"customer": other.pk}).status_code == 422
    history = text_of(sales.get(page_of("what_happened", dongle)))
    assert "Handed on from Institute of Cells to Institute of Plants" in history


def test_only_the_page_of_a_replaced_or_replacing_dongle_asks_for_the_other_one(
    sales, dongle, today, django_assert_num_queries
):
    with django_assert_num_queries(9):
        sales.get("/dongles/104233/")
    replaced(dongle, today)
    with django_assert_num_queries(10):
        sales.get("/dongles/109001/")


@pytest.mark.browser
def test_a_lost_dongle_is_replaced_from_its_page_to_the_code_in_the_new_one(portal, browser, client, today):
    world.make_user()
    soon = world.year_from(today).isoformat()
    world.make_dongle(licences=[("VOL-VIS", soon), ("VOL-QNT", soon)])
    found = []
    with watched_page(browser) as page:
        log_in(page, portal, client)
        page.goto(f"{portal}/dongles/104233/")
        page.get_by_role("link", name="Lost, broken or handed on").click()
        check(page, found)
        page.get_by_label("Lost, stolen or not handed back: replace it").check()
        page.get_by_role("button", name="Continue").click()
        expect(page.locator(".page-lead")).to_contain_text("The replacement costs €10,500.00 net")
        check(page, found)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_label("Serial number of the new dongle").fill("109-001")
        page.get_by_label("What happened").fill("Lost on a train")
        page.get_by_role("button", name="Draft the quote").click()
        page.get_by_role("button", name="Send the quote").click()
        page.get_by_label("Purchase order number").fill("PO-77")
        page.get_by_label("Ordered by").fill("Ada Lenz")
        page.get_by_role("button", name="Order and issue the code").click()
        expect(page.locator(".page-lead")).to_contain_text("the new dongle has taken the other’s place")
        check(page, found)
        page.goto(f"{portal}/dongles/104233/")
        check(page, found)
        for address in ("transfer/?whom=plant", "lost/", "what-happened/"):
            page.goto(f"{portal}/dongles/109001/{address}")
            check(page, found)
    assert found == []
    new, old = UnlockCode.objects.get(dongle__serial="109001"), UnlockCode.objects.get(dongle__serial="104233")
    keys = public_keys()
    for code, licences in ((new, ((101, 1), (102, 1))), (old, ())):
        outcome, state = apply_letters(factory_state(code.dongle.serial, keys.root, keys.slots), code.letters)
        assert (outcome, state.licences) == (Outcome.APPLIED, licences)
    assert Order.objects.get().version.net == 1_050_000

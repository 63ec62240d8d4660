"""The pages of customers: how things stand, what to do next, contacts, details; the list; and what they ask."""

from datetime import timedelta

import pytest
from django.urls import reverse

from dongles.models import Dongle, Product
from portal.models import AuditEvent, Contact, Customer, User
from renewals.models import PriceList
from renewals.services.requests import record_request
from tests import world
from tests.web.browsing import watched_page
from tests.web.reading import text_of
from tests.web.test_accessibility import check
from tests.web.test_journeys import log_in
from tests.web.test_pages import queries_of


def page_of(customer):
    return reverse("renewals:customer", args=[customer.pk])


def ending(serial, customer, on, **fields):
    """A dongle whose licence is covered through that day."""
    return world.make_dongle(serial, customer, [("VOL-VIS", on.isoformat())], **fields)


@pytest.fixture
def customer(catalogue):
    return world.make_customer()


def days(number):
    return timedelta(days=number)


def test_the_page_says_first_how_things_stand(customer, sales, today):
    def standing():
        return text_of(sales.get(page_of(customer)))

    assert "No dongle of this customer is on record." in standing()
    ending("VALID", customer, today + days(300))
    assert "1 dongle. Next ends the SMA of VALID: in " in standing()
    ending("SOON", customer, today + days(5))
    ending("OVER", customer, today - days(40))
    assert "3 dongles. Next ends the SMA of SOON: in 5 days, " in standing()
    assert "One SMA has ended, that of OVER: 40 days ago, " in standing()
    ending("LONGOVER", customer, today - days(900))
    world.make_dongle("BARE", customer, [])
    ending("LOST", customer, today + days(1), state=Dongle.State.LOST)
    text = standing()
    assert "6 dongles, 1 of them lost or retired. Next ends the SMA of SOON" in text
    assert "The SMA of 2 dongles has ended, last that of OVER: " in text
    assert "1 dongle without an SMA date." in text


def test_dongles_stand_in_the_order_of_their_urgency(customer, sales, today):
    for serial, number in (("FAR", 800), ("NEAR", 20), ("JUSTOVER", -10), ("LONGOVER", -2000), ("MIDDLE", 300)):
        ending(serial, customer, today + days(number))
    world.make_dongle("BARE", customer, [])
    ending("GONE", customer, today, state=Dongle.State.RETIRED)
    text = text_of(sales.get(page_of(customer))).split("Dongles Serial")[1]
    order = ["JUSTOVER", "NEAR", "MIDDLE", "FAR", "LONGOVER", "BARE", "GONE"]
    assert sorted(order, key=text.index) == order


def test_a_row_says_how_the_sma_stands_by_the_rules(customer, sales, today):
    world.make_release("7.0", str(today - days(100)))
    ending("MISSED", customer, today - days(200))
    world.make_dongle("OPEN", customer, [("OPL-FUL", str(today - days(200)))])
    ending("SOON", customer, today + days(20))
    text = text_of(sales.get(page_of(customer)))
    assert "MISSED Lapsed over a major release expired 6 months ago" in text
    assert "OPEN Lapsed expired 6 months ago" in text
    assert "SOON Expiring expires in 20 days" in text


def test_the_most_urgent_dongle_without_a_quote_is_quoted_next(customer, sales, today):
    soon, later = ending("SOON", customer, today + days(20)), ending("LATER", customer, today + days(60))
    ending("FAR", customer, today + days(600))
    page = sales.get(page_of(customer)).content.decode()
    assert "Make a quote for SOON" in page
    assert f"{reverse('renewals:quote_builder', args=['SOON'])}?renew_years=1&amp;dongles=LATER" in page
    assert "One quote for the 2 that are due" in page
    world.send(soon, today)
    page = text_of(sales.get(page_of(customer)))
    assert "Make a quote for LATER" in page
    assert "that are due" not in page
    world.draft(later, today)
    assert "Nothing is due Dongle FAR would be first" in text_of(sales.get(page_of(customer)))


def test_a_quote_that_has_run_out_is_none_on_its_way(customer, sales, today):
    world.send(ending("SOON", customer, today + days(20)), today - days(40))
    assert "Make a quote for SOON" in text_of(sales.get(page_of(customer)))


def test_without_a_contact_that_comes_first(customer, sales, today):
    ending("SOON", customer, today + days(20))
    customer.contacts.update(left_on=today)
    page = text_of(sales.get(page_of(customer)))
    assert "Add a contact Quotes and codes go to contacts on file only, and there is none." in page


def test_quotes_orders_and_requests_lead_to_all_of_them(customer, sales, today):
    order = world.sell(ending("SOLD", customer, today + days(5)), today)
    other = world.sell(ending("OTHERS", world.make_customer("Others"), today), today)
    request = record_request(serial="SOLD", name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(today))
    page = text_of(sales.get(page_of(customer)))
    assert f"{order.quote.number} version 1" in page
    assert f"{order.number} Fulfilled PO-77" in page
    assert f"{request.number} SOLD Ada Open" in page
    for name, mine, not_mine in (
        ("quotes", order.quote.number, other.quote.number),
        ("orders", order.number, other.number),
        ("requests", request.number, "OTHERS"),
    ):
        text = text_of(sales.get(reverse(f"renewals:{name}"), {"customer": customer.pk}))
        assert mine in text
        assert not_mine not in text
        assert "Institute of Cells" in text
        assert sales.get(reverse(f"renewals:{name}"), {"customer": "0"}).status_code == 404
        assert sales.get(reverse(f"renewals:{name}"), {"customer": "x'--"}).status_code == 200


def test_wherever_a_customer_is_named_its_page_is_one_click_away(customer, sales, today):
    dongle = ending("SOLD", customer, today + days(5))
    order = world.sell(dongle, today)
    ending("DUE", customer, today + days(5))
    asked = record_request(serial="SOLD", name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(today))
    link = f'<a href="{page_of(customer)}">Institute of Cells</a>'
    for address in (
        reverse("renewals:dongle", args=["SOLD"]),
        reverse("renewals:quote", args=[order.quote_id]),
        reverse("renewals:order", args=[order.pk]),
        reverse("renewals:request", args=[asked.pk]),
        reverse("renewals:queue"),
        reverse("renewals:pipeline"),
        reverse("renewals:quotes"),
        reverse("renewals:orders"),
        reverse("renewals:requests"),
        reverse("dongles:find") + "?q=cells",
        reverse("renewals:customers"),
    ):
        assert link in sales.get(address).content.decode(), address


def test_customers_are_listed_by_name_and_found_by_words(customer, sales, today):
    world.make_customer("zeta Cells")
    world.make_customer("Alpha 100% Imaging")
    ending("SOON", customer, today + days(5))
    text = text_of(sales.get(reverse("renewals:customers")))
    assert text.index("Alpha 100%") < text.index("Institute of Cells") < text.index("zeta Cells")
    assert "1 expires in 5 days" in text

    def found(words):
        page = sales.get(reverse("renewals:customers"), {"q": words}).context["page"]
        return [each.name for each in page]

    assert found("cells INSTI") == ["Institute of Cells"]
    assert found("cells") == ["Institute of Cells", "zeta Cells"]
    assert found("%") == ["Alpha 100% Imaging"]
    assert found("_") == found("'") == []
    assert "No customer is called like this" in text_of(sales.get(reverse("renewals:customers"), {"q": "nobody"}))


@pytest.mark.parametrize("words", ["a\x00b", "x" * 201])
def test_words_that_cannot_be_are_refused_in_the_list(customer, sales, words):
    answer = sales.get(reverse("renewals:customers"), {"q": words})
    assert answer.status_code == 422
    assert "There is a problem" in text_of(answer)


FIELDS = {
    "name": "Optics of Hull", "country": "GB", "currency": "EUR", "segment": "commercial",
    "tax_status": "standard", "fulfil_on": "acceptance", "locale": "en_GB", "owner": "",
}  # fmt: skip


def test_a_customer_is_put_on_record_once_however_often_it_is_posted(customer, sales):
    posted = {**FIELDS, "once": "token"}
    for _ in range(2):
        answer = sales.post(reverse("renewals:new_customer"), posted)
        made = Customer.objects.get(name="Optics of Hull")
        assert answer.url == page_of(made)
    assert AuditEvent.objects.filter(action="create", subject_id=made.pk).count() == 1


def test_what_is_typed_about_a_customer_comes_back_when_it_is_refused(customer, sales):
    for typed, sentence in (
        ({"name": ""}, "Enter the customer’s name."),
        ({"name": "institute OF cells", "country": "DE"}, "Institute of Cells is on record already."),
        ({"name": "x\x00y"}, "Null characters are not allowed."),
        ({"country": "ZZ"}, "Select a valid choice."),
        ({"currency": "KWD"}, "Select a valid choice."),  # no price list has it
        ({"owner": "999999"}, "Select a valid choice."),
    ):
        answer = sales.post(reverse("renewals:new_customer"), {**FIELDS, **typed})
        assert answer.status_code == 422
        assert sentence in text_of(answer)
    assert Customer.objects.count() == 1


def test_details_are_changed_and_the_page_says_what_becomes_of_quotes(customer, sales, today):
    world.send(ending("SOON", customer, today + days(5)), today)
    address = reverse("renewals:change_customer", args=[customer.pk])
    form = sales.get(address).context["form"]
    posted = {**FIELDS, "known": form.initial["known"], "tax_status": "exempt"}
    text = text_of(sales.post(address, posted, follow=True))
    assert "Optics of Hull is changed. One quote on its way keeps currency, prices and tax" in text
    assert "Tax status P9 Exempt" in text
    stale = text_of(sales.post(address, {**posted, "name": "Mine"}))
    assert "Meanwhile somebody else has changed what is on record of Optics of Hull." in stale
    customer.refresh_from_db()
    assert customer.name == "Optics of Hull"


def test_a_version_in_another_currency_says_what_it_was_in_before(customer, sales, today):
    dollars = PriceList.objects.create(name="USD 2020", currency="USD", segment="commercial", valid_from=world.DAY_ONE)
    product = Product.objects.get(code="VOL-VIS")
    dollars.entries.create(product=product, licence=700_000, sma_year=140_000, upgrade=280_000)
    dongle = ending("SOON", customer, today + days(5))
    first = world.send(dongle, today)
    Customer.objects.update(currency="USD")
    dongle.refresh_from_db()
    second = world.draft(dongle, today, revises=first.quote)
    page = text_of(sales.get(reverse("renewals:quote_version", args=[second.quote_id, second.number])))
    assert "Dongle SOON: US$1,400.00 net instead of €1,200.00." in page
    # with 19 % tax
    assert "US$1,666.00 in total instead of €1,428.00." in page


def test_who_looks_after_a_customer_is_one_of_the_staff(customer, sales):
    world.make_user("customer", customer=customer)
    seller = User.objects.get(role="sales")
    form = sales.get(reverse("renewals:change_customer", args=[customer.pk])).context["form"]
    assert [str(label) for _, label in form.fields["owner"].choices] == ["Nobody", str(seller)]


def test_a_contact_is_added_changed_marked_as_left_and_as_back(customer, sales):
    add = reverse("renewals:new_contact", args=[customer.pk])
    text = text_of(sales.post(add, {"name": "Grace Holm", "email": "grace@cells.example"}, follow=True))
    assert "Grace Holm is on file." in text
    answer = sales.post(add, {"name": "Grace", "email": "GRACE@cells.example"})
    assert answer.status_code == 422
    assert "Grace Holm, grace@cells.example, is on file already." in text_of(answer)
    grace = Contact.objects.get(email="grace@cells.example")
    change = reverse("renewals:contact", args=[customer.pk, grace.pk])
    assert 'value="Grace Holm"' in sales.get(change).content.decode()
    sales.post(change, {"name": "Grace Lenz", "email": "grace@cells.example"})
    text = text_of(sales.post(reverse("renewals:contact_left", args=[customer.pk, grace.pk]), follow=True))
    assert "Grace Lenz , left" in text
    assert "Is back : Grace Lenz" in text
    text = text_of(sales.post(reverse("renewals:contact_came_back", args=[customer.pk, grace.pk]), follow=True))
    assert "Has left : Grace Lenz" in text


def test_a_contact_is_changed_at_its_own_customer_only(customer, sales):
    theirs = world.make_customer("Others").contacts.get()
    for name in ("contact", "contact_left", "contact_came_back"):
        address = reverse(f"renewals:{name}", args=[customer.pk, theirs.pk])
        assert sales.post(address, {"name": "x", "email": "x@x.example"}).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.name, theirs.left_on) == ("Ada Lenz", None)


def test_finance_looks_and_changes_nothing(customer, finance, today):
    ending("SOON", customer, today + days(5))
    page = text_of(finance.get(page_of(customer)))
    for offered in ("Make a quote", "Add a contact", "Has left", "Change"):
        assert offered not in page
    contact = customer.contacts.get()
    for name in ("contact_left", "contact_came_back"):
        assert finance.post(reverse(f"renewals:{name}", args=[customer.pk, contact.pk])).status_code == 403
    contact.refresh_from_db()
    assert contact.left_on is None


def test_names_are_text_whatever_is_in_them(customer, sales):
    hostile = world.make_customer("<script>alert(1)</script>")
    page = sales.get(page_of(hostile)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_asks_no_more_the_more_there_is(customer, sales, today):
    def fill(first, last):
        for number in range(first, last):
            order = world.sell(ending(f"S{number}", customer, today + days(number)), today)
            ending(f"D{number}", customer, today + days(number))
            record_request(
                serial=f"D{number}", name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(today)
            )
            Contact.objects.create(customer=customer, name="Bo", email=f"bo{number}@cells.example")
            world.make_customer(f"Customer {number}")
            assert order.pk

    addresses = [page_of(customer), reverse("renewals:customers"), reverse("renewals:customers") + "?q=customer"]
    fill(0, 2)
    few = [queries_of(sales, address) for address in addresses]
    fill(2, 12)
    assert [queries_of(sales, address) for address in addresses] == few
    assert few[0] <= 24


@pytest.mark.browser
def test_customers_pages_have_no_barrier_in_any_state(portal, browser, client, today):
    world.make_user()
    full, bare = world.make_customer(), world.make_customer("Bare")
    bare.contacts.update(left_on=today)
    for number, on in enumerate((5, 40, -40, 600)):
        ending(f"D{number}", full, today + days(on))
    ending("GONE", full, today, state=Dongle.State.LOST)
    world.sell(ending("SOLD", full, today), today)
    record_request(serial="SOLD", name="Ada", email="ada@a.example", actor=world.SALES, at=world.at(today))
    found: list[str] = []
    with watched_page(browser, reduced_motion="reduce") as page:
        log_in(page, portal, client)
        for address in (
            page_of(full),
            page_of(bare),
            reverse("renewals:customers"),
            reverse("renewals:customers") + "?q=nobody",
            reverse("renewals:quotes") + f"?customer={full.pk}",
            reverse("renewals:change_customer", args=[full.pk]),
            reverse("renewals:contact", args=[full.pk, full.contacts.get().pk]),
        ):
            page.goto(portal + address)
            check(page, found)
        for name, args in (("new_customer", []), ("new_contact", [full.pk])):
            page.goto(portal + reverse(f"renewals:{name}", args=args))
            page.locator("main form button.button-primary").click()
            page.locator(".error-summary").wait_for()
            check(page, found)
    assert found == []

"""What a quote's page shows to who has the link, and to contacts after login."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.models import AuditEvent, Customer
from portal.wording import write_day
from renewals.models import Order, QuoteQuestion, QuoteVersion
from tests import world
from tests.web.customer_quote.links import STEPS, accept, given, opened, page_of
from tests.web.reading import text_of


@pytest.fixture
def openlab_lapsed(dongle, today):
    return world.make_dongle("300001", dongle.customer, [("OPL-FUL", str(today - timedelta(days=100)))])


def test_prices_are_named_in_customers_words_and_rules_by_nothing(version):
    page = text_of(opened(version).get(page_of(version)))
    assert "List price, EUR" in page
    assert "Price without tax, EUR" in page
    assert not re.search(r"\b[PQ][0-9]\b", page)


def test_whoever_has_the_link_sees_what_they_have_what_they_get_and_what_it_costs(version, today):
    page = text_of(opened(version).get(page_of(version)))
    for said in (
        f"€2,499.00, valid until {write_day(today + timedelta(days=30))}, that day included.",
        "Volocity Visualisation, Volocity Quantitation",
        f"Valid until {write_day(today + timedelta(days=30))}",
        "As agreed",
        "Arithmetic",
        "every version that is released through its last day runs on your dongle",
        "Our SMA team answers: sma@vendor.example , +44 1223 000000.",
        "moves the date at once",
    ):
        assert said in page
    assert version.quote.customer.contacts.get().email not in page


def test_a_customer_who_pays_first_is_told_so_and_needs_no_order_number(version):
    Customer.objects.update(fulfil_on="payment")
    client = opened(version)
    assert "once it is paid" in text_of(client.get(page_of(version)))
    assert accept(version, client, purchase_order_number="").status_code == 302
    page = text_of(client.get(page_of(version)))
    assert "We send you the invoice. Once it is paid, the unlock code is mailed to a…@cells.example" in page
    assert Order.objects.get().state == "accepted"


def test_the_document_there_is_the_one_that_was_sent(version):
    answer = opened(version).get(page_of(version, "document"))
    assert answer.content == bytes(version.document.pdf)


@pytest.mark.parametrize(("days", "words"), [(30, "Accept this quote"), (31, "which is over")])
def test_it_is_open_through_its_last_valid_day_q1(dongle, today, days, words):
    version = world.send(dongle, today - timedelta(days=days))
    assert words in text_of(opened(version).get(page_of(version)))


def test_the_link_of_a_replaced_version_leads_to_the_newest_and_says_what_is_new_q2(version, dongle, today):
    """Three years: 2,100.00 × 3 = 6,300.00; less 10 % for three years as by the vendor's settings; tax 19 %."""
    newer = world.send(dongle, today, renew_years=3, revises=version.quote)
    page = text_of(opened(version).get(page_of(version)))
    assert "This is version 2. It has replaced version 1, whose link you have" in page
    assert "renewal for 3 years instead of renewal for 1 year" in page
    was, now = (write_day(each.dongles.get().covered_through) for each in (version, newer))
    assert f"covered until {now} instead of {was}" in page
    assert "EUR 2020" not in page  # the name of a price list is the vendor's own
    assert opened(version).get(page_of(version, "document")).content == bytes(newer.document.pdf)


def test_what_it_is_and_what_else_it_could_be_stand_before_the_form_that_accepts_it(version):
    page = opened(version).get(page_of(version)).content.decode()
    places = [page.index(each) for each in ("SMA with this quote", 'id="choices"', 'id="accept"', "Item</th>")]
    assert places == sorted(places)


def test_its_lines_speak_of_until_and_released(dongle, openlab_lapsed, today):
    ended, out = today - timedelta(days=100), today - timedelta(days=50)
    world.make_release("9.0", str(out), family="Openlab")
    version = world.send(openlab_lapsed, today)
    page = text_of(opened(version).get(page_of(version)))
    assert f"Lapsed: covered until {write_day(ended)}." in page
    assert f"Missed the major release 9.0 (released {write_day(out)})." in page
    assert "overed through" not in page
    kept = world.send(dongle, today)
    until = write_day(kept.dongles.get().paid_through)
    assert f"Covered until {until}." in text_of(opened(kept).get(page_of(kept)))


def test_a_draft_is_the_vendors_own(version, dongle, today):
    world.draft(dongle, today, renew_years=5, revises=version.quote)
    page = text_of(opened(version).get(page_of(version)))
    assert f"Quote {version.quote.number}" in page
    assert not re.search(r"version \d", page.lower())


def test_contacts_see_all_quotes_and_orders_of_their_organisation_newest_first(version, owner, dongle, today):
    other = world.make_dongle("777", dongle.customer, licences=[("VOL-VIS", today.isoformat())])
    order = world.sell(other, today)
    world.draft(dongle, today)
    page = re.sub(r" ,", ",", text_of(owner.get(reverse("renewals:my_quotes"))))
    numbers = re.findall(r"Q-\d+", page)
    assert numbers == [order.quote.number, version.quote.number]
    assert f"{order.number}, carried out" in page
    assert f"Open {write_day(today + timedelta(days=30))} €2,499.00" in page


def test_contacts_accept_without_a_link_and_see_addresses_written_out(version, owner, dongle):
    address = reverse("renewals:my_quote", args=[version.quote_id])
    page = owner.get(address).content.decode()
    assert 'value="Ada Lenz"' in page
    answer = owner.post(reverse("renewals:my_quote_accept", args=[version.quote_id]), given(version))
    assert answer.url == address
    page = text_of(owner.get(address))
    assert f"is mailed to {dongle.customer.contacts.get().email} ." in page
    assert "See the unlock code" in page
    assert AuditEvent.objects.get(action="accept", subject_kind="order").actor is not None


def test_contacts_decline_ask_and_choose_there_too(version, owner, dongle):
    to = {step: reverse(f"renewals:my_quote_{step}", args=[version.quote_id]) for step in STEPS}
    assert owner.get(to["document"]).content == bytes(version.document.pdf)
    assert owner.post(to["ask"], {"text": "Why?"}).status_code == 302
    asked = QuoteQuestion.objects.get()
    assert (asked.name, asked.email) == ("Ada Lenz", dongle.customer.contacts.get().email)
    answer = owner.post(to["choose"], {"choice": "3_years"})
    chosen = QuoteVersion.objects.exclude(pk=version.pk).get()
    assert answer.url == reverse("renewals:my_quote", args=[chosen.quote_id])
    assert owner.post(to["decline"], {"version": 1, "reason": "No budget"}).status_code == 302
    assert owner.post(to["again"]).status_code == 302
    assert version.quote.versions.get(number=2).state == "sent"


def test_a_draft_is_not_there_for_contacts(dongle, owner, today):
    draft = world.draft(dongle, today)
    assert owner.get(reverse("renewals:my_quote", args=[draft.quote_id])).status_code == 404

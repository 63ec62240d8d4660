"""The page of a sent quote that its key opens: 1,200.00 + 900.00 a year, with 19 % tax 2,499.00."""

from datetime import timedelta

import pytest
from django.urls import reverse

from portal.models import Customer
from portal.wording import write_day
from renewals.documents import acceptance_address
from renewals.models import QuoteVersion
from tests import world
from tests.web.test_quote_pages import text_of


@pytest.fixture
def version(dongle, today):
    return world.send(dongle, today, note="As agreed")


def page_of(version):
    return reverse("renewals:quote_of_key", args=[version.key])


def test_the_address_in_mail_and_document_is_that_of_the_page(version, settings):
    assert acceptance_address(version) == settings.ADDRESS + page_of(version)


def test_whoever_has_the_key_sees_what_is_offered_and_how_to_accept(version, client, today):
    answer = client.get(page_of(version))
    page = text_of(answer)
    assert f"€2,499.00, valid until {write_day(today + timedelta(days=30))}, that day included." in page
    assert "Write your purchase order number." in page
    assert "As agreed" in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]


def test_a_customer_who_pays_first_is_told_so(version, client):
    Customer.objects.update(fulfil_on="payment")
    assert "once it is paid" in text_of(client.get(page_of(version)))


def test_the_document_there_is_the_one_that_was_sent(version, client):
    answer = client.get(reverse("renewals:document_of_key", args=[version.key]))
    assert answer.content == bytes(version.document.pdf)


def test_a_replaced_version_shows_nothing_of_what_it_offered_q2(version, client, dongle, today):
    world.send(dongle, today, renew_years=3, revises=version.quote)
    answer = client.get(page_of(version))
    assert answer.status_code == 410
    assert "This quote has been replaced" in text_of(answer)
    assert "2,499" not in text_of(answer)
    assert client.get(reverse("renewals:document_of_key", args=[version.key])).status_code == 404


@pytest.mark.parametrize(("days", "words"), [(30, "Write to"), (31, "which is over")])
def test_it_is_open_through_its_last_valid_day_q1(dongle, client, today, days, words):
    version = world.send(dongle, today - timedelta(days=days))
    assert words in text_of(client.get(page_of(version)))


def test_an_accepted_or_declined_one_says_so(version, client, dongle, today):
    other = world.make_dongle("777", dongle.customer, licences=[("VOL-VIS", today.isoformat())])
    declined = world.send(other, today)
    world.quotes.decline_quote(version=declined, reason="No budget", actor=world.SALES, at=world.at(today))
    world.accept(version, today)
    assert "accepted. Thank you." in text_of(client.get(page_of(version)))
    assert "declined." in text_of(client.get(page_of(declined)))
    assert "No budget" not in text_of(client.get(page_of(declined)))


def test_no_other_key_opens_anything_and_a_draft_has_none(dongle, client, today):
    draft = world.draft(dongle, today)
    assert draft.key == ""
    assert client.get("/q/-/").status_code == 404
    assert client.get(f"/q/{'x' * 32}/").status_code == 404


def test_keys_are_long_and_each_its_own(version, dongle, today):
    again = world.send(dongle, today, revises=version.quote)
    keys = set(QuoteVersion.objects.exclude(key="").values_list("key", flat=True))
    assert keys == {version.key, again.key}
    assert all(len(key) == 32 for key in keys)

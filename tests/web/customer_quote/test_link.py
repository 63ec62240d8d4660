"""The link that opens a quote's page: whom it lets in, how long, and where its key stands."""

import hashlib
from datetime import timedelta

import pytest

from portal import outbox
from portal.models import AuditEvent, OutboxMessage, SentMail
from renewals.documents import acceptance_address
from renewals.models import Order, QuoteVersion
from tests import world
from tests.web.customer_quote.links import STEPS, link_of, opened, page_of
from tests.web.reading import text_of


def test_the_address_in_mail_and_document_opens_the_page(version, settings, client):
    assert acceptance_address(version) == settings.ADDRESS + link_of(version)
    answer = client.get(link_of(version), follow=True)
    assert answer.redirect_chain == [(page_of(version), 302)]
    assert answer.status_code == 200


def test_the_key_is_exchanged_for_a_cookie_of_this_quote_alone(version, client, settings):
    settings.SESSION_COOKIE_SECURE = True
    answer = client.get(link_of(version))
    cookie = answer.cookies[f"quote-{version.quote_id}"]
    assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == (
        page_of(version),
        True,
        True,
        "Lax",
    )
    assert cookie["max-age"] == 61 * 24 * 3600  # 30 days and the last of them, and 30 more
    assert version.key not in cookie.value + answer.url
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]


def test_the_page_is_kept_by_no_cache_listed_nowhere_and_told_to_no_other_site(version):
    answer = opened(version).get(page_of(version))
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    # With no referrer at all browsers would post its forms with “Origin: null”.
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_key_stands_nowhere_in_the_row_the_outbox_and_the_trail(version):
    row = QuoteVersion.objects.filter(pk=version.pk).values().get()
    rows = [row, *AuditEvent.objects.values(), *OutboxMessage.objects.values()]
    assert len(version.key) == 43
    assert version.key not in str(rows)
    assert row["key_hash"] == hashlib.sha256(version.key.encode()).hexdigest()


def test_in_production_the_record_of_the_mail_does_not_keep_it_and_the_mail_says_it(version, settings, mailoutbox):
    settings.PRODUCTION = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox.drain()
    assert f"/q/{version.key}/" in mailoutbox[0].body
    record = SentMail.objects.get()
    assert "/q/…/" in record.text
    assert version.key not in record.text + record.html


def test_keys_are_each_their_own_and_a_draft_has_none(version, dongle, today):
    again = world.send(dongle, today, revises=version.quote)
    draft = world.draft(dongle, today, revises=version.quote)
    assert version.key != again.key
    assert (draft.key, draft.key_hash, acceptance_address(draft)) == ("", "", "")


def test_with_another_secret_key_the_link_works_on_and_is_said_again_if_the_former_is_kept(version, settings, client):
    link, key = link_of(version), version.key
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key that is long enough for a test"
    assert version.key == acceptance_address(version) == ""
    assert client.get(link).status_code == 302
    settings.SECRET_KEY_FALLBACKS = [former]
    assert version.key == key


def test_it_works_in_every_browser_however_often_somebody_has_looked(version):
    for _ in range(3):
        assert text_of(opened(version).get(page_of(version))).count("Accept this quote") == 1
    assert not Order.objects.exists()


@pytest.mark.parametrize(("days", "status"), [(60, 302), (61, 404)])
def test_it_ends_thirty_days_after_the_last_valid_day(dongle, client, today, days, status):
    version = world.send(dongle, today - timedelta(days=days))  # valid for 30 days
    assert client.get(link_of(version)).status_code == status


def test_a_wrong_key_one_that_is_over_and_no_cookie_are_answered_alike(dongle, client, today):
    over, other = world.send(dongle, today - timedelta(days=61)), world.send(dongle, today)
    asked = ["/q/-/", f"/q/{'x' * 43}/", link_of(over), page_of(over), page_of(other), "/quote/Q-999999/", "/quote/x/"]
    answers = [client.get(address) for address in asked]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "Ask for a new quote" in text_of(answers[0])
    assert {client.post(page_of(other, step)).status_code for step in STEPS[1:]} == {404}


def test_the_cookie_of_one_quote_opens_no_other(version, today):
    other = world.send(world.make_dongle("777", version.quote.customer), today)
    client = opened(version)
    client.cookies[f"quote-{other.quote_id}"] = client.cookies[f"quote-{version.quote_id}"].value
    assert client.get(page_of(other)).status_code == 404
    assert client.get(page_of(version)).status_code == 200

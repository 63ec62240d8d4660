"""The page of a sent quote for its customer, by its link: 1,200.00 + 900.00 a year, with 19 % tax 2,499.00."""

import hashlib
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dongles.models import Product
from portal import outbox
from portal.audit import Actor, Deed, record
from portal.models import AuditEvent, Contact, Customer, OutboxMessage, SentMail
from portal.wording import write_day
from renewals.documents import acceptance_address
from renewals.models import (
    Order,
    PolicySettings,
    PriceList,
    PurchaseOrderFile,
    Quote,
    QuoteQuestion,
    QuoteVersion,
)
from renewals.services import questions
from tests import papers, world
from tests.races import at_once
from tests.web.reading import text_of

TERMS = "Payment within 30 days."
CONCEDED = {"discount": Decimal("0.1"), "discount_reason": "Ten dongles", "actor": Actor("Sam", None, "sales")}
STEPS = ("document", "accept", "decline", "ask", "choose", "again")


@pytest.fixture(autouse=True)
def vendor(settings):
    settings.VENDOR = {**settings.VENDOR, "terms": TERMS, "telephone": "+44 1223 000000"}


@pytest.fixture
def openlab_lapsed(dongle, today):
    return world.make_dongle("300001", dongle.customer, [("OPL-FUL", str(today - timedelta(days=100)))])


@pytest.fixture
def version(dongle, today):
    return world.send(dongle, today, note="As agreed")


def link_of(version):
    return reverse("renewals:quote_of_key", args=[version.key])


def page_of(version, step="quote"):
    return reverse(f"renewals:{step}_of_link", args=[version.quote.number])


def opened(version, client=None):
    """Somebody who has followed the link."""
    client = client or Client()
    assert client.get(link_of(version)).status_code == 302
    return client


def given(version, **fields):
    """What is typed to accept."""
    return {
        "version": version.number,
        "purchase_order_number": "PO-77",
        "accepted_by": "Pat Buyer",
        "role": "Purchasing",
        "terms_version": hashlib.sha256(TERMS.encode()).hexdigest()[:16],
        "agrees": "on",
        **fields,
    }


def accept(version, client, **fields):
    return client.post(page_of(version, "accept"), given(version, **fields))


def written():
    """What a refusal must leave as it was."""
    return {
        "orders": Order.objects.count(),
        "versions": list(QuoteVersion.objects.values_list("pk", "state")),
        "questions": QuoteQuestion.objects.count(),
        "events": AuditEvent.objects.count(),
        "mails": OutboxMessage.objects.count(),
        "files": PurchaseOrderFile.objects.count(),
    }


# The link


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


# What it shows


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


# Accepting


def test_accepting_says_who_when_and_to_whom_the_code_is_mailed(version, today):
    client = opened(version)
    upload = SimpleUploadedFile("order.pdf", papers.PDF)
    answer = accept(version, client, purchase_order_file=upload)
    assert answer.status_code == 302
    order = Order.objects.get()
    assert (order.state, order.accepted_by, order.purchase_order_number, order.terms) == (
        "fulfilled",
        "Pat Buyer, Purchasing",
        "PO-77",
        TERMS,
    )
    assert order.files.get().name == "order.pdf"
    page = text_of(client.get(answer.url))
    assert "accepted. Thank you." in page
    assert f"{order.number} of {write_day(today)}" in page
    assert "is mailed to a…@cells.example ." in page
    assert version.quote.customer.contacts.get().email not in page
    event = AuditEvent.objects.get(action="accept", subject_kind="order")
    assert event.actor_name == f"Pat Buyer, Purchasing, by the link of quote {version.quote.number}"
    assert event.after["terms"] == TERMS


def test_a_double_click_a_reload_and_a_second_tab_accept_once(version):
    client, other = opened(version), opened(version)
    assert {accept(version, client).status_code for _ in range(3)} == {302}
    assert accept(version, other, accepted_by="Bo Late", purchase_order_file=_upload()).status_code == 302
    assert Order.objects.get().accepted_by == "Pat Buyer, Purchasing"
    assert "Pat Buyer, Purchasing" in text_of(other.get(page_of(version)))
    assert not PurchaseOrderFile.objects.exists()


def _upload(content=papers.PDF):
    return SimpleUploadedFile("order.pdf", content)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"purchase_order_number": ""}, "Enter the purchase order number."),
        ({"accepted_by": ""}, "Enter your name."),
        ({"role": ""}, "Enter your role, for example Purchasing."),
        ({"agrees": ""}, "Tick the box to agree to the terms"),
        ({"terms_version": "0" * 16}, "The terms have changed since you opened this page"),
    ],
)
def test_what_is_refused_writes_nothing_and_keeps_what_was_typed(version, fields, words):
    client, before = opened(version), written()
    answer = accept(version, client, **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    typed = {key: value for key, value in given(version, **fields).items() if value and key in ("role", "accepted_by")}
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values())
    assert written() == before


def test_who_looked_at_a_version_that_was_replaced_meanwhile_is_shown_the_newest_first(version, dongle, today):
    client = opened(version)
    world.send(dongle, today, renew_years=3, revises=version.quote)
    before = written()
    answer = accept(version, client)
    assert answer.status_code == 422
    assert "version 2, has taken the place of the one that you looked at" in text_of(answer)
    assert 'value="Pat Buyer"' in answer.content.decode()
    assert written() == before


def test_a_file_that_is_none_of_the_kinds_is_refused_and_a_good_one_is_to_be_chosen_again(version):
    client, before = opened(version), written()
    answer = accept(version, client, purchase_order_file=_upload(papers.PROGRAM))
    assert "This is no whole PDF, PNG or JPEG file" in text_of(answer)
    answer = accept(version, client, purchase_order_file=_upload(), role="")
    assert "Choose your file again" in text_of(answer)
    assert written() == before


def test_of_many_at_once_one_order_is_made(transactional_db):
    results, orders = accepted_at_once(locked=True)
    assert results == [302] * 6
    assert orders == 1


def test_without_the_lock_many_at_once_do_not_end_well(transactional_db):
    results, _ = accepted_at_once(locked=False)
    assert results != [302] * 6


def accepted_at_once(*, locked):
    """Six people press the button of one quote at the same moment; what each was answered."""
    world.make_catalogue()
    today = timezone.localdate()
    ends = (today + timedelta(days=30)).isoformat()
    version = world.send(world.make_dongle(licences=[("VOL-VIS", ends)]), today)
    clients = [opened(version) for _ in range(6)]
    calls = [lambda client=client: accept(version, client) for client in clients]
    results = at_once(calls, locked=locked)
    return [getattr(result, "status_code", None) for result in results], Order.objects.count()


# Overtaken while somebody looks


def test_what_has_changed_meanwhile_is_sent_anew_at_once_and_nothing_typed_is_lost(version, dongle):
    """One licence is withdrawn: 900.00 a year are left, 1,071.00 with tax."""
    client = opened(version)
    dongle.licences.filter(product__code="VOL-VIS").update(withdrawn_on=timezone.localdate(), withdrawal_reason="Sold")
    answer = accept(version, client)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Version 2 takes its place, and stands below: look at it, then accept it." in text_of(answer)
    assert "€1,071.00 in total instead of €2,499.00." in text_of(answer)
    assert 'value="Pat Buyer"' in page
    assert 'name="version" value="2"' in page
    assert not Order.objects.exists()
    newer = QuoteVersion.objects.get(number=2)
    assert newer.state == "sent"
    assert OutboxMessage.objects.filter(kind="quote_sent", payload__version=newer.pk).exists()
    assert accept(newer, client).status_code == 302
    assert Order.objects.get().version == newer


def test_where_something_was_conceded_the_new_version_is_sales_business(dongle, today):
    version = world.send(dongle, today, **CONCEDED)
    client = opened(version)
    dongle.licences.filter(product__code="VOL-VIS").update(withdrawn_on=today, withdrawal_reason="Sold")
    answer = accept(version, client)
    assert "We make you a new offer and mail it: there is nothing that you have to do." in text_of(answer)
    assert QuoteVersion.objects.get(number=2).state == "draft"
    assert not Order.objects.exists()


def test_while_another_order_waits_no_version_after_version_is_sent(version, dongle, today):
    Customer.objects.update(fulfil_on="payment")
    world.accept(world.send(dongle, today), today)
    client = opened(version)
    for _ in range(3):
        assert "We make you a new offer" in text_of(accept(version, client))
    assert list(version.quote.versions.values_list("state", flat=True)) == ["sent", "draft"]


def test_a_quote_that_a_release_has_overtaken_is_sent_anew_under_requote(dongle, today):
    """Its SMA ended with the day before the release; the upgrades are 2,400.00 and 1,800.00, with tax 4,998.00."""
    PolicySettings.objects.update(straddle="requote")
    dongle.licences.first().periods.model.objects.update(ends_on=today - timedelta(days=3))
    version = world.send(dongle, today - timedelta(days=2))
    world.make_release("9.0", (today - timedelta(days=1)).isoformat())
    answer = accept(version, opened(version))
    assert "A major release has come out since this quote was made" in text_of(answer)
    assert QuoteVersion.objects.get(number=2).total == 499_800


def test_one_that_ran_out_is_made_anew_with_todays_prices(dongle, today):
    """Prices doubled since: 2 × 2,499.00 = 4,998.00."""
    version = world.send(dongle, today - timedelta(days=31))
    client = opened(version)
    page = text_of(client.get(page_of(version)))
    assert "No longer open" in page
    assert "Accept for" not in page
    _double_prices(today)
    assert client.post(page_of(version, "again")).url == page_of(version)
    assert client.post(page_of(version, "again")).status_code == 302  # pressed twice
    newer = QuoteVersion.objects.get(number=2)
    assert (newer.state, newer.total) == ("sent", 499_800)
    assert QuoteVersion.objects.count() == 2
    page = text_of(client.get(page_of(version)))
    assert "€4,998.00 in total instead of €2,499.00." in page
    assert "Accept for €4,998.00" in page


def _double_prices(day):
    dearer = PriceList.objects.create(name="EUR doubled", currency="EUR", segment="commercial", valid_from=day)
    for product in Product.objects.filter(code__in=world.PRICES):
        licence, year, upgrade = (2 * price for price in world.PRICES[product.code])
        dearer.entries.create(product=product, licence=licence, sma_year=year, upgrade=upgrade)


def test_accepted_from_a_page_that_is_too_old_it_is_made_anew_too(dongle, today):
    version = world.send(dongle, today - timedelta(days=31))
    answer = accept(version, opened(version))
    assert "The last day on which this quote could be accepted is over. Version 2 takes its place" in text_of(answer)
    assert 'value="Pat Buyer"' in answer.content.decode()
    assert not Order.objects.exists()


def test_one_with_terms_of_its_own_that_ran_out_is_asked_for(dongle, today):
    version = world.send(dongle, today - timedelta(days=31), **CONCEDED)
    client, before = opened(version), written()
    page = text_of(client.get(page_of(version)))
    assert "Its terms were agreed with our SMA team" in page
    assert "Get a new quote" not in page
    assert "made by our sales team" in text_of(client.post(page_of(version, "again")))
    assert written() == before


# Other ways, declining, questions


def test_other_ways_stand_beside_it_and_choosing_one_makes_a_quote_of_its_own(dongle, today):
    """Three years of 2,100.00 less 5 % are 5,985.00, with tax 7,122.15, a year 2,374.05."""
    PolicySettings.objects.update(multi_year_discount={"3": "0.05"})
    version = world.send(dongle, today)
    client = opened(version)
    page = text_of(client.get(page_of(version)))
    assert "This quote €2,499.00 €2,499.00 a year" in page
    assert "3 years €7,122.15 €2,374.05 a year" in page
    Contact.objects.create(customer=dongle.customer, name="Ben", email="ben@cells.example")
    answer = client.post(page_of(version, "choose"), {"choice": "3_years"})
    quote = Quote.objects.exclude(pk=version.quote_id).get()
    chosen = quote.versions.get()
    assert answer.url == page_of(chosen)
    assert chosen.total == 712_215
    assert "Accept for €7,122.15" in text_of(client.get(answer.url))
    version.refresh_from_db()
    assert version.state == "sent"
    message = OutboxMessage.objects.filter(kind="quote_sent", payload__version=chosen.pk).get()
    assert message.payload["recipients"] == [dongle.customer.contacts.get(name="Ada Lenz").email]


@pytest.mark.parametrize("choice", ["", "9_years", "5_years", "exact_2099-12-31"])
def test_what_is_not_offered_is_not_quoted(version, choice):
    client, before = opened(version), written()
    answer = client.post(page_of(version, "choose"), {"choice": choice})
    assert "This is not offered any more." in text_of(answer)
    assert written() == before


def test_where_something_is_conceded_nothing_else_is_offered_beside_it(dongle, today):
    version = world.send(dongle, today, **CONCEDED)
    page = text_of(opened(version).get(page_of(version)))
    assert "Or until another day" not in page
    assert "Ten dongles" not in page


def test_quotes_are_not_asked_for_without_end(version):
    client = opened(version)
    client.post(page_of(version, "choose"), {"choice": "3_years"})
    record(world.SALES, timezone.now(), *[Deed("ask", version)] * 9)
    before = written()
    answer = client.post(page_of(version, "choose"), {"choice": "3_years"})
    assert "10 quotes were asked for within the hour." in text_of(answer)
    assert written() == before


def test_declining_takes_a_reason_and_a_name_and_a_new_quote_can_be_had_later(version):
    client, before = opened(version), written()
    address = page_of(version, "decline")
    answer = client.post(address, {"version": 1, "name": "Pat", "reason": ""})
    assert answer.status_code == 422
    assert "Say in a word why." in text_of(answer)
    assert written() == before
    answer = client.post(address, {"version": 1, "name": "Pat", "reason": "No budget"})
    assert answer.status_code == 302
    event = AuditEvent.objects.get(action="decline")
    assert (event.reason, event.actor_name) == ("No budget", f"Pat, by the link of quote {version.quote.number}")
    page = text_of(client.get(page_of(version)))
    assert "declined." in page
    assert "You have declined" in page
    assert "No budget" not in page
    assert "This quote was declined." in text_of(accept(version, client))
    client.post(page_of(version, "again"))
    assert "Accept for €2,499.00" in text_of(client.get(page_of(version)))


def test_a_question_goes_to_the_team_by_mail_and_stands_in_the_queue_until_it_is_answered(version, sales):
    client = opened(version)
    asked = {"name": "Pat Buyer", "email": "pat@cells.example", "text": "Does it cover\nboth computers?"}
    answer = client.post(page_of(version, "ask"), asked, follow=True)
    assert "Your question is with our SMA team. The answer comes to pat@cells.example." in text_of(answer)
    outbox.drain()
    mail = SentMail.objects.get(message__kind="question_asked")
    assert mail.recipients == ["sma@vendor.example"]
    assert "Does it cover" in mail.text
    assert "Pat Buyer asks about a quote" in text_of(sales.get(reverse("renewals:queue")))
    address = reverse("renewals:quote", args=[version.quote_id])
    assert "Does it cover" in text_of(sales.get(address))
    done = reverse("renewals:question_answered", args=[version.quote_id, QuoteQuestion.objects.get().pk])
    assert sales.post(done, follow=True).status_code == 200
    assert "asks about a quote" not in text_of(sales.get(reverse("renewals:queue")))
    assert "Answered" in text_of(sales.get(address))


def test_the_answer_to_the_mail_goes_to_who_asked(version, mailoutbox, settings, today):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    questions.ask_question(
        version=version, name="Pat", email="pat@cells.example", text="Why?", actor=world.SALES, at=world.at(today)
    )
    outbox.drain()
    assert [mail.extra_headers["Reply-To"] for mail in mailoutbox if "Question" in mail.subject] == [
        "pat@cells.example"
    ]


def test_after_five_questions_within_an_hour_there_is_a_break(version):
    client = opened(version)
    asked = {"name": "Pat", "email": "pat@cells.example", "text": "Why?"}
    for _ in range(5):
        assert client.post(page_of(version, "ask"), asked).status_code == 302
    before = written()
    answer = client.post(page_of(version, "ask"), asked)
    assert "5 questions about this quote have come in within the hour." in text_of(answer)
    assert "Why?" in answer.content.decode()
    assert written() == before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": " "}, "Write what you want to know."),
        ({"email": "pat"}, "Write the whole address"),
        ({"name": ""}, "Enter your name."),
    ],
)
def test_a_question_without_what_it_needs_is_refused(version, fields, words):
    client, before = opened(version), written()
    asked = {"name": "Pat", "email": "pat@cells.example", "text": "Why?", **fields}
    answer = client.post(page_of(version, "ask"), asked)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert written() == before


# After login


def test_contacts_see_all_quotes_and_orders_of_their_organisation_newest_first(version, owner, dongle, today):
    other = world.make_dongle("777", dongle.customer, licences=[("VOL-VIS", today.isoformat())])
    order = world.sell(other, today)
    world.draft(dongle, today)
    page = re.sub(r" ,", ",", text_of(owner.get(reverse("renewals:my_quotes"))))
    numbers = re.findall(r"Q-\d{6}", page)
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

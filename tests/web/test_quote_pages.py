"""Making, sending and ordering a quote through its pages. Two licences: 1,200.00 + 900.00 a year in EUR, 19 % tax."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dongles.models import UnlockCode
from portal import outbox
from portal.models import Contact, OutboxMessage, SentMail
from renewals.models import Order, Quote, QuoteDocument, QuoteVersion
from renewals.queries import DongleRequest
from renewals.services import quotes
from tests import world
from tests.web.reading import text_of


def builder(dongle):
    return reverse("renewals:quote_builder", args=[dongle.serial])


def address_of(dongle):
    return dongle.customer.contacts.get().email


def steps(version, step):
    return reverse(f"renewals:{step}", args=[version.quote_id, version.number])


def test_the_bare_builder_prices_a_year(dongle, sales):
    page = text_of(sales.get(builder(dongle)))
    # 1,200.00 + 900.00 = 2,100.00; 19 % of it 399.00
    assert "€2,499.00 in total" in page
    assert not Quote.objects.exists()


def test_the_live_preview_prices_what_is_typed_and_keeps_it_in_the_address(dongle, sales):
    answer = sales.get(
        builder(dongle), {"renew_years": "2", "align_to": "", "discount": "10"}, headers={"HX-Request": "true"}
    )
    # 2 × (1,200.00 + 900.00) = 4,200.00, less 10 % = 3,780.00, with 19 % tax 718.20
    assert "€4,498.20 in total" in text_of(answer)
    assert 'id="comes-to"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert answer["HX-Replace-Url"] == f"{builder(dongle)}?renew_years=2&discount=10"


def test_the_address_of_the_preview_shows_the_same_form_again(dongle, sales):
    page = sales.get(builder(dongle), {"renew_years": "2", "discount": "10"})
    assert "€4,498.20 in total" in text_of(page)
    assert '<option value="2" selected>' in page.content.decode()


def test_a_year_still_being_typed_changes_nothing(dongle, sales):
    asked = {"renew_years": "", "align_to": "0202-05-31"}
    assert sales.get(builder(dongle), asked, headers={"HX-Request": "true"}).status_code == 204


def test_the_preview_says_calmly_why_there_is_no_price(dongle, sales, today):
    asked = {"renew_years": "", "align_to": (today - timedelta(days=1)).isoformat()}
    answer = sales.get(builder(dongle), asked, headers={"HX-Request": "true"})
    assert "No price yet" in text_of(answer)
    assert "error-summary" not in answer.content.decode()


def test_without_script_the_button_works_it_out_and_keeps_what_was_typed(dongle, sales):
    asked = {"renew_years": "2", "discount": "10", "note": "With thanks", "work_it_out": "1"}
    page = sales.post(builder(dongle), asked)
    assert page.status_code == 200
    assert "€4,498.20 in total" in text_of(page)
    assert "With thanks" in page.content.decode()
    assert not Quote.objects.exists()


def test_posting_the_form_keeps_a_draft(dongle, sales):
    answer = sales.post(builder(dongle), {"renew_years": "1", "note": "As agreed", "once": "a"})
    version = QuoteVersion.objects.get()
    assert answer.url == reverse("renewals:quote_version", args=[version.quote_id, 1])
    assert (version.state, version.net, version.tax, version.total) == ("draft", 210_000, 39_900, 249_900)
    assert version.note == "As agreed"


def test_the_same_form_posted_twice_makes_one_draft(dongle, sales):
    asked = {"renew_years": "1", "once": "the same"}
    first, second = sales.post(builder(dongle), asked), sales.post(builder(dongle), asked)
    assert first.url == second.url
    assert QuoteVersion.objects.count() == 1
    sales.post(builder(dongle), {**asked, "once": "another form"})
    assert QuoteVersion.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_six_clicks_at_once_make_one_draft(today):
    world.make_catalogue()
    dongle = world.make_dongle(licences=[("VOL-VIS", today.isoformat())])
    client = Client()
    world.log_in(client, world.make_user())

    def click(_):
        other = Client()
        other.cookies = client.cookies
        try:
            return other.post(builder(dongle), {"renew_years": "1", "once": "one form"}).url
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as clicks:
        addresses = set(clicks.map(click, range(6)))
    assert addresses == {reverse("renewals:quote_version", args=[QuoteVersion.objects.get().quote_id, 1])}


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"align_to": "tomorrow"}, "align_to", "Enter a valid date."),
        ({"renew_years": "9"}, "renew_years", "Select a valid choice."),
        ({"discount": "5.555"}, "discount", "no more than 2 decimal places"),
        ({"discount": "10"}, "discount_reason", "Say why this is given."),
        ({"add_104233_VOL-QNT": "0"}, "add_104233_VOL-QNT", "Write 1 or more, or leave it empty."),
        ({"add_104233_VOL-QNT": "-3"}, "add_104233_VOL-QNT", "Write 1 or more, or leave it empty."),
    ],
)
def test_a_refusal_stands_beside_its_field_and_nothing_typed_is_lost(dongle, sales, typed, field, sentence):
    answer = sales.post(builder(dongle), {"renew_years": "1", "note": "Kept", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    beside = re.search(rf'<p class="field-error" id="id_{field}_error">(.*?)</p>', page)
    assert beside, page
    assert sentence in beside[1]
    assert ">\nKept</textarea>" in page
    assert not Quote.objects.exists()


def test_a_draft_refused_for_its_words_still_shows_its_price(dongle, sales):
    answer = sales.post(builder(dongle), {"renew_years": "1", "discount": "10", "once": "x"})
    assert answer.status_code == 422
    # 2,100.00 less 10 % = 1,890.00, with 19 % tax 359.10
    assert "€2,249.10 in total" in text_of(answer)
    assert not Quote.objects.exists()


def test_a_refusal_without_a_field_stands_on_top(dongle, sales):
    answer = sales.post(builder(dongle), {"renew_years": ""})
    assert answer.status_code == 422
    assert "There is a problem" in text_of(answer)
    assert not Quote.objects.exists()


def test_a_dongle_without_owner_cannot_be_quoted(catalogue, sales, today):
    dongle = world.make_dongle(licences=[("VOL-VIS", today.isoformat())])
    dongle.customer = None
    dongle.save()
    answer = sales.post(builder(dongle), {"renew_years": "1"})
    assert answer.status_code == 422
    assert "has no owner on record" in text_of(answer)
    assert not Quote.objects.exists()


def test_a_new_version_starts_with_the_words_of_the_one_before(dongle, sales, today):
    version = world.draft(dongle, today, discount=Decimal("0.05"), discount_reason="Loyal", note="As agreed")
    page = sales.get(reverse("renewals:quote", args=[version.quote_id])).content.decode()
    address = re.search(r'href="([^"]*/quote/\?revises=[^"]*)"', page)[1].replace("&amp;", "&")
    assert "As+agreed" not in address
    form = sales.get(address).content.decode()
    assert 'value="Loyal"' in form
    assert "As agreed</textarea>" in form
    target = re.search(r'<form id="quote-form" method="post" action="([^"]*)"', form[form.index("<main") :])[1]
    sales.post(target, {"renew_years": "1", "once": "x"})
    assert list(QuoteVersion.objects.values_list("quote_id", "number", "state")) == [
        (version.quote_id, 1, "superseded"),
        (version.quote_id, 2, "draft"),
    ]


def test_a_draft_is_sent_and_sent_again_it_stays_sent_once(dongle, sales, today):
    version = world.draft(dongle, today)
    typed = {"recipients": [address_of(dongle)], "once": "a"}
    for token in ("a", "a", "b"):  # the same form twice, then another
        assert sales.post(steps(version, "send"), {**typed, "once": token}).status_code == 302
    version.refresh_from_db()
    assert (version.state, version.valid_until) == ("sent", today + timedelta(days=30))
    assert OutboxMessage.objects.filter(kind="quote_sent").count() == 1


def test_a_quote_goes_to_the_contacts_that_are_ticked_and_to_nobody_else(dongle, sales, today):
    Contact.objects.create(customer=dongle.customer, name="Ben Ott", email="ben@cells.example")
    version = world.draft(dongle, today)
    for typed, sentence in [
        (["eve@elsewhere.example"], "eve@elsewhere.example is not on file as a contact."),
        ([], "Choose at least one contact."),
    ]:
        answer = sales.post(steps(version, "send"), {"recipients": typed, "once": "a"})
        assert answer.status_code == 422
        assert sentence in text_of(answer)
        version.refresh_from_db()
        assert version.state == "draft"
    sales.post(steps(version, "send"), {"recipients": ["ben@cells.example"], "once": "b"})
    assert OutboxMessage.objects.get().payload == {"version": version.pk, "recipients": ["ben@cells.example"]}


def test_who_has_no_contact_on_file_gets_no_quote_and_the_page_says_why(dongle, sales, today):
    dongle.customer.contacts.all().delete()
    version = world.draft(dongle, today)
    page = text_of(sales.get(reverse("renewals:quote_version", args=[version.quote_id, 1])))
    assert "has no contact on file yet: a quote goes to contacts on file only." in page
    assert sales.post(steps(version, "send"), {"once": "a"}).status_code == 422
    version.refresh_from_db()
    assert version.state == "draft"


def test_a_sent_quote_is_mailed_again_once_a_form_and_its_history_says_so(dongle, sales, today):
    version = world.send(dongle, today)
    typed = {"recipients": [address_of(dongle)], "once": "again"}
    for _ in range(2):
        assert sales.post(steps(version, "resend"), typed).status_code == 302
    assert OutboxMessage.objects.filter(kind="quote_sent").count() == 2
    assert "Version 1 sent again" in text_of(sales.get(reverse("renewals:quote", args=[version.quote_id])))


def test_a_draft_can_not_be_sent_again(dongle, sales, today):
    version = world.draft(dongle, today)
    answer = sales.post(steps(version, "resend"), {"recipients": [address_of(dongle)], "once": "x"})
    assert answer.status_code == 422
    assert "This version is a draft: send it first." in text_of(answer)
    assert not OutboxMessage.objects.exists()


def test_the_document_of_a_sent_version_stays_as_it_was_sent(dongle, sales, today):
    version = world.send(dongle, today)
    frozen = version.document
    first = sales.get(steps(version, "document"))
    customer = dongle.customer
    customer.name, customer.country = "Another name", "US"
    customer.save()
    later = sales.get(steps(version, "document"))
    assert first["Content-Type"] == "application/pdf"
    assert first.content == later.content
    assert hashlib.sha256(later.content).hexdigest() == frozen.sha256


def test_the_document_of_a_draft_can_be_looked_at_and_is_kept_nowhere(dongle, sales, today):
    version = world.draft(dongle, today)
    answer = sales.get(steps(version, "document"))
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == f'inline; filename="{version.quote.number}-1-draft.pdf"'
    assert not QuoteDocument.objects.exists()


def test_the_page_says_whether_the_mail_is_on_its_way_gone_or_stuck(dongle, sales, today, settings):
    version = world.send(dongle, today)
    page = reverse("renewals:quote", args=[version.quote_id])
    assert f"On its way to {address_of(dongle)}." in text_of(sales.get(page))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.drain()
    assert "Not mailed yet." in text_of(sales.get(page))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.drain()
    assert f"Mailed to {address_of(dongle)} on" in text_of(sales.get(page))
    name, content, kind = mail.outbox[0].attachments[0]
    assert (name, kind) == (f"{version.quote.number}-1.pdf", "application/pdf")
    assert content == bytes(version.document.pdf)
    assert SentMail.objects.get().attachments == [{"name": name, "sha256": version.document.sha256}]


def test_a_purchase_order_needs_its_number_and_who_ordered(dongle, sales, today):
    version = world.send(dongle, today)
    answer = sales.post(steps(version, "accept"), {"purchase_order_number": "", "accepted_by": "Ada Lenz"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert re.search(r'id="id_purchase_order_number_error">.*Enter the purchase order number\.', page)
    assert 'value="Ada Lenz"' in page
    answer = sales.post(steps(version, "accept"), {"purchase_order_number": "PO-1", "accepted_by": " "})
    assert "Say who placed the order." in text_of(answer)
    assert not Order.objects.exists()
    assert not UnlockCode.objects.exists()
    version.refresh_from_db()
    assert version.state == "sent"


def test_ordering_twice_gives_one_order_and_one_code(dongle, sales, today):
    version = world.send(dongle, today)
    typed = {"purchase_order_number": "PO-1", "accepted_by": "Ada Lenz"}
    first, second = sales.post(steps(version, "accept"), typed), sales.post(steps(version, "accept"), typed)
    assert first.url == second.url == reverse("renewals:order", args=[Order.objects.get().pk])
    assert UnlockCode.objects.count() == 1


def test_an_expired_quote_says_so_and_offers_a_new_version(dongle, sales, today):
    version = world.send(dongle, today - timedelta(days=31))
    page = text_of(sales.get(reverse("renewals:quote", args=[version.quote_id])))
    assert "sent and expired" in page
    assert "Make a new version" in page
    assert "Record the purchase order" not in page
    sales.post(steps(version, "accept"), {"purchase_order_number": "PO-1", "accepted_by": "Ada Lenz"})
    assert not Order.objects.exists()


def test_a_superseded_version_cannot_be_ordered_and_leads_to_the_newest(dongle, sales, today):
    first = world.send(dongle, today)
    world.send(dongle, today, renew_years=2, revises=first.quote)
    page = text_of(sales.get(reverse("renewals:quote_version", args=[first.quote_id, 1])))
    assert "A newer version has replaced it." in page
    assert "Go to version 2" in page
    answer = sales.post(steps(first, "accept"), {"purchase_order_number": "PO-1", "accepted_by": "Ada Lenz"})
    assert answer.status_code == 422
    assert "There is a problem A newer version has replaced this one;" in text_of(answer)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("send", {"recipients": "ada@cells.example"}),
        ("resend", {"recipients": "ada@cells.example"}),
        ("accept", {"purchase_order_number": "PO-1", "accepted_by": "Ada Lenz"}),
        ("decline", {"reason": "No budget"}),
        ("approve", {"reason": "Why not"}),
    ],
)
def test_a_step_that_somebody_else_has_made_impossible_is_refused_with_a_sentence(dongle, sales, today, step, typed):
    """The page from which it comes is a stale one: what it asks for has no place on the page any more."""
    dongle.customer.contacts.update(email="ada@cells.example")
    version = world.send(dongle, today)
    quotes.decline_quote(version=version, actor=world.SALES, at=world.at(today), reason="No budget")
    expected = (302, "") if step == "decline" else (422, "There is a problem This quote was declined.")
    answer = sales.post(steps(version, step), typed)
    assert (answer.status_code, expected[1] in text_of(answer)) == (expected[0], True)
    assert not Order.objects.exists()


def test_declining_wants_a_reason(dongle, sales, today):
    version = world.send(dongle, today)
    answer = sales.post(steps(version, "decline"), {"reason": ""})
    assert answer.status_code == 422
    assert "Say why." in text_of(answer)
    version.refresh_from_db()
    assert version.state == "sent"
    sales.post(steps(version, "decline"), {"reason": "No budget"})
    version.refresh_from_db()
    assert version.state == "declined"


def test_a_discount_over_the_limit_waits_for_somebody_else(dongle, sales, administrator, today):
    sales.post(builder(dongle), {"renew_years": "1", "discount": "20", "discount_reason": "Ten dongles", "once": "x"})
    version = QuoteVersion.objects.get()
    own, other = (
        text_of(who.get(reverse("renewals:quote", args=[version.quote_id]))) for who in (sales, administrator)
    )
    assert "Needs approval" in own
    assert ("Approve" in own, "Approve" in other) == (False, True)
    answer = sales.post(steps(version, "approve"), {"reason": "I say so"})
    assert answer.status_code == 422
    version.refresh_from_db()
    assert version.approved_by is None
    administrator.post(steps(version, "approve"), {"reason": "Agreed"})
    version.refresh_from_db()
    assert str(version.approved_by) == "Administrator"


def test_a_quote_for_three_dongles_shows_each_with_its_lines(dongle, sales, today):
    ends = today.isoformat()
    others = [world.make_dongle(serial, dongle.customer, [("VOL-VIS", ends)]) for serial in ("204233", "304233")]
    version = quotes.draft_quote(
        customer=dongle.customer,
        requests=[DongleRequest(each, 1) for each in (dongle, *others)],
        actor=world.SALES,
        at=world.at(today),
    )
    page = sales.get(reverse("renewals:quote", args=[version.quote_id])).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert [each for each in ("104233", "204233", "304233") if f'id="dongle-{each}"' in page] == [
        "104233",
        "204233",
        "304233",
    ]
    # 2,100.00 + 2 × 1,200.00 = 4,500.00, with 19 % tax 855.00
    assert "€5,355.00" in page


def test_the_builder_revises_no_quote_that_holds_other_dongles(dongle, sales):
    other = world.make_dongle("777", dongle.customer)
    anothers = world.draft(other, timezone.localdate().isoformat())
    answer = sales.post(f"{builder(dongle)}?revises={anothers.quote_id}", {"renew_years": "1", "once": "a"})
    assert answer.status_code in (302, 409)
    assert anothers.quote.versions.count() == 1
    assert sales.get(f"{builder(dongle)}?revises={'9' * 5000}").status_code == 200


def test_a_reason_longer_than_its_room_is_refused_beside_the_field(dongle, sales):
    licence = dongle.licences.first()
    answer = sales.post(reverse("renewals:withdraw", args=[dongle.serial, licence.pk]), {"reason": "x" * 300})
    assert answer.status_code == 422
    licence.refresh_from_db()
    assert licence.withdrawn_on is None

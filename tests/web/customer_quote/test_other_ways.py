"""Other ways beside a quote, declining it, and questions about it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from portal import outbox
from portal.audit import Deed, record
from portal.models import AuditEvent, Contact, OutboxMessage, SentMail
from renewals.models import PolicySettings, Quote, QuoteQuestion
from renewals.services import questions
from tests import world
from tests.web.customer_quote.links import CONCEDED, accept, opened, page_of, written
from tests.web.reading import text_of


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

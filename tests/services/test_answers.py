"""What a visitor asks for (Q5): quoted at once to contacts on file, to nobody else; the rest is diagnosed for sales."""

import pytest

from portal import outbox
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, OutboxMessage, SentMail
from renewals import tasks
from renewals.models import Quote, QuoteVersion, RenewalRequest, RequestedDongle
from renewals.services import answers, requests
from renewals.services.customers import merge_customers
from renewals.services.replacements import replace_dongle
from tests import world

pytestmark = pytest.mark.django_db
DAY = "2026-02-01"
BY = {"actor": answers.PORTAL, "at": world.at(DAY)}
A_YEAR = {"renew_years": 1, "added": []}


def ask(*serials, email="ada@nowhere.example", wanted=A_YEAR, **more):
    asked = {"serials": serials, "name": "Ada Lenz", "email": email, "wanted": wanted, **more}
    return requests.ask_for_quote(**asked, **BY)


def answered(*serials, **asked):
    """The request as it stands after the portal has looked it up."""
    return answers.answer_at_once(request=ask(*serials, **asked), **BY)


def ada_of(dongle):
    return dongle.customer.contacts.get(name="Ada Lenz").email


def found(request):
    return [(each.serial, str(each.quote or each.finding)) for each in request.dongles.all()]


def diagnosis_of(request):
    return request.dongles.get().diagnosis


def recipients():
    messages = OutboxMessage.objects.filter(kind="quote_sent").order_by("pk")
    return [message.payload["recipients"] for message in messages]


def test_asking_keeps_what_was_typed_and_looks_nothing_up(dongle):
    request = ask("104-233", "999 999", message="Soon", organisation="Cells", telephone="+49 30 1")
    assert (request.state, request.dongle, request.quote, request.looked_up_at) == ("open", None, None, None)
    assert (request.serial, request.wanted, request.is_public) == ("104-233, 999 999", A_YEAR, True)
    assert list(request.dongles.values_list("serial", "dongle", "finding")) == [
        ("104-233", None, ""),
        ("999 999", None, ""),
    ]
    assert OutboxMessage.objects.get().payload == {"request": request.pk}
    assert not Quote.objects.exists()


@pytest.mark.parametrize("missing", ["serials", "name", "email"])
def test_a_request_that_lacks_something_is_refused(dongle, missing):
    asked = {"serials": ["104233"], "name": "Ada", "email": "a@b.example", "wanted": A_YEAR}
    with pytest.raises(DomainError) as refused:
        requests.ask_for_quote(**{**asked, missing: asked[missing][:0]}, **BY)
    assert refused.value.code == "request_incomplete"
    assert not RenewalRequest.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_fifty_serials_are_taken_and_fifty_one_are_not(db):
    ask(*(str(n) for n in range(50)))
    with pytest.raises(DomainError) as refused:
        ask(*(str(n) for n in range(51)))
    assert refused.value.code == "too_many_serials"
    assert RequestedDongle.objects.count() == 50


def test_what_a_machine_sent_is_kept_closed_and_never_looked_up(dongle):
    request = ask("104233", email=ada_of(dongle), is_machine=True)
    assert request.state == "closed"
    assert not OutboxMessage.objects.exists()
    assert "a machine" in AuditEvent.objects.get(subject_kind="renewalrequest").reason
    assert answers.answer_at_once(request=request, **BY).looked_up_at is None
    assert not Quote.objects.exists()


def test_a_contact_on_file_is_quoted_at_once_and_nobody_else_q5(dongle):
    """A year of 1,200.00 and one of 900.00 are 2,100.00; 19 % of that are 399.00."""
    Contact.objects.create(customer=dongle.customer, name="Ben", email="ben@cells.example")
    request = answered("104 233", email=ada_of(dongle).upper())
    version = QuoteVersion.objects.get()
    assert (version.state, version.net, version.tax, version.total) == ("sent", 210_000, 39_900, 249_900)
    assert recipients() == [[ada_of(dongle)]]
    assert (request.state, request.quote, request.dongle) == ("answered", version.quote, dongle)
    assert found(request) == [("104 233", version.quote.number)]


def test_looked_up_twice_it_is_quoted_once(dongle):
    request = ask("104233", email=ada_of(dongle))
    message = OutboxMessage.objects.get()
    for _ in range(2):
        tasks.answer_request(message)
    assert QuoteVersion.objects.count() == 1
    assert len(recipients()) == 1
    assert AuditEvent.objects.filter(action="look_up", subject_id=request.pk).count() == 1


def test_the_quote_is_in_the_mailbox_once_the_outbox_has_run(dongle):
    ask("104233", email=ada_of(dongle))
    OutboxMessage.objects.update(due_at=world.at(DAY))
    assert outbox.drain() == 1
    version = QuoteVersion.objects.get()
    OutboxMessage.objects.filter(kind="quote_sent").update(due_at=world.at(DAY))
    assert outbox.drain() == 1
    mail = SentMail.objects.get()
    assert mail.recipients == [ada_of(dongle)]
    assert version.quote.number in mail.subject
    assert mail.attachments[0]["name"] == f"{version.quote.number}-1.pdf"


def test_all_dongles_of_a_customer_are_in_one_quote(dongle):
    """Twice 2,100.00 and once 1,200.00."""
    world.make_dongle("104234", dongle.customer)
    world.make_dongle("104235", dongle.customer, [("VOL-VIS", "2026-05-31")])
    request = answered("104233", "104234", "104235", email=ada_of(dongle))
    assert QuoteVersion.objects.get().net == 540_000
    assert request.state == "answered"
    assert {quote for _, quote in found(request)} == {request.quote.number}


def test_added_licences_go_on_the_dongle_that_they_were_asked_for(dongle):
    """Two seats at 6,000.00 on the second dongle, which is renewed by nothing else."""
    world.make_dongle("104234", dongle.customer)
    added = [{"product": "VOL-VIS", "seats": 2, "serial": "104 234"}]
    request = answered("104233", "104 234", email=ada_of(dongle), wanted={"renew_years": None, "added": added})
    assert [finding for _, finding in found(request)] == ["nothing_requested", Quote.objects.get().number]
    line = QuoteVersion.objects.get().dongles.get(dongle__serial="104234").lines.get(kind="licence")
    assert (line.seats, line.list_amount) == (2, 1_200_000)


def test_a_contact_of_two_customers_gets_a_quote_of_each(dongle):
    other = world.make_customer("Another institute")
    other.contacts.update(email=ada_of(dongle))
    world.make_dongle("204233", other, [("VOL-VIS", "2026-03-31")])
    request = answered("104233", "204233", email=ada_of(dongle))
    versions = QuoteVersion.objects.order_by("pk")
    assert [(version.quote.customer, version.net) for version in versions] == [
        (dongle.customer, 210_000),
        (other, 120_000),
    ]
    assert recipients() == [[ada_of(dongle)]] * 2
    assert request.state == "answered"


def test_the_rest_waits_for_sales_with_its_diagnosis(dongle):
    stranger = world.make_customer("Somebody else")
    theirs = world.make_dongle("204233", stranger, [("VOL-VIS", "2026-03-31")])
    request = answered("104233", "204233", "999999", email=ada_of(dongle))
    assert (request.state, request.quote, request.dongle) == ("open", None, theirs)
    assert found(request) == [
        ("104233", Quote.objects.get().number),
        ("204233", "recipient_not_on_file"),
        ("999999", "unknown_serial"),
    ]
    words = request.dongles.get(serial="204233").diagnosis
    assert words == (
        f"The dongle belongs to Somebody else, where {ada_of(dongle)} is not on file. The address is on file with"
        f" Institute of Cells. On file is: {stranger.contacts.get()}."
    )
    assert recipients() == [[ada_of(dongle)]]


def test_with_a_message_the_request_stays_open_to_be_read(dongle):
    request = answered("104233", email=ada_of(dongle), message="And move it to Ben")
    assert (request.state, request.quote) == ("open", None)
    assert found(request) == [("104233", Quote.objects.get().number)]


def test_whoever_is_not_on_file_gets_no_mail_at_all_q5(dongle):
    assert found(answered("104233", email="eve@elsewhere.example")) == [("104233", "recipient_not_on_file")]
    assert not Quote.objects.exists()
    assert not OutboxMessage.objects.exclude(kind="quote_requested").exists()


def test_who_has_left_is_quoted_nothing(dongle):
    contact = dongle.customer.contacts.get()
    contact.left_on = world.at("2026-01-05").date()
    contact.save()
    request = answered("104233", email=contact.email)
    assert diagnosis_of(request) == (
        "The dongle belongs to Institute of Cells, which Ada Lenz has left on 5 Jan 2026."
        " On file is: nobody with an e-mail address."
    )
    assert not Quote.objects.exists()


def test_a_dongle_of_a_merged_customer_is_quoted_to_whoever_is_on_file_now(dongle):
    kept = world.make_customer("Institute for Cells")
    email = ada_of(dongle)
    merge_customers(kept=kept, merged=dongle.customer, actor=world.SALES, at=world.at(DAY))
    assert answered("104233", email=email).state == "answered"
    assert Quote.objects.get().customer == kept


def test_a_dongle_without_owner_is_said(dongle):
    email = ada_of(dongle)
    dongle.customer = None
    dongle.save()
    request = answered("104233", email=email)
    assert (found(request), request.dongle) == ([("104233", "dongle_without_owner")], dongle)


def test_a_lost_dongle_and_one_that_was_replaced_are_said(dongle):
    email = ada_of(dongle)
    lost = world.make_dongle("104234", dongle.customer, state="lost")
    replace_dongle(
        dongle=dongle, serial="304233", cause="broken", reason="Dead", actor=world.SALES, at=world.at("2026-01-20")
    )
    assert (
        diagnosis_of(answered("104233", email=email))
        == "The dongle was replaced by dongle 304233: quote that one (Q8)."
    )
    assert diagnosis_of(answered(lost.serial, email=email)).startswith("The dongle is lost: ")
    assert not Quote.objects.exists()


def test_what_the_rules_refuse_is_kept_with_their_sentence_and_the_others_are_quoted(dongle):
    world.make_dongle("104234", dongle.customer, [])
    request = answered("104234", "104233", email=ada_of(dongle))
    assert found(request) == [("104234", "no_licences"), ("104233", Quote.objects.get().number)]
    assert request.dongles.get(serial="104234").diagnosis
    assert request.state == "open"


def test_where_the_quote_itself_is_refused_nothing_of_it_is_left(dongle):
    """No price list for the customer's currency."""
    dongle.customer.currency = "USD"
    dongle.customer.save()
    assert found(answered("104233", email=ada_of(dongle))) == [("104233", "no_price_list")]
    assert not Quote.objects.exists()


def test_what_sales_has_taken_up_meanwhile_is_left_to_them(dongle):
    request = ask("104233", email=ada_of(dongle))
    RequestedDongle.objects.update(dongle=dongle)
    version = world.draft(dongle, DAY, answers=request)
    assert answers.answer_at_once(request=request, **BY).quote == version.quote
    assert Quote.objects.count() == 1

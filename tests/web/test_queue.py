"""The work queue: what waits, for whom first, since when, with what to do next; and the pages of requests."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from portal import outbox
from portal.audit import Actor
from portal.models import OutboxMessage, User
from portal.wording import write_day
from renewals.models import QuoteVersion, RenewalRequest
from renewals.overviews import work_queue
from renewals.services import requests
from tests import world
from tests.web.conftest import client_of
from tests.web.reading import text_of


@pytest.fixture
def seller(sales):
    return User.objects.get(role="sales")


@pytest.fixture
def colleague(db):
    return world.make_user("sales", "colleague@vendor.example")


@pytest.fixture
def mine(dongle, seller):
    """The dongle of a customer whom the seller looks after."""
    dongle.customer.owner = seller
    dongle.customer.save()
    return dongle


def items(user, today, kind):
    queue = work_queue(user, today, kind=kind)
    return [(item.what, item.about, item.action, item.needs_me) for item in (*queue.mine, *queue.others)]


def record(serial="104-233"):
    return requests.record_request(
        serial=serial, name="Ada Lenz", email="ada@cells.example", actor=world.SALES, at=timezone.now()
    )


def test_an_empty_queue_says_what_to_do(catalogue, sales):
    page = text_of(sales.get(reverse("renewals:queue")))
    assert "Nothing waits" in page
    assert "The pipeline shows whose SMA ends next." in page


def test_the_home_page_is_the_queue(catalogue, sales):
    assert sales.get("/", follow=True).redirect_chain[-1][0] == reverse("renewals:queue")


def test_an_open_request_waits_for_its_answer(mine, seller, colleague, today):
    request = record()
    what = ("Ada Lenz asks for a quote", f"{request.number}, dongle 104-233", "Answer it")
    assert items(seller, today, "request") == [(*what, True)]
    assert items(colleague, today, "request") == [(*what, False)]


def test_a_request_for_an_unknown_serial_is_everybodys(catalogue, seller, today):
    record("999")
    assert items(seller, today, "request")[0][2:] == ("Answer it", True)


def test_an_approval_needs_whoever_may_give_it(mine, seller, colleague, today):
    world.draft(mine, today, discount=Decimal("0.2"), discount_reason="Rival", actor=Actor.of(seller))
    administrator, finance = world.make_user("administrator"), world.make_user("finance")
    # 20 % is over the limit of sales, and nobody approves what they drafted
    assert [items(user, today, "approval")[0][2:] for user in (seller, colleague, finance, administrator)] == [
        ("Look at it", False),
        ("Look at it", False),
        ("Look at it", False),
        ("Decide", True),
    ]


def test_an_approval_of_an_earlier_day_waits_for_its_drafter_to_price_it_again(mine, seller, today):
    version = world.draft(mine, today, discount=Decimal("0.2"), discount_reason="Rival", actor=Actor.of(seller))
    administrator, tomorrow = world.make_user("administrator"), today + timedelta(days=1)
    assert items(administrator, tomorrow, "approval") == []
    what = f"Draft of {write_day(today)}, to be priced again"
    assert items(seller, tomorrow, "draft") == [(what, f"{version.quote.number} version 1", "Price it again", True)]


def test_free_months_may_be_approved_by_a_colleague(mine, seller, colleague, today):
    world.draft(mine, today, free_months=1, discount_reason="Outage", actor=Actor.of(seller))
    assert items(colleague, today, "approval")[0][2:] == ("Decide", True)
    assert items(seller, today, "approval")[0][2:] == ("Look at it", False)


def test_a_draft_waits_to_be_sent_or_to_be_priced_again(mine, seller, colleague, today):
    version = world.draft(mine, today, actor=Actor.of(seller))
    about = f"{version.quote.number} version 1"
    assert items(seller, today, "draft") == [("Draft, not sent yet", about, "Send it", True)]
    assert items(colleague, today, "draft")[0][3] is False
    assert items(seller, today + timedelta(days=1), "draft")[0][2] == "Price it again"


@pytest.mark.parametrize(
    ("days", "action"),
    [(22, None), (23, "Ask the customer"), (30, "Ask the customer"), (31, "Offer it again"), (44, "Offer it again"),
     (45, None)],
)  # fmt: skip
def test_a_quote_that_runs_out_is_asked_about_a_week_before_and_offered_again_for_two_weeks(
    mine, seller, today, days, action
):
    world.send(mine, today - timedelta(days=days))  # valid for thirty days after
    assert [item[2] for item in items(seller, today, "expiring")] == ([action] if action else [])


def test_an_order_that_waits_for_its_payment_needs_finance(catalogue, seller, today):
    customer = world.make_customer(fulfil_on="payment")
    order = world.sell(world.make_dongle("777", customer, licences=[("VOL-VIS", today.isoformat())]), today)
    finance = world.make_user("finance")
    assert items(finance, today, "order") == [("Ordered, to be paid first", order.number, "Record the payment", True)]
    assert items(seller, today, "order")[0][2:] == ("Look at it", False)


def test_a_code_whose_receipt_does_not_come_is_asked_for_after_three_days(mine, seller, today):
    world.sell(mine, today - timedelta(days=3))
    assert items(seller, today, "code") == []
    assert items(seller, today + timedelta(days=1), "code")[0][2:] == ("Ask for the receipt", True)


def test_a_mail_that_does_not_leave_is_said_with_its_quote(mine, seller, today, settings):
    version = world.send(mine, today)
    assert items(seller, today, "mail") == []
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.drain()
    found = items(seller, today, "mail")
    assert found[0][1:] == (version.quote.number, "Look at it", True)


def test_an_sma_that_ends_within_thirty_days_is_due_unless_a_quote_is_on_its_way(mine, seller, colleague, today):
    assert items(seller, today, "due") == [("SMA ends", "Dongle 104233", "Make a quote", True)]
    assert items(colleague, today, "due") == []  # somebody else looks after that customer
    assert items(seller, today - timedelta(days=1), "due") == []
    world.send(mine, today)
    assert items(seller, today, "due") == []


def test_what_needs_me_stands_first_and_kinds_can_be_chosen(mine, sales, seller, today):
    record()
    other = world.make_dongle("777", world.make_customer("Others"), licences=[("VOL-VIS", str(today))])
    world.draft(other, today)
    page = text_of(sales.get(reverse("renewals:queue")))
    assert page.index("Needs me") < page.index("Ada Lenz asks for a quote") < page.index("waiting for others")
    assert page.index("waiting for others") < page.index("Draft, not sent yet")
    only = text_of(sales.get(reverse("renewals:queue"), {"kind": "draft"}))
    assert "Draft, not sent yet" in only
    assert "Ada Lenz" not in only
    assert sales.get(reverse("renewals:queue"), {"kind": "<script>"}).status_code == 200


def test_the_queue_asks_the_database_the_same_for_one_item_as_for_many(
    mine, sales, today, django_assert_max_num_queries
):
    for number in range(8):
        one = world.make_dongle(f"9{number}", mine.customer, licences=[("VOL-VIS", str(today))])
        record(one.serial)
        world.draft(one, today)
        world.sell(world.make_dongle(f"8{number}", mine.customer, licences=[("VOL-VIS", str(today))]), today)
    with django_assert_max_num_queries(14):
        sales.get(reverse("renewals:queue"))


def test_a_request_is_recorded_once_a_form_and_leads_to_its_quote(dongle, sales, today):
    typed = {"serial": "104-233", "name": "Ada Lenz", "email": "ada@cells.example", "once": "a"}
    first, second = (sales.post(reverse("renewals:new_request"), typed) for _ in range(2))
    request = RenewalRequest.objects.get()
    assert first.url == second.url == reverse("renewals:request", args=[request.pk])
    page = sales.get(first.url).content.decode()
    address = re.search(r'href="([^"]*\?request=\d+)"', page)[1]
    assert "Quote for Ada Lenz" in text_of(sales.get(address))
    sales.post(address, {"renew_years": "1", "once": "b"})
    request.refresh_from_db()
    assert request.quote == QuoteVersion.objects.get().quote
    assert f"Open {request.quote.number}" in text_of(sales.get(first.url))


def test_a_closed_request_gets_no_quote_and_no_draft_is_left(dongle, sales, today):
    request = record()
    requests.close_request(request=request, reason="Twice", actor=world.SALES, at=timezone.now())
    address = f"{reverse('renewals:quote_builder', args=[dongle.serial])}?request={request.pk}"
    answer = sales.post(address, {"renew_years": "1", "once": "a"})
    assert answer.status_code == 422
    assert "This request was closed." in text_of(answer)
    assert not QuoteVersion.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("serial", "", "Enter the serial number."),
        ("name", " ", "Say who asks."),
        ("email", "not an address", "Enter a valid email address."),
        ("message", "x" * 2001, "at most 2000 characters"),
    ],
)
def test_a_request_that_lacks_something_comes_back_as_typed(catalogue, sales, field, value, sentence):
    typed = {"serial": "104233", "name": "Ada", "email": "ada@cells.example", "telephone": "0123", field: value}
    answer = sales.post(reverse("renewals:new_request"), {**typed, "once": "a"})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert 'value="0123"' in answer.content.decode()
    assert not RenewalRequest.objects.exists()


def test_the_page_warns_of_an_address_that_is_not_on_file_q5(dongle, sales):
    request = record()
    assert "ada@cells.example is not on file." in text_of(sales.get(reverse("renewals:request", args=[request.pk])))
    contact = dongle.customer.contacts.get()
    contact.email = "Ada@Cells.example"
    contact.save()
    assert "is not on file" not in text_of(sales.get(reverse("renewals:request", args=[request.pk])))


def test_a_request_is_closed_with_a_reason(dongle, sales):
    request = record()
    address = reverse("renewals:close_request", args=[request.pk])
    assert sales.post(address, {"reason": ""}).status_code == 422
    assert sales.post(address, {"reason": "A wrong number"}).status_code == 302
    assert "A wrong number" in text_of(sales.get(reverse("renewals:request", args=[request.pk])))


def test_finance_sees_requests_and_records_none(dongle, finance):
    request = record()
    assert finance.get(reverse("renewals:requests")).status_code == 200
    assert "Make a quote" not in text_of(finance.get(reverse("renewals:request", args=[request.pk])))
    assert finance.post(reverse("renewals:new_request"), {}).status_code == 403
    assert client_of("administrator").get(reverse("renewals:new_request")).status_code == 200

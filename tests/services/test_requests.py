"""Requests for a quote (Q5): recorded, linked with the quote that answers them, closed."""

from functools import partial

import pytest
from django.db import transaction

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import Quote, RenewalRequest
from renewals.services import requests
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db


def record(serial="104-233", **fields):
    fields = {"name": "Ada Lenz", "email": "ada@cells.example", **fields}
    return requests.record_request(serial=serial, actor=world.SALES, at=world.at("2026-02-01"), **fields)


def refusal_of(service, **fields):
    with pytest.raises(DomainError) as error:
        service(actor=world.SALES, at=world.at("2026-02-01"), **fields)
    return error.value


def test_a_request_finds_its_dongle_in_any_spelling_and_keeps_what_was_given(dongle):
    request = record("104 233", message=" For two years ")
    assert (request.dongle, request.serial, request.message, request.state) == (
        dongle,
        "104 233",
        "For two years",
        "open",
    )
    assert AuditEvent.objects.get(subject_kind="renewalrequest").action == "record"


@pytest.mark.parametrize("serial", ["999999", "no serial at all!", "*"])
def test_a_request_for_a_serial_that_nobody_knows_is_kept_all_the_same_q5(dongle, serial):
    assert record(serial).dongle is None


@pytest.mark.parametrize("missing", ["serial", "name", "email"])
def test_a_request_without_serial_name_or_address_is_refused(dongle, missing):
    given = {"serial": "104233", "name": "Ada", "email": "ada@cells.example", missing: "  "}
    refusal = refusal_of(requests.record_request, **given)
    assert (refusal.code, refusal.data) == ("request_incomplete", {"field": missing})
    assert not RenewalRequest.objects.exists()


def test_drafting_links_the_request_and_sending_answers_it(dongle):
    request = record()
    version = world.draft(dongle, "2026-02-01", answers=request)
    request.refresh_from_db()
    assert (request.state, request.quote) == ("open", version.quote)
    world.quotes.send_quote(version=version, actor=world.SALES, at=world.at("2026-02-01"))
    request.refresh_from_db()
    assert request.state == "answered"
    actions = AuditEvent.objects.filter(subject_kind="renewalrequest").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["record", "link", "answer"]


def test_a_request_belongs_to_one_quote(dongle):
    request = record()
    first = world.draft(dongle, "2026-02-01", answers=request)
    requests.link_request(request=request, quote=first.quote, actor=world.SALES, at=world.at("2026-02-01"))
    with pytest.raises(DomainError) as error:
        world.draft(dongle, "2026-02-01", answers=request)
    assert error.value.code == "request_linked"
    assert Quote.objects.count() == 1


def test_a_quote_for_somebody_else_answers_no_request(dongle):
    request = record()
    other = world.make_dongle("777", world.make_customer("Another"), licences=[("VOL-VIS", "2026-03-31")])
    with pytest.raises(DomainError) as error:
        world.draft(other, "2026-02-01", answers=request)
    assert error.value.code == "request_of_other_customer"
    assert not Quote.objects.exists()


def test_a_request_is_closed_once_with_a_reason(dongle):
    request = record()
    refusal = refusal_of(requests.close_request, request=request, reason=" ")
    assert (refusal.code, refusal.data) == ("request_reason_missing", {"field": "reason"})
    for _ in range(2):
        requests.close_request(request=request, reason="A wrong number", actor=world.SALES, at=world.at("2026-02-01"))
    request.refresh_from_db()
    assert request.state == "closed"
    assert AuditEvent.objects.filter(action="close").count() == 1
    assert refusal_of(requests.link_request, request=request, quote=world.draft(dongle, "2026-02-01").quote).code == (
        "request_closed"
    )


def test_an_answered_request_is_not_closed(dongle):
    request = record()
    world.send(dongle, "2026-02-01", answers=request)
    assert refusal_of(requests.close_request, request=request, reason="Too late").code == "request_answered"


def test_finance_records_no_requests(dongle):
    with pytest.raises(DomainError) as error:
        requests.record_request(
            serial="104233",
            name="Ada",
            email="a@b.example",
            actor=Actor("Fin", None, "finance"),
            at=world.at("2026-02-01"),
        )
    assert error.value.code == "not_allowed"
    assert not RenewalRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False], ids=["with row locks", "control without them"])
def test_closing_and_answering_at_once_end_in_one_state(locked):
    world.make_catalogue()
    dongle = world.make_dongle()
    contradictions = 0
    for _ in range(8):
        request = record()
        quote = world.draft(dongle, "2026-02-01", answers=request).quote
        at_once([partial(answer, quote), partial(close, request)], locked=locked)
        events = AuditEvent.objects.filter(subject_kind="renewalrequest", subject_id=request.pk)
        contradictions += len(set(events.values_list("action", flat=True)) & {"answer", "close"}) == 2
    assert contradictions == 0 if locked else contradictions > 0


def answer(quote):
    with transaction.atomic():
        requests.answer_requests(quote=quote, actor=world.SALES, at=world.at("2026-02-01"))


def close(request):
    requests.close_request(request=request, reason="No answer", actor=world.SALES, at=world.at("2026-02-01"))

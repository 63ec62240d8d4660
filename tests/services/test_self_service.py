"""What a contact on file asks for is quoted at once, to them alone, and not twice."""

import pytest

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, OutboxMessage
from renewals.models import QuoteVersion
from renewals.queries import DongleRequest
from renewals.services.requests import record_request
from renewals.services.self_service import quote_at_once
from tests import world

pytestmark = pytest.mark.django_db
DAY = "2026-02-01"
ADA = Actor("Ada Lenz", None, "customer")


def ask(dongle, day=DAY, years=1, **fields):
    contact = dongle.customer.contacts.order_by("pk").first()
    request = DongleRequest(dongle, renew_years=years)
    return quote_at_once(requests=[request], contact=contact, actor=ADA, at=world.at(day), **fields)


def test_the_quote_goes_to_who_asked_and_to_nobody_else(dongle):
    Contact.objects.create(customer=dongle.customer, name="Ben", email="ben@cells.example")
    version = ask(dongle)
    assert version.state == "sent"
    assert version.net == 210_000  # a year of 1,200.00 and one of 900.00
    message = OutboxMessage.objects.get(kind="quote_sent")
    assert message.payload["recipients"] == [dongle.customer.contacts.get(name="Ada Lenz").email]
    event = AuditEvent.objects.get(action="ask")
    assert (event.actor_name, event.subject_id) == ("Ada Lenz", version.pk)


def test_asked_again_the_same_quote_is_mailed_again(dongle):
    assert ask(dongle) == ask(dongle) == ask(dongle, "2026-03-03")  # its last valid day
    assert QuoteVersion.objects.count() == 1
    assert OutboxMessage.objects.filter(kind="quote_sent").count() == 3


@pytest.mark.parametrize(("day", "years"), [(DAY, 2), ("2026-03-04", 1)])
def test_something_else_or_after_the_last_valid_day_is_quoted_anew(dongle, day, years):
    first = ask(dongle)
    assert ask(dongle, day, years).quote_id != first.quote_id


def test_a_dongle_that_has_changed_is_quoted_anew(dongle):
    first = ask(dongle)
    dongle.licences.last().periods.update(is_cancelled=True)
    assert ask(dongle).quote_id != first.quote_id


def test_an_open_quote_answers_the_request_too(dongle):
    ask(dongle)
    request = record_request(serial="104233", name="Ada", email="a@cells.example", actor=world.SALES, at=world.at(DAY))
    version = ask(dongle, answers=request)
    request.refresh_from_db()
    assert (request.state, request.quote) == ("answered", version.quote)


def test_what_is_refused_leaves_nothing(dongle):
    with pytest.raises(DomainError) as refused:
        ask(dongle, years=6)
    assert refused.value.code == "years_out_of_range"
    assert not QuoteVersion.objects.exists()
    assert not OutboxMessage.objects.exists()

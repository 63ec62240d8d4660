"""Requests for a quote (rule Q5): record, link with the quote that answers them, close. Each is one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from dongles import queries as dongle_queries
from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from renewals.models import Quote, RenewalRequest, RequestedDongle
from renewals.states import RequestState, next_request_state

MOST_SERIALS = 50
MACHINE = "A field that people don’t see was filled in: most likely a machine."


@transaction.atomic
def ask_for_quote(
    *,
    serials: Sequence[str],
    name: str,
    email: str,
    wanted: Mapping[str, Any],
    actor: Actor,
    at: datetime,
    telephone: str = "",
    organisation: str = "",
    message: str = "",
    is_machine: bool = False,
) -> RenewalRequest:
    """Q5: keep what a visitor asks for, as it was typed, and have it looked up later (`answer_at_once`).

    Nothing is looked up here, so that neither answer nor time tells what is on record. What most likely a machine has
    sent is kept closed, and never looked up. Refuses `request_incomplete` and `too_many_serials`.
    """
    _check_complete(serial="".join(serials), name=name, email=email)
    if len(serials) > MOST_SERIALS:
        raise DomainError(
            "too_many_serials",
            f"These are {len(serials)} serial numbers; {MOST_SERIALS} at most can be sent at once.",
            {"field": "serials"},
        )
    request = RenewalRequest.objects.create(
        serial=", ".join(serials),
        name=name,
        email=email,
        telephone=telephone,
        organisation=organisation,
        wanted=dict(wanted),
        message=message,
        state=RequestState.CLOSED if is_machine else RequestState.OPEN,
        received_at=at,
        is_public=True,
    )
    RequestedDongle.objects.bulk_create(RequestedDongle(request=request, serial=serial) for serial in serials)
    after = {"state": request.state, "serial": request.serial, "name": name}
    audit.record(actor, at, Deed("record", request, after=after, reason=MACHINE if is_machine else ""))
    if not is_machine:
        outbox.post("quote_requested", [{"request": request.pk}], at=at)
    return request


def _check_complete(**given: str) -> None:
    for field, value in given.items():
        if not value:
            raise DomainError(
                "request_incomplete", "Serial number, name and e-mail address are needed.", {"field": field}
            )


@transaction.atomic
def record_request(
    *, serial: str, name: str, email: str, actor: Actor, at: datetime, telephone: str = "", message: str = ""
) -> RenewalRequest:
    """Q5: keep who asks for a quote for which serial; the dongle is found in any spelling, if there is one.

    Whoever asked can't learn from this whether the serial is on record. Refuses `request_incomplete`.
    """
    check_ability(actor, "sell")
    serial, name, email = serial.strip(), name.strip(), email.strip()
    _check_complete(serial=serial, name=name, email=email)
    found = dongle_queries.find_dongle(serial)
    request = RenewalRequest.objects.create(
        serial=serial,
        dongle=found,
        name=name,
        email=email,
        telephone=telephone.strip(),
        message=message.strip(),
        received_at=at,
        recorded_by_id=actor.user_id,
    )
    RequestedDongle.objects.create(request=request, serial=serial, dongle=found)
    audit.record(actor, at, Deed("record", request, after={"state": request.state, "serial": serial, "name": name}))
    return request


@transaction.atomic
def link_request(*, request: RenewalRequest, quote: Quote, actor: Actor, at: datetime) -> RenewalRequest:
    """Remember that a quote is being made for an open request: it is answered when a version of the quote is sent.

    Linked again, nothing happens. Refuses `request_closed`, `request_answered`, `request_linked` (with another quote)
    and `request_of_other_customer`.
    """
    check_ability(actor, "sell")
    request = RenewalRequest.objects.select_for_update().get(pk=request.pk)
    if request.quote_id == quote.pk:
        return request
    next_request_state(request.state, "answer")
    if request.quote_id is not None:
        raise DomainError(
            "request_linked",
            f"Quote {request.quote} is being made for this request already.",
            {"quote": request.quote_id},
        )
    if not request.dongles.filter(dongle__customer=quote.customer_id).exists():
        raise DomainError("request_of_other_customer", "This request is not about a dongle of the quote's customer.")
    request.quote = quote
    request.save(update_fields=["quote"])
    audit.record(actor, at, Deed("link", request, after={"quote": quote.number}))
    return request


def answer_requests(*, quote: Quote, actor: Actor, at: datetime) -> None:
    """Mark the open requests that the quote was made for as answered: a version of it is being sent.

    The caller's transaction goes on; who closes one of them at the same moment waits.
    """
    waiting = RenewalRequest.objects.select_for_update().filter(quote=quote, state=RequestState.OPEN)
    deeds = []
    for request in waiting:
        before, request.state = request.state, next_request_state(request.state, "answer")
        request.save(update_fields=["state"])
        deeds.append(Deed("answer", request, {"state": before}, {"state": request.state, "quote": quote.number}))
    if deeds:
        audit.record(actor, at, *deeds)


@transaction.atomic
def close_request(*, request: RenewalRequest, reason: str, actor: Actor, at: datetime) -> RenewalRequest:
    """Close a request without a quote, with a reason. Closed again, nothing happens.

    Refuses `request_answered` and `request_reason_missing`.
    """
    check_ability(actor, "sell")
    request = RenewalRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == RequestState.CLOSED:
        return request
    before, state = request.state, next_request_state(request.state, "close")
    if not reason.strip():
        raise DomainError("request_reason_missing", "Say why the request is closed.", {"field": "reason"})
    request.state = state
    request.save(update_fields=["state"])
    audit.record(actor, at, Deed("close", request, {"state": before}, {"state": state}, reason.strip()))
    return request

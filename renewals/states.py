"""The states of quotes, orders and requests, and the only ways between them (rules Q1, Q2, Q5, Q6). Pure."""

from collections.abc import Mapping
from enum import StrEnum

from portal.errors import DomainError


class QuoteState(StrEnum):
    """The state of a quote version. Expiry is no state: a sent version is past its last valid day or not."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SUPERSEDED = "superseded"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(state.value, state.value.capitalize()) for state in cls]


class OrderState(StrEnum):
    """The state of an order; one that is paid or has its purchase order is fulfilled in the same moment."""

    ACCEPTED = "accepted"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(state.value, state.value.capitalize()) for state in cls]


class RequestState(StrEnum):
    """The state of a request for a quote."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(state.value, state.value.capitalize()) for state in cls]


QUOTE_TRANSITIONS: Mapping[str, Mapping[str, QuoteState]] = {
    "send": {QuoteState.DRAFT: QuoteState.SENT},
    "accept": {QuoteState.SENT: QuoteState.ACCEPTED},
    "resend": {QuoteState.SENT: QuoteState.SENT},
    "decline": {QuoteState.SENT: QuoteState.DECLINED},
    "supersede": {QuoteState.DRAFT: QuoteState.SUPERSEDED, QuoteState.SENT: QuoteState.SUPERSEDED},
}

ORDER_TRANSITIONS: Mapping[str, Mapping[str, OrderState]] = {
    "fulfil": {OrderState.ACCEPTED: OrderState.FULFILLED},
    "credit": {OrderState.FULFILLED: OrderState.FULFILLED},
    "cancel": {OrderState.ACCEPTED: OrderState.CANCELLED, OrderState.FULFILLED: OrderState.CANCELLED},
}

REQUEST_TRANSITIONS: Mapping[str, Mapping[str, RequestState]] = {
    "answer": {RequestState.OPEN: RequestState.ANSWERED},
    "close": {RequestState.OPEN: RequestState.CLOSED},
}

QUOTE_REFUSALS = {
    QuoteState.DRAFT: ("quote_not_sent", "This version is a draft: send it first."),
    QuoteState.SENT: ("quote_already_sent", "This version was sent already."),
    QuoteState.ACCEPTED: ("quote_accepted", "This quote was accepted already."),
    QuoteState.DECLINED: ("quote_declined", "This quote was declined. Make a new version to offer it again."),
    QuoteState.SUPERSEDED: (
        "quote_superseded",
        "A newer version has replaced this one; only the newest counts.",
    ),
}

ORDER_REFUSALS = {
    OrderState.ACCEPTED: ("order_not_fulfilled", "This order is not fulfilled yet."),
    OrderState.FULFILLED: ("order_fulfilled", "This order was fulfilled already."),
    OrderState.CANCELLED: ("order_cancelled", "This order was cancelled."),
}


def next_quote_state(state: str, step: str) -> QuoteState:
    """The state after `step`; refuses with a code that tells what the state is instead."""
    allowed = QUOTE_TRANSITIONS[step]
    if state not in allowed:
        raise DomainError(*QUOTE_REFUSALS[QuoteState(state)], {"state": state, "step": step})
    return allowed[state]


def next_order_state(state: str, step: str) -> OrderState:
    """The state after `step`; refuses with a code that tells what the state is instead."""
    allowed = ORDER_TRANSITIONS[step]
    if state not in allowed:
        raise DomainError(*ORDER_REFUSALS[OrderState(state)], {"state": state, "step": step})
    return allowed[state]


REQUEST_REFUSALS = {
    RequestState.ANSWERED: ("request_answered", "This request was answered already."),
    RequestState.CLOSED: ("request_closed", "This request was closed."),
}


def next_request_state(state: str, step: str) -> RequestState:
    """The state after `step`; refuses with a code that tells what the state is instead."""
    allowed = REQUEST_TRANSITIONS[step]
    if state not in allowed:
        raise DomainError(*REQUEST_REFUSALS[RequestState(state)], {"state": state, "step": step})
    return allowed[state]

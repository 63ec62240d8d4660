"""Errors as problem+json (RFC 9457): each with a stable `code` and a sentence in `detail`."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from portal.errors import DomainError

PROBLEM_TYPE = "application/problem+json"
NOT_FOUND, FORBIDDEN, CONFLICT, UNPROCESSABLE, UNAVAILABLE = 404, 403, 409, 422, 503

# Refusals for what things have become meanwhile: read them again before asking again.
CONFLICTS = frozenset(
    {
        "approval_needed",
        "bridge_given",
        "bridge_lapsed",
        "build_not_entitled",
        "customer_changed",
        "dongle_changed",
        "dongle_not_active",
        "month_not_closed",
        "earlier_month_open",
        "later_month_closed",
        "month_closed",
        "month_not_over",
        "month_not_ready",
        "month_open",
        "nothing_to_cancel",
        "order_built_upon",
        "order_cancelled",
        "order_fulfilled",
        "order_not_fulfilled",
        "order_waits",
        "quote_accepted",
        "quote_already_sent",
        "quote_changed",
        "quote_declined",
        "quote_expired",
        "quote_not_sent",
        "quote_outdated",
        "quote_straddled",
        "quote_superseded",
        "reopening_asked",
        "reopening_decided",
        "request_answered",
        "request_closed",
        "request_linked",
        "second_factor_unreadable",
    }
)
UNAVAILABLE_CODES = frozenset({"signer_unavailable", "signer_refused", "login_unavailable"})
NOT_FOUND_CODES = frozenset({"file_missing", "build_missing"})
FORBIDDEN_CODES = frozenset({"not_allowed", "approval_own", "approval_over_limit", "reopening_needs_another"})


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; what it does not know is a broken invariant and crashes."""
    if isinstance(error, DomainError):
        set_rollback()
        return problem(status_of(error.code, context["kwargs"]), error.code, error.message, error.data)
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", "The body of the request is too large.")
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        found = problem(400, "invalid", "The request has fields that can't be read.", {"errors": fields})
    else:
        detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
        found = problem(response.status_code, getattr(detail, "code", "error"), str(detail))
    for header in ("WWW-Authenticate", "Retry-After"):
        if header in response.headers:
            found[header] = response.headers[header]
    return found


def problem(status: int, code: str, detail: str, data: Any = None) -> Response:
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    if data:
        body["data"] = data
    return Response(body, status=status, content_type=PROBLEM_TYPE)


def status_of(code: str, in_address: Collection[str] = ()) -> int:
    """The HTTP status of a refusal: not there, not yours, changed meanwhile, or not to be done.

    `in_address` names what the address holds: a serial there that is unknown, or none at all, leads to nothing (404),
    while one in the body is a value that can't be used (422).
    """
    if code in ("unknown_serial", "not_a_serial") and "serial" in in_address:
        return NOT_FOUND
    if code in NOT_FOUND_CODES:
        return NOT_FOUND
    if code in FORBIDDEN_CODES:
        return FORBIDDEN
    if code in CONFLICTS:
        return CONFLICT
    if code in UNAVAILABLE_CODES:
        return UNAVAILABLE
    return UNPROCESSABLE

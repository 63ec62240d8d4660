"""What the whole API shares: errors as problem+json (RFC 9457)."""

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from portal.errors import DomainError

PROBLEM_TYPE = "application/problem+json"
NOT_FOUND, FORBIDDEN, CONFLICT, UNPROCESSABLE = 404, 403, 409, 422


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error is a problem with a stable `code` and a sentence in `detail`."""
    if isinstance(error, DomainError):
        set_rollback()
        return problem(status_of(error.code), error.code, error.message, error.data)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"request": error.detail}
        found = problem(
            response.status_code, "invalid", "The request has fields that can't be read.", {"errors": fields}
        )
    else:
        detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
        code = getattr(detail, "code", None) or "error"
        found = problem(response.status_code, code, str(detail))
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in response.headers:
            found[header] = response.headers[header]
    return found


def problem(status: int, code: str, detail: str, data: Any = None) -> Response:
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    if data:
        body["data"] = data
    return Response(body, status=status, content_type=PROBLEM_TYPE)


def status_of(code: str) -> int:
    """The HTTP status of a refusal: what is not there, what is not yours, what has changed, what can't be done."""
    if code.startswith("unknown_"):
        return NOT_FOUND
    if code == "not_allowed":
        return FORBIDDEN
    if code.startswith(("quote_", "order_", "dongle_")):
        return CONFLICT
    return UNPROCESSABLE

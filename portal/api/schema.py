"""What the OpenAPI document says beyond what drf-spectacular reads from the views: problems, tokens, closed bodies."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from portal.api.problems import PROBLEM_TYPE, status_of

ALWAYS = {
    401: ("not_authenticated", "authentication_failed"),
    403: ("not_allowed",),
    406: ("not_acceptable",),
}
# White space as Python strips it: what \s means differs between the readers of a schema.
WHITE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ANY_TEXT = r"^[^\u0000]*$"
INKED_TEXT = rf"^[^\u0000]*[^\u0000{WHITE}][^\u0000]*$"
WITH_A_BODY = {400: ("invalid", "parse_error"), 413: ("too_large",), 415: ("unsupported_media_type",)}


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457). `code` is stable, `detail` a sentence for people, `data` points at the cause."""

    type = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    code = serializers.RegexField(r"^[a-z_]+$")
    detail = serializers.CharField()
    data = serializers.DictField(required=False)


def operation(
    name: str,
    summary: str,
    *,
    answer: Any,
    request: Any = None,
    status: int = 200,
    refusals: str = "",
    missing: str = "",
    examples: Mapping[str, Any] | None = None,
    is_open: bool = False,
) -> Callable[[Any], Any]:
    """Describe an operation with every problem that it may answer with.

    `refusals` are the codes of the services that it calls, `missing` those that say that nothing is at the address;
    their statuses come from the same table that the answers come from. `examples` are bodies to send, by name.
    """
    problems: dict[int, set[str]] = {code: set(names) for code, names in ALWAYS.items()}
    if is_open:
        del problems[403]
    if request is not None:
        problems |= {code: set(names) for code, names in WITH_A_BODY.items()}
    for refusal in refusals.split():
        problems.setdefault(429 if refusal == "throttled" else status_of(refusal), set()).add(refusal)
    if missing:
        problems[404] = set(missing.split())
    responses: dict[Any, Any] = {status: answer}
    for code, names in sorted(problems.items()):
        described = ", ".join(f"`{name}`" for name in sorted(names))
        responses[code, PROBLEM_TYPE] = OpenApiResponse(ProblemSerializer, description=described)
    return extend_schema(
        operation_id=name,
        summary=summary,
        request=request,
        responses=responses,
        examples=[OpenApiExample(title, value, request_only=True) for title, value in (examples or {}).items()],
        auth=[] if is_open else None,
    )


class TokenScheme(OpenApiAuthenticationExtension):
    """A token of the login, in the header."""

    target_class = "portal.api.views.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return dict(build_bearer_security_scheme_object("Authorization", self.target.authenticate_header("")))


class ClosedBody(OpenApiSerializerExtension):
    """A request's body takes no keys but its own."""

    target_class = "portal.api.fields.RequestSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class PlainText(OpenApiSerializerFieldExtension):
    """Text has no NUL, and is more than white space where it may not be blank."""

    target_class = "portal.api.fields.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        pattern = ANY_TEXT if self.target.allow_blank else INKED_TEXT
        return {**schema, "pattern": pattern}

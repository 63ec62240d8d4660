"""The views that the API is made of: for staff with a token, JSON in and out."""

import json
from datetime import datetime
from typing import Any, NoReturn, TypedDict

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework import exceptions
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from portal.access import IsStaff
from portal.audit import Actor


class TokenAuthentication(KnoxAuthentication):
    """Knox's, for which a token that is not text is no token either."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isascii():
            raise exceptions.AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class StaffOnly(IsStaff):
    """The vendor's staff whose role has the view's ability; the refusal is called as the services call it."""

    code = "not_allowed"
    message = "Your role does not allow this."


class BoundedJsonParser(JSONParser):
    """JSON in UTF-8, no larger than Django takes elsewhere and no deeper than Python reads."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise RequestDataTooBig
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"The body is not JSON: {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value of JSON")


class By(TypedDict):
    """Who acts and when."""

    actor: Actor
    at: datetime


class StaffView(APIView):
    """A resource for staff; `ability` names what its use needs (portal/access.py)."""

    ability = "see"
    authentication_classes = (TokenAuthentication,)
    permission_classes = (StaffOnly,)
    parser_classes = (BoundedJsonParser,)
    http_method_names = ("get", "head", "post")

    def by(self) -> By:
        """Who acts and when: the clock is read here, not in the services."""
        return {"actor": Actor.of(self.request.user), "at": timezone.now()}

    def values_of(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The body's values as the serializer reads them; what it can't read is refused (`invalid`)."""
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class UnknownAddress(APIView):
    """Whatever else is asked for below the API's address: a problem too, not a page."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound("There is nothing at this address.")

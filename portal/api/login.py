"""Tokens: e-mail and password for one, and giving it back. Failures count against the same limits as on the page."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from knox.models import get_token_model
from knox.settings import knox_settings
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.access import is_able
from portal.api.fields import RequestSerializer, TextField
from portal.api.schema import operation
from portal.api.views import StaffView
from portal.models import User

# Seconds; by allauth's defaults 10 failures a minute and address, 5 in five minutes and e-mail.
LONGEST_WAIT = 300


class LoginRequest(RequestSerializer):
    email = TextField(max_length=254)
    password = TextField(max_length=200, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    """A token for the header `Authorization: Token …`, valid until `expires_at`. It is told only once."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=User.Role.choices)


class LoginView(StaffView):
    authentication_classes = ()  # whoever knows the password
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return str(knox_settings.AUTH_HEADER_PREFIX)

    @operation(
        "log_in",
        "Exchange e-mail and password for a token",
        request=LoginRequest,
        answer=TokenSerializer,
        refusals="throttled",
        is_open=True,
        examples={"A sales person": {"email": "sales@vendor.example", "password": "correct horse battery staple"}},
    )
    def post(self, request: Request) -> Response:
        """For staff only. A wrong password, an unknown e-mail and a customer's user are answered alike (401)."""
        values = self.values_of(LoginRequest)
        try:
            user = get_adapter().authenticate(request._request, **values)
        except ValidationError:
            raise exceptions.Throttled(wait=LONGEST_WAIT) from None
        if user is None or not is_able(user, "see"):
            raise exceptions.AuthenticationFailed("E-mail and password don't belong to a member of staff.")
        instance, token = get_token_model().objects.create(user=user, expiry=knox_settings.TOKEN_TTL)
        answer = {"token": token, "expires_at": instance.expiry, "name": str(user), "role": user.role}
        return Response(TokenSerializer(answer).data, headers={"Cache-Control": "no-store"})


class LogoutView(StaffView):
    @operation("log_out", "Give the token back", answer=None, status=204)
    def post(self, request: Request) -> Response:
        """The token of this request is valid no more."""
        request.auth.delete()
        return Response(status=204)

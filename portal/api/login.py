"""Tokens: e-mail, password and a code for one, and giving it back.

Failures count against the same limits as on the page.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from knox.models import get_token_model
from knox.settings import knox_settings
from redis.exceptions import RedisError
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal import failures
from portal.access import is_able
from portal.api.fields import RequestSerializer, TextField
from portal.api.schema import operation
from portal.api.views import StaffView
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import User
from portal.second_factor import AuthenticateForm, factors_of


class LoginRequest(RequestSerializer):
    email = TextField(max_length=254)
    password = TextField(max_length=200, trim_whitespace=False)
    code = TextField(max_length=20, required=False)


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
        "Exchange e-mail, password and a code for a token",
        request=LoginRequest,
        answer=TokenSerializer,
        refusals="throttled login_unavailable",
        is_open=True,
        examples={
            "A sales person": {
                "email": "sales@vendor.example",
                "password": "correct horse battery staple",
                "code": "123456",
            }
        },
    )
    def post(self, request: Request) -> Response:
        """For staff only. A wrong password, an unknown e-mail and a customer's user are answered alike (401).

        `code` is the one that the user's authenticator app shows now, or a recovery code. Without it the answer to a
        right password is `second_factor_needed`, to a wrong code `second_factor_wrong`, and to a user who has set up
        none `second_factor_missing` (all 401): the first is set up on the portal's pages.
        """
        values = self.values_of(LoginRequest)
        code = values.pop("code", "")
        try:
            user = self._user(values)
            factor = self._factor(user, code)
        except RedisError:
            raise DomainError("login_unavailable", "Failures can't be counted now. Try again in a minute.") from None
        with transaction.atomic():
            instance, token = get_token_model().objects.create(user=user, expiry=knox_settings.TOKEN_TTL)
            after = {"second_factor": factor, "for": "API"}
            record(Actor.of(user), timezone.now(), Deed("log_in", user, after=after))
        answer = {"token": token, "expires_at": instance.expiry, "name": str(user), "role": user.role}
        return Response(TokenSerializer(answer).data, headers={"Cache-Control": "no-store"})

    def _user(self, credentials: dict[str, str]) -> User:
        request = self.request._request
        try:
            user = get_adapter().authenticate(request, **credentials)
        except ValidationError:
            held = failures.seconds_held(request, failures.password_key(credentials["email"]))
            raise exceptions.Throttled(wait=max(held, 1)) from None
        if user is None or not is_able(user, "see"):
            raise exceptions.AuthenticationFailed("E-mail and password don't belong to a member of staff.")
        return user

    def _factor(self, user: User, code: str) -> str:
        """Which kind of factor the code belongs to; the same form as on the page checks it and counts failures."""
        if not factors_of(user):
            sentence = "Log in to the portal's pages once and set up a second factor there."
            raise exceptions.AuthenticationFailed(sentence, "second_factor_missing")
        if not code:
            sentence = "Send the code that your authenticator app shows now, or a recovery code, as `code` too."
            raise exceptions.AuthenticationFailed(sentence, "second_factor_needed")
        form = AuthenticateForm(user=user, data={"code": code})
        if form.is_valid():
            form.authenticator.record_usage()
            return str(form.authenticator.type)
        if form.has_error("code", failures.HELD_CODES[0]):
            held = failures.seconds_held(self.request._request, failures.code_key(user))
            raise exceptions.Throttled(wait=max(held, 1))
        raise exceptions.AuthenticationFailed(form.errors["code"][0], "second_factor_wrong")


class LogoutView(StaffView):
    @operation("log_out", "Give the token back", answer=None, status=204)
    def post(self, request: Request) -> Response:
        """The token of this request is valid no more."""
        with transaction.atomic():
            request.auth.delete()
            record(Actor.of(request.user), timezone.now(), Deed("log_out", request.user, after={"for": "API"}))
        return Response(status=204)

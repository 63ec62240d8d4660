"""Logging in and one's own second factors: allauth's views, recorded in the audit trail, in the portal's manner."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from allauth.account import views as account
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError

from portal.audit import Actor, Deed, record
from portal.models import User
from portal.second_factor import NEXT, demo_code, factors_of, take_code

View = Callable[..., HttpResponse]


def shown(view: View) -> View:
    """A page of these: kept by nobody, 422 where a form comes back, a sentence where failures can't be counted."""

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except RedisError:
            return render(request, "account/unavailable.html", status=503)
        if request.method == "POST" and response.status_code == 200:
            response.status_code = 422
        return response

    return page


def note(user: User, action: str, **after: Any) -> None:
    record(Actor.of(user), timezone.now(), Deed(action, user, after=after))


def passkeys(request: HttpRequest, options: Any) -> dict[str, Any]:
    """What templates/mfa/passkey_form.html needs. A passkey belongs to a host's name; numbers are none."""
    address = urlsplit(f"//{request.get_host()}")
    is_name = not re.fullmatch(r"[\d.]+|.*:.*", address.hostname or "")
    local = f"localhost:{address.port}" if address.port else "localhost"
    return {"passkey_options": json.dumps(options), "host_has_passkeys": is_name, "local_host": local}


class Authenticate(base.AuthenticateView):
    """The second step of logging in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        user = self.stage.login.user
        has_passkey = any(each.type == Authenticator.Type.WEBAUTHN for each in factors_of(user))
        offered = passkeys(self.request, found["js_data"]["request_options"]) if has_passkey else {}
        return {**found, **offered, "demo_code": demo_code(user), "has_passkey": has_passkey}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        used = getattr(form, "authenticator", None) or form.cleaned_data["credential"]
        response = super().form_valid(form)
        note(self.stage.login.user, "log_in", second_factor=used.type)
        return response


class Reauthenticate(base.ReauthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "demo_code": demo_code(self.request.user)}


class ReauthenticateByPasskey(webauthn.ReauthenticateWebAuthnView):
    def form_invalid(self, form: Any) -> HttpResponse:
        """allauth sends to the login, from which somebody logged in is sent on: here the page says it."""
        return self.render_to_response(self.get_context_data(form=form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = {**super().get_context_data(**kwargs), **kwargs}
        return {**found, **passkeys(self.request, found["js_data"]["request_options"])}


class Index(base.IndexView):
    """One's second factors; or, for who has none, the choice of the first."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        factors = factors_of(self.request.user)
        passkeys = [each for each in factors if each.type == Authenticator.Type.WEBAUTHN]
        app = next((each for each in factors if each.type == Authenticator.Type.TOTP), None)
        found = {"factors": factors, "app": app, "passkeys": passkeys, "is_only_one": len(factors) == 1}
        return {**super().get_context_data(**kwargs), **found}


class _Adding:
    """A new factor is recorded; this session has shown it."""

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            added = factors_of(self.request.user)[-1]
            if added.type == Authenticator.Type.TOTP:
                take_code(added, form.cleaned_data["code"])
            note(self.request.user, "add_second_factor", kind=added.type)
        record_authentication(self.request, self.request.user, "mfa", id=added.pk, type=added.type)
        return response


class ActivateApp(_Adding, totp.ActivateTOTPView):
    pass


class AddPasskey(_Adding, webauthn.AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the refused form, which allauth's forgets."""
        found = {**super().get_context_data(**kwargs), **kwargs}
        return {**found, **passkeys(self.request, found["js_data"]["creation_options"])}


class DeactivateApp(totp.DeactivateTOTPView):
    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note(self.request.user, "remove_second_factor", kind=self.authenticator.type)
        return response


class RemovePasskey(webauthn.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        passkey = self.get_object()
        if not get_adapter().can_delete_authenticator(passkey):
            form.add_error(None, ValidationError(get_adapter().error_messages["cannot_delete_authenticator"]))
            return self.form_invalid(form)
        response = super().form_valid(form)
        note(self.request.user, "remove_second_factor", kind=Authenticator.Type.WEBAUTHN)
        return response


class RenamePasskey(webauthn.EditWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        names = {"name": form.initial["name"]}, {"name": form.cleaned_data["name"]}
        record(Actor.of(self.request.user), timezone.now(), Deed("rename_passkey", self.request.user, *names))
        return response


class RecoveryCodes(recovery.ViewRecoveryCodesView):
    """The recovery codes, shown once; then on to the page that was asked for."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "next": self.request.session.pop(NEXT, "/")}


class NewRecoveryCodes(recovery.GenerateRecoveryCodesView):
    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note(self.request.user, "renew_recovery_codes")
        return response


class ChangePassword(account.PasswordChangeView):
    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note(self.request.user, "change_password")
        return response


class ResetPassword(account.PasswordResetFromKeyView):
    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note(self.reset_user, "reset_password")
        return response

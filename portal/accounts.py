"""Logging in, by password or by a mailed code, and one's own second factors: allauth's views in the portal's manner.

What is done is recorded in the audit trail; a customer's login by portal/access.py, whichever way it came about.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings as account_settings
from allauth.account import views as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.mixins import NextRedirectMixin, RedirectAuthenticatedUserMixin
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage, LoginStage, LoginStageController
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView
from redis.exceptions import RedisError

from portal.audit import Actor, Deed, record
from portal.models import User
from portal.second_factor import NEXT, LoginByPasskeyForm, demo_code, factors_of, take_code
from portal.services.logins import PAGE, note_spent_code, open_account, post_code
from portal.services.logins import demo_code as demo_code_of

View = Callable[..., Any]


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


def for_staff(view: View) -> View:
    """One of these pages that is for staff: customers have no second factor, and are led to their account."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not request.user.is_vendor_staff:
            return redirect("renewals:my_account")
        return view(request, *args, **kwargs)

    return shown(page)


class _PendingLeftAside:
    """Whoever waits for a mailed code may come back to this page: for another code, another address or a password."""

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: LoginStage) -> HttpResponse | None:
        if stage.key == LoginByCodeStage.key:
            return None
        pending: HttpResponse = super()._redirect_to_pending_stage(request, stage)
        return pending


class LogIn(_PendingLeftAside, account.LoginView):
    """By password: the staff's way in."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        return response


class MailedCode(LoginCodeVerificationProcess):
    """A code in the session of who asked, and in a message of the outbox: the same for every address there is."""

    @classmethod
    def begin(cls, request: HttpRequest, email: str) -> None:
        login = Login(user=None, email=email)
        login.state["stages"] = {"current": LoginByCodeStage.key}
        stage = LoginByCodeStage(LoginStageController(request, login), request, login)
        stage.state.update(cls.initial_state(user=None, email=email), initiated_by_user=True)
        process = cls(stage)
        post_code(email=email, code=process.generate_code(), at=timezone.now())
        process.persist()


class AskCode(_PendingLeftAside, account.RequestLoginCodeView):
    """A customer asks for a code by mail. Whoever is on file nowhere gets the same answer."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        MailedCode.begin(self.request, form.cleaned_data["email"])
        return HttpResponseRedirect(self.get_success_url())


class ConfirmCode(account.ConfirmLoginCodeView):
    """The code comes back, by POST alone, and opens this browser to who is on file with the address."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Attempts are counted one after the other, under the lock of the session's row."""
        with transaction.atomic():
            if request.method == "POST" and (key := request.session.session_key):
                Session.objects.select_for_update().filter(pk=key).first()
                request.session = type(request.session)(key)
            response: HttpResponse = super().dispatch(request, *args, **kwargs)
            if getattr(self, "_process", True) is None:
                messages.warning(request, "That code is too old. Ask for a new one.")
            request.session.save()
            # Saved again when the response is on its way, it would overwrite what the next attempt has counted.
            request.session.modified = request.user.is_authenticated
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        email, code = self._process.state["email"], self._process.code
        minutes = account_settings.LOGIN_BY_CODE_TIMEOUT // 60
        return {**found, "demo_code": demo_code_of(email, code), "minutes": minutes}

    def _verify_form_valid(self, form: Any) -> HttpResponse:
        user = open_account(email=self._process.state["email"], actor=PAGE, at=timezone.now())
        if user is None:
            form.add_error("code", get_account_adapter().validation_error("incorrect_code"))
            return self.form_invalid(form)
        self._process._user = user
        response: HttpResponse = self._process.finish(self.get_next_url() or reverse("renewals:my_home"))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """A wrong code is an attempt, an empty field is none. After the last attempt the code is good no more."""
        if not self.request.POST.get("code", "").strip() or self._process.record_invalid_attempt():
            return self.render_to_response(self.get_context_data(form=form))
        attempts = self._process.max_attempts
        note_spent_code(email=self._process.state["email"], attempts=attempts, at=timezone.now())
        messages.error(self.request, f"{attempts} wrong codes: that code is good no more. Ask for a new one.")
        return HttpResponseRedirect(self.passthrough_next_url(reverse("account_request_login_code")))


@method_decorator(ratelimit.decorator(app="allauth.mfa", action="webauthn_login"), name="dispatch")
class LogInByPasskey(_PendingLeftAside, NextRedirectMixin, RedirectAuthenticatedUserMixin, FormView):
    """A customer's passkey logs in by itself."""

    form_class = LoginByPasskeyForm
    template_name = "account/login_by_passkey.html"

    def get_success_url(self) -> str:
        return str(self.get_next_url() or reverse("renewals:my_home"))

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        passkey = form.cleaned_data["credential"]
        login = Login(user=passkey.user, redirect_url=self.get_success_url())
        response: HttpResponse = perform_passwordless_login(self.request, passkey, login)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        return {**found, **passkeys(self.request, begin_authentication())}


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
        if self.stage.login.user.is_vendor_staff:
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

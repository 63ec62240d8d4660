"""The second factor of the vendor's staff: codes, passkeys, and the one place that lets nobody in without.

A session has passed once allauth has recorded a second factor in it (`account_authentication_methods`), so that asking
takes no query. Who has none yet gets to the pages that set one up, and nowhere else.
"""

import base64
import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import segno
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, EditWebAuthnForm, LoginWebAuthnForm
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from portal import failures
from portal.errors import DomainError
from portal.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
CODE_LABEL = "Code from your authenticator app"
WRONG_CODE = "This code is not right, or was used already. Wait for the next one."
NOT_OF_THIS_APP = "The app does not show this code now. Type the next one; your telephone's clock has to be right."
WRONG_PASSKEY = "This passkey was not accepted. Try again."
NEXT = "second_factor_next"  # in the session: the page that was asked for before
CODE_SECONDS = 30

# Where a session without second factor gets: to set up the first one, or to show one that there is.
TO_SET_UP = frozenset({"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"})
TO_SHOW = frozenset({"mfa_reauthenticate", "mfa_reauthenticate_webauthn"})
ALWAYS = frozenset({"account_login", "account_logout", "health"})


def factors_of(user: User) -> list[Authenticator]:
    """Authenticator app and passkeys; recovery codes alone are no factor."""
    return list(Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("pk"))


def has_passed(request: HttpRequest) -> bool:
    """Whether this session may see what is for staff: its second factor was shown, or its user needs none.

    A passkey that stood alone, as customers may log in, was no second one.
    """
    user = request.user
    if not (user.is_authenticated and user.is_vendor_staff):
        return True
    records = get_authentication_records(request, user)
    return any(each.get("method") == "mfa" and not each.get("passwordless") for each in records)


class SecondFactorMiddleware:
    """Sessions of staff reach nothing without their second factor; the API has tokens, given for one only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in ALWAYS or match.route.startswith("api/") or has_passed(request):
            return None
        has_one = bool(factors_of(request.user))
        if match.view_name in (TO_SHOW if has_one else TO_SET_UP):
            return None
        if request.method == "GET":
            request.session[NEXT] = request.get_full_path()
        return HttpResponseRedirect(reverse("mfa_reauthenticate" if has_one else "mfa_index"))


def _fernet() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(b"second factor:" + secret.encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class FactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted under the portal's secret key; staff always keep one factor; the portal's own words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_CODE,
        "cannot_delete_authenticator": "This is your only second factor. Add another one before you remove it.",
    }

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The text; `second_factor_unreadable` where it was encrypted under another secret key."""
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            sentence = "The portal's secret key has changed since this second factor was set up. Have it removed."
            raise DomainError("second_factor_unreadable", sentence) from None

    def is_mfa_enabled(self, user: User, types: Iterable[Authenticator.Type] | None = None) -> bool:
        """A customer's passkey is a login of its own: after a mailed code nobody is asked for it too."""
        if user.is_authenticated and user.role == User.Role.CUSTOMER:
            types = [each for each in types or FACTORS if each != Authenticator.Type.WEBAUTHN]
        return bool(super().is_mfa_enabled(user, types))

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        return not user.is_vendor_staff or any(each.pk != authenticator.pk for each in factors_of(user))

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "SMA Portal"}

    def build_totp_svg(self, url: str) -> SafeString:
        drawing = segno.make(url, micro=False).svg_inline(scale=4, light="#fff", svgclass=None, lineclass=None)
        return mark_safe(drawing)  # noqa: S308 - numbers alone, drawn by segno


def is_demo(authenticator: Authenticator) -> bool:
    """Whether this is the authenticator app that everybody has: the demo's, whose secret is published."""
    if authenticator.type != Authenticator.Type.TOTP:
        return False
    return bool(decrypt(authenticator.data["secret"]) == settings.DEMO_FACTOR_SECRET)


def give_demo_factor(users: Iterable[User]) -> None:
    """Write the demo's authenticator app for these users; its codes stand on the page (development only)."""
    Authenticator.objects.bulk_create(
        Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt(settings.DEMO_FACTOR_SECRET)})
        for user in users
    )


def demo_code(user: User) -> str:
    """The code that a demo user may type now; empty for everybody else and in production."""
    if settings.PRODUCTION:
        return ""
    for each in factors_of(user):
        if is_demo(each):
            counter = max(int(time.time()) // CODE_SECONDS, each.data.get("last_counter", 0) + 1)
            return str(format_hotp_value(hotp_value(settings.DEMO_FACTOR_SECRET, counter)))
    return ""


def take_code(authenticator: Authenticator, code: str) -> None:
    """Use a code of an authenticator app up: no code is taken twice, nor one older than the last. Refuses those."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        secret, typed = decrypt(row.data["secret"]), "".join(filter(str.isdigit, code))
        fitting = [c for c in yield_hotp_counters_from_time() if format_hotp_value(hotp_value(secret, c)) == typed]
        fresh = [counter for counter in fitting if counter > row.data.get("last_counter", 0)]
        if not fresh:
            raise ValidationError(WRONG_CODE, code="incorrect_code")
        row.data["last_counter"] = fresh[0]
        row.save(update_fields=["data"])


def check_code(form: Any, check: Callable[[], str]) -> str:
    """allauth's check, then ours: the demo's codes are none in production, and none is taken twice."""
    key = failures.code_key(form.user)
    try:
        code = check()
        if form.authenticator.type == Authenticator.Type.TOTP:
            if settings.PRODUCTION and is_demo(form.authenticator):
                raise ValidationError("The demo's second factor does not count here.", code="incorrect_code")
            take_code(form.authenticator, code)
    except ValidationError as error:
        if error.code in failures.HELD_CODES:
            raise failures.refusal(context.request, key) from None
        failures.note_failure(context.request, form.user, key)
        raise
    return code


def _code_field(form: forms.Form, label: str, hint: str) -> None:
    field = form.fields["code"]
    field.label, field.help_text, field.max_length = label, hint, 20
    field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
    field.error_messages["required"] = "Enter the code."


class _CodeForm:
    """Takes a code of the app or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_app = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.TOTP).exists()
        if self.has_app:
            _code_field(self, CODE_LABEL, "Six digits. Without your phone, one of your recovery codes.")
        else:
            _code_field(self, "Recovery code", "Eight digits; each works once.")

    def clean_code(self) -> str:
        return check_code(self, super().clean_code)


class AuthenticateForm(_CodeForm, AllauthAuthenticateForm):
    """The second step of logging in."""


class ReauthenticateForm(_CodeForm, AllauthReauthenticateForm):
    """Asked again before something that matters."""


class ActivateForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self, CODE_LABEL, "The six digits that it shows now.")

    @property
    def letters(self) -> str:
        """The secret as people type it."""
        return " ".join(self.secret[i : i + 4] for i in range(0, len(self.secret), 4))

    def clean_code(self) -> str:
        try:
            return super().clean_code()
        except ValidationError as error:
            if error.code in failures.HELD_CODES:
                raise failures.refusal(context.request, failures.code_key(self.user)) from None
            raise ValidationError(NOT_OF_THIS_APP, code="incorrect_code") from None


class _CredentialField(forms.JSONField):
    """What a browser made or signed: an object. allauth passes over a 0 unread; brackets without end are no JSON."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
        except RecursionError:
            found = 0
        if found is not None and not isinstance(found, dict):
            raise ValidationError(WRONG_PASSKEY, code="incorrect_code")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """For the page that comes back: without it, since a credential is made anew each time."""
        return None


def _read(parse: Callable[[], Any]) -> Any:
    """What allauth reads of a credential. It trusts that browsers have made it; what none makes is refused."""
    try:
        return parse()
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ValidationError(WRONG_PASSKEY, code="incorrect_code") from None


class PasskeyForm(AuthenticateWebAuthnForm):
    """What the browser signed with a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _CredentialField()

    def clean_credential(self) -> Authenticator:
        key = failures.code_key(self.user)
        try:
            return _read(super().clean_credential)
        except ValidationError as error:
            if error.code in failures.HELD_CODES:
                raise failures.refusal(context.request, key) from None
            failures.note_failure(context.request, self.user, key)
            raise ValidationError(WRONG_PASSKEY, code="incorrect_code") from None


class PasskeyAgainForm(PasskeyForm):
    reauthenticated = True


class LoginByPasskeyForm(LoginWebAuthnForm):
    """A customer's passkey, which alone logs in. Those of staff are a second factor and open nothing here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            found: Authenticator = _read(super().clean_credential)
        except ValidationError:
            raise ValidationError(WRONG_PASSKEY, code="incorrect_code") from None
        if not found.user.is_active or found.user.role != User.Role.CUSTOMER:
            raise ValidationError(WRONG_PASSKEY, code="incorrect_code")
        return found


def _name_field(form: forms.Form) -> None:
    field = form.fields["name"]
    field.label, field.help_text, field.max_length = "Name", "To tell your passkeys apart: the device, say.", 60
    field.widget.attrs = {"autocomplete": "off"}
    field.error_messages["required"] = "Give it a name."


class AddPasskeyForm(AddWebAuthnForm):
    """A name, and what the browser made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _CredentialField()
        _name_field(self)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = _read(super().clean)
        return found


class RenamePasskeyForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_field(self)

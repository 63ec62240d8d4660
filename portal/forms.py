"""allauth's forms for passwords and mailed codes, in the portal's words."""

from typing import Any

from allauth.account import forms as account
from allauth.core import context, ratelimit
from django.core.exceptions import ValidationError

from portal.spelling import folded_address

EMAIL = "E-mail address"


class _InOurWords:
    """Labels and sentences of ours, no placeholders, and no hint but those of `hints`."""

    labels: dict[str, str] = {}
    hints: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels[name]
            field.help_text = self.hints.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            field.error_messages["required"] = f"Enter {self.labels[name][0].lower()}{self.labels[name][1:]}."


LONG_ENOUGH = "Eight characters or more; not a common one, not your name."


class LoginForm(_InOurWords, account.LoginForm):
    labels = {"login": EMAIL, "password": "Password"}


class PasswordAgainForm(_InOurWords, account.ReauthenticateForm):
    labels = {"password": "Password"}


class ChangePasswordForm(_InOurWords, account.ChangePasswordForm):
    labels = {"oldpassword": "Password until now", "password1": "New password", "password2": "New password once more"}
    hints = {"password1": LONG_ENOUGH}


class ResetPasswordForm(_InOurWords, account.ResetPasswordForm):
    labels = {"email": EMAIL}


class NewPasswordForm(_InOurWords, account.ResetPasswordKeyForm):
    labels = {"password1": "New password", "password2": "New password once more"}
    hints = {"password1": LONG_ENOUGH}


class AskCodeForm(_InOurWords, account.RequestLoginCodeForm):
    """Whose code is asked for. How often is counted by address and by e-mail address, whether anybody has it or not."""

    labels = {"email": EMAIL}
    hints = {"email": "The one at which you get our quotes and unlock codes."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["email"].error_messages["invalid"] = "Write an e-mail address, like name@example.org."

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if not ratelimit.consume(context.request, action="request_login_code", key=folded_address(email)):
            sentence = "Too many codes were asked for. Use the newest one that you have, or try again in 15 minutes."
            raise ValidationError(sentence, code="rate_limited")
        return email


class CodeForm(_InOurWords, account.ConfirmLoginCodeForm):
    """The mailed code."""

    labels = {"code": "Code"}
    hints = {"code": "Eight letters. Small or capital, with the dash or without."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].max_length = 40
        self.fields["code"].widget.attrs |= {"spellcheck": "false", "autocapitalize": "characters"}

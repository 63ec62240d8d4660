"""allauth's forms for passwords, in the portal's words."""

from typing import Any

from allauth.account import forms as account

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

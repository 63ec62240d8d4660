"""The pages around logging in, under allauth's names for them; what the portal has no use for is not there."""

from allauth.account import views as account
from django.urls import path, re_path

from portal import accounts
from portal.accounts import shown

urlpatterns = [
    path("login/", shown(account.login), name="account_login"),
    path("logout/", shown(account.logout), name="account_logout"),
    path("inactive/", shown(account.account_inactive), name="account_inactive"),
    path("signup/", shown(account.signup), name="account_signup"),  # closed, and says so
    path("reauthenticate/", shown(account.reauthenticate), name="account_reauthenticate"),
    path("password/change/", shown(accounts.ChangePassword.as_view()), name="account_change_password"),
    path("password/reset/", shown(account.password_reset), name="account_reset_password"),
    path("password/reset/done/", shown(account.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        shown(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        shown(accounts.ResetPassword.as_view()),
        name="account_reset_password_from_key",
    ),
    path("second-factor/", shown(accounts.Index.as_view()), name="mfa_index"),
    path("second-factor/code/", shown(accounts.Authenticate.as_view()), name="mfa_authenticate"),
    path("second-factor/again/", shown(accounts.Reauthenticate.as_view()), name="mfa_reauthenticate"),
    path("second-factor/app/", shown(accounts.ActivateApp.as_view()), name="mfa_activate_totp"),
    path("second-factor/app/remove/", shown(accounts.DeactivateApp.as_view()), name="mfa_deactivate_totp"),
    path("second-factor/recovery-codes/", shown(accounts.RecoveryCodes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "second-factor/recovery-codes/new/",
        shown(accounts.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path("second-factor/passkeys/add/", shown(accounts.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "second-factor/passkeys/again/",
        shown(accounts.ReauthenticateByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/remove/", shown(accounts.RemovePasskey.as_view()), name="mfa_remove_webauthn"
    ),
    path("second-factor/passkeys/<int:pk>/name/", shown(accounts.RenamePasskey.as_view()), name="mfa_edit_webauthn"),
]

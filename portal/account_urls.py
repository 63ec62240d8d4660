"""The pages around logging in, under allauth's names for them; what the portal has no use for is not there."""

from allauth.account import views as account
from django.urls import path, re_path

from portal import accounts
from portal.accounts import for_staff, shown

urlpatterns = [
    path("login/", shown(accounts.LogIn.as_view()), name="account_login"),
    path("login/code/", shown(accounts.AskCode.as_view()), name="account_request_login_code"),
    path("login/code/confirm/", shown(accounts.ConfirmCode.as_view()), name="account_confirm_login_code"),
    path("login/passkey/", shown(accounts.LogInByPasskey.as_view()), name="account_login_by_passkey"),
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
    path("second-factor/", for_staff(accounts.Index.as_view()), name="mfa_index"),
    path("second-factor/code/", shown(accounts.Authenticate.as_view()), name="mfa_authenticate"),
    path("second-factor/again/", for_staff(accounts.Reauthenticate.as_view()), name="mfa_reauthenticate"),
    path("second-factor/app/", for_staff(accounts.ActivateApp.as_view()), name="mfa_activate_totp"),
    path("second-factor/app/remove/", for_staff(accounts.DeactivateApp.as_view()), name="mfa_deactivate_totp"),
    path("second-factor/recovery-codes/", for_staff(accounts.RecoveryCodes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "second-factor/recovery-codes/new/",
        for_staff(accounts.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    path("second-factor/passkeys/add/", for_staff(accounts.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "second-factor/passkeys/again/",
        for_staff(accounts.ReauthenticateByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        for_staff(accounts.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/name/", for_staff(accounts.RenamePasskey.as_view()), name="mfa_edit_webauthn"
    ),
]

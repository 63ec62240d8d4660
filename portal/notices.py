"""The mail about a login: a link to a new password."""

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from portal.mail import send_mail
from portal.models import OutboxMessage, User


def send_password_reset(message: OutboxMessage) -> None:
    """Mail a link by which a new password is chosen. It is made here, so that the outbox holds no secret."""
    user = User.objects.get(pk=message.payload["user_id"])
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    send_mail(
        message,
        recipients=[user.email],
        subject="A new password for the SMA Portal",
        template="password_reset",
        context={
            "user": user,
            "address": settings.ADDRESS + path,
            "vendor": settings.VENDOR,
            "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
        },
    )

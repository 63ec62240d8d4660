"""Mails to whoever works here: a link to a new password, and word of long work that has ended."""

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from portal.mail import send_mail
from portal.models import Job, OutboxMessage, User


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


def send_job_ended(message: OutboxMessage) -> None:
    """Tell whoever asked for long work what came of it. Payload: `job` (id)."""
    job = Job.objects.select_related("asked_by").get(pk=message.payload["job"])
    assert job.asked_by is not None
    send_mail(
        message,
        recipients=[job.asked_by.email],
        subject=f"{job.title}: {job.get_state_display().lower()}",
        template="job_ended",
        context={"job": job, "address": settings.ADDRESS + reverse("job", args=[job.pk]), "vendor": settings.VENDOR},
    )

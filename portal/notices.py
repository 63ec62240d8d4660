"""Mails about logging in, about long work that has ended, and about contacts that a customer has changed."""

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from portal.mail import send_mail
from portal.models import Contact, Job, OutboxMessage, User

SUBJECTS = {
    "added": "a contact was added",
    "came_back": "a contact is on file again",
    "changed": "a contact has a new address",
    "left": "a contact has left",
}


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
        secrets=[key],
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


def send_login_code(message: OutboxMessage, *, contact: Contact, code: str) -> None:
    """Mail a contact the code by which the browser that asked for it is logged in."""
    send_mail(
        message,
        recipients=[contact.email],
        subject="Your code to log in",
        template="login_code",
        context={
            "contact": contact,
            "code": code,
            "minutes": app_settings.LOGIN_BY_CODE_TIMEOUT // 60,
            "vendor": settings.VENDOR,
            "address": settings.ADDRESS,
        },
        secrets=[code],
    )


def send_login_by_password(message: OutboxMessage, *, user: User) -> None:
    """Tell one of the vendor's people who asked for a code that they log in by password and second factor."""
    send_mail(
        message,
        recipients=[user.email],
        subject="Log in with your password",
        template="login_by_password",
        context={"user": user, "address": settings.ADDRESS + reverse("account_login"), "vendor": settings.VENDOR},
    )


def send_contacts_changed(message: OutboxMessage) -> None:
    """Tell an organisation's contacts what one of them has done about a contact. Payload: `contact` (id), `what`, `by`.

    Whoever has been put on file by it is not written to: nobody knows yet that the address is right.
    """
    contact = Contact.objects.select_related("customer").get(pk=message.payload["contact"])
    what, by = message.payload["what"], message.payload["by"]
    told = contact.customer.reachable_contacts()
    if what in ("added", "came_back"):
        told = told.exclude(pk=contact.pk)
    recipients = list(told.values_list("email", flat=True))
    if not recipients:
        return
    send_mail(
        message,
        recipients=recipients,
        subject=f"{contact.customer}: {SUBJECTS[what]}",
        template="contacts_changed",
        context={
            "contact": contact,
            "what": what,
            "by": by,
            "address": settings.ADDRESS + reverse("renewals:my_account"),
            "vendor": settings.VENDOR,
        },
    )


def send_passkey_added(message: OutboxMessage) -> None:
    """Tell a customer's user that a passkey opens their account from now on. Payload: `user_id`, `name`."""
    user = User.objects.get(pk=message.payload["user_id"])
    send_mail(
        message,
        recipients=[user.email],
        subject="A passkey for your account",
        template="passkey_added",
        context={
            "user": user,
            "name": message.payload["name"],
            "address": settings.ADDRESS + reverse("renewals:my_account"),
            "vendor": settings.VENDOR,
        },
    )

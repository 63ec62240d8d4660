"""Mail: written from a pair of templates, sent, and recorded once per outbox message."""

from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from portal.models import OutboxMessage, SentMail


def send_mail(
    message: OutboxMessage, *, recipients: list[str], subject: str, template: str, context: Mapping[str, Any]
) -> None:
    """Send `templates/email/<template>.txt` and `.html`; a message whose mail is on record is not sent again."""
    if SentMail.objects.filter(message=message).exists():
        return
    text = render_to_string(f"email/{template}.txt", dict(context))
    html = render_to_string(f"email/{template}.html", dict(context))
    mail = EmailMultiAlternatives(subject, text, to=recipients)
    mail.attach_alternative(html, "text/html")
    mail.send()
    SentMail.objects.create(
        message=message, recipients=recipients, subject=subject, text=text, html=html, sent_at=timezone.now()
    )

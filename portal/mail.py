"""Mail: written from a pair of templates, sent, and recorded once per outbox message."""

import hashlib
import textwrap
from collections.abc import Collection, Mapping, Sequence
from email.utils import parseaddr
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from portal.models import OutboxMessage, SentMail

NOT_KEPT = "…"
COLUMNS = 78  # of a plain text, as mail programs show and quote it


class Attachment(NamedTuple):
    """A file that goes with a mail."""

    name: str
    content: bytes
    kind: str


def send_mail(
    message: OutboxMessage,
    *,
    recipients: Sequence[str],
    subject: str,
    template: str,
    context: Mapping[str, Any],
    attachments: Sequence[Attachment] = (),
    headers: Mapping[str, str] = {},
    secrets: Collection[str] = (),
) -> None:
    """Send `templates/email/<template>.txt` and `.html`; a message whose mail is on record is not sent again.

    `secrets` are keys in the mail that the record does not keep; in development it does, since there it is read in
    place of the mail. Further `headers` stand in the mail as given: a `To` among them names others who get a copy of
    their own. A process that dies between the mail server's answer and the record sends the mail twice, with the same
    Message-ID, by which mail programs show it once. Raises what the mail server's connection raises.
    """
    if SentMail.objects.filter(message=message).exists():
        return
    said = {"vendor": settings.VENDOR, **context}
    text = in_columns(render_to_string(f"email/{template}.txt", said))
    html: str = render_to_string(f"email/{template}.html", said)
    mail = EmailMultiAlternatives(
        subject, text, to=list(recipients), headers={**headers, "Message-ID": message_id(message)}
    )
    mail.attach_alternative(html, "text/html")
    for attachment in attachments:
        mail.attach(*attachment)
    mail.send()
    for secret in secrets if settings.PRODUCTION else ():
        text, html = text.replace(secret, NOT_KEPT), html.replace(secret, NOT_KEPT)
    SentMail.objects.create(
        message=message,
        recipients=list(recipients),
        subject=subject,
        text=text,
        html=html,
        attachments=[{"name": each.name, "sha256": hashlib.sha256(each.content).hexdigest()} for each in attachments],
        sent_at=timezone.now(),
    )


def in_columns(text: str) -> str:
    """A text in lines of 78 columns at most, what is left of a line indented like it; an address is never broken."""
    lines = (
        textwrap.wrap(
            line,
            COLUMNS,
            subsequent_indent=" " * (len(line) - len(line.lstrip(" -"))),
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
        for line in text.strip("\n").splitlines()
    )
    return "\n".join(line for wrapped in lines for line in wrapped) + "\n"


def message_id(message: OutboxMessage) -> str:
    """The Message-ID of a message's mail, the same however often it is sent."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<outbox-{message.pk}-{message.created_at:%Y%m%d%H%M%S}@{domain}>"

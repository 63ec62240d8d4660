"""Questions that customers ask about a quote: asked on its page, answered by mail. Each is one transaction."""

from datetime import datetime, timedelta

from django.db import transaction

from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from renewals.models import QuoteQuestion, QuoteVersion
from renewals.services.quotes import lock_version

MOST_AN_HOUR = 5


@transaction.atomic
def ask_question(
    *, version: QuoteVersion, name: str, email: str, text: str, actor: Actor, at: datetime
) -> QuoteQuestion:
    """Keep a question about a quote for the sales queue, and mail it to the vendor.

    Who may ask is a matter of the page. Refuses `question_missing`, and `too_many_questions`: five an hour about a
    quote.
    """
    version = lock_version(version).version
    text = text.strip()
    if not text:
        raise DomainError("question_missing", "Write what you want to know.", {"field": "text"})
    about_it = QuoteQuestion.objects.filter(version__quote=version.quote_id, asked_at__gt=at - timedelta(hours=1))
    if about_it.count() >= MOST_AN_HOUR:
        raise DomainError(
            "too_many_questions",
            f"{MOST_AN_HOUR} questions about this quote have come in within the hour. Write us an e-mail, or try again"
            " in an hour.",
        )
    question = QuoteQuestion.objects.create(version=version, name=name.strip(), email=email, text=text, asked_at=at)
    asked_by = {"name": question.name, "email": question.email}
    audit.record(actor, at, Deed("ask_question", version, after=asked_by, reason=text))
    outbox.post("question_asked", [{"question": question.pk, "version": version.pk}], at=at)
    return question


@transaction.atomic
def answer_question(*, question: QuoteQuestion, actor: Actor, at: datetime) -> QuoteQuestion:
    """Note that somebody has answered, so that the question leaves the queue. Answered again, nothing happens."""
    check_ability(actor, "sell")
    question = QuoteQuestion.objects.select_for_update(of=("self",)).select_related("version").get(pk=question.pk)
    if question.answered_at is None:
        question.answered_at, question.answered_by_id = at, actor.user_id
        question.save(update_fields=["answered_at", "answered_by"])
        audit.record(actor, at, Deed("answer_question", question.version, after={"asked_by": question.name}))
    return question

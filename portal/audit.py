"""The audit trail: every service says here who did what, in the transaction in which it was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model

from portal.models import AuditEvent, User


class Actor(NamedTuple):
    """Who acts: a user, or a part of the system by its name."""

    name: str
    user_id: int | None = None
    role: str = "system"

    @classmethod
    def of(cls, user: User) -> "Actor":
        return cls(str(user), user.pk, user.role)


class Deed(NamedTuple):
    """One thing done to one object; `before` and `after` hold what changed, as JSON."""

    action: str
    subject: Model
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
    reason: str = ""


def record(actor: Actor, at: datetime, *deeds: Deed) -> None:
    """Write the deeds with one query."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=at,
            actor_id=actor.user_id,
            actor_name=actor.name,
            action=deed.action,
            subject_kind=deed.subject._meta.model_name or "",
            subject_id=deed.subject.pk,
            before=dict(deed.before),
            after=dict(deed.after),
            reason=deed.reason,
        )
        for deed in deeds
    )

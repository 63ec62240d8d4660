"""What administrators do for other people's logins."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction
from knox.models import get_token_model

from portal import failures
from portal.access import check_ability
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import User


@transaction.atomic
def remove_second_factors(*, user: User, actor: Actor, at: datetime) -> int:
    """Take a user's second factors away, for a lost telephone say, and return how many there were.

    Recovery codes go too, and all sessions and tokens of the user end; at the next login they set up a new factor.
    Refuses `not_allowed`, and `own_second_factor` for oneself: whoever has a session left open could be anybody.
    """
    check_ability(actor, "keep_people")
    if actor.user_id == user.pk:
        raise DomainError("own_second_factor", "Have another administrator remove your second factors.")
    kinds = sorted(Authenticator.objects.select_for_update().filter(user=user).values_list("type", flat=True))
    Authenticator.objects.filter(user=user).delete()
    get_token_model().objects.filter(user=user).delete()
    end_sessions(user, at)
    record(actor, at, Deed("remove_second_factors", user, before={"factors": kinds}))
    return len(kinds)


def end_sessions(user: User, at: datetime) -> None:
    """Log a user out everywhere. A session does not say in the database whose it is, so all open ones are read."""
    mine = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=at).iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()


@transaction.atomic
def unlock_login(*, user: User, actor: Actor, at: datetime) -> None:
    """Let a user whose failures have locked the account try again at once. Refuses `not_allowed`."""
    check_ability(actor, "keep_people")
    failures.forget(user)
    record(actor, at, Deed("unlock_login", user))

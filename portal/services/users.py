"""What administrators do about users: who logs in as what, and help with logging in."""

from datetime import datetime
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction
from knox.models import get_token_model

from portal import failures, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed, record
from portal.changes import differing
from portal.errors import DomainError
from portal.models import Customer, User


class Account(NamedTuple):
    """Who logs in as what. `customer` is whose user it is, where the role is that of a customer."""

    email: str
    name: str
    role: str
    customer: Customer | None = None
    is_active: bool = True


@transaction.atomic
def create_user(*, account: Account, actor: Actor, at: datetime) -> User:
    """A new user, who gets a mail with a link to choose a password.

    Refuses `not_allowed`, `email_taken` and `customer_missing`.
    """
    check_ability(actor, "keep_people")
    _check_account(account)
    user = User.objects.create_user(**account._asdict())
    record(actor, at, Deed("create", user, after=_account_of(user)))
    outbox.post("password_reset", [{"user_id": user.pk}], at=at)
    return user


@transaction.atomic
def change_user(*, user: User, account: Account, actor: Actor, at: datetime) -> User:
    """Change what a user is. Who is deactivated is logged out everywhere, and their tokens end.

    So is who becomes one of the vendor's staff, and begins anew: a customer's session was opened by a mailed code,
    and whoever read their mail once may have left a passkey and a password, which would be both factors of staff.

    Refuses `not_allowed`, `email_taken`, `customer_missing`, `own_role` (nobody changes their own role or deactivates
    themselves) and `last_administrator`.
    """
    check_ability(actor, "keep_people")
    # All administrators are locked, so that two who deactivate each other don't both find the other still there.
    administrators = User.objects.select_for_update().filter(role=User.Role.ADMINISTRATOR, is_active=True)
    others = [each for each in administrators.order_by("pk") if each.pk != user.pk]
    user = User.objects.select_for_update().get(pk=user.pk)
    _check_account(account, user)
    is_kept = (account.role, account.is_active) == (user.role, user.is_active)
    if actor.user_id == user.pk and not is_kept:
        raise DomainError("own_role", "Have another administrator change your role or deactivate you.")
    was_administrator = user.is_active and user.role == User.Role.ADMINISTRATOR
    if was_administrator and not is_kept and not others:
        raise DomainError("last_administrator", f"{user} is the only active administrator: make another one first.")

    before, was_customer = _account_of(user), user.role == User.Role.CUSTOMER
    for name, value in account._asdict().items():
        setattr(user, name, value)
    user.email = _normal(account.email)
    user.save(update_fields=list(account._asdict()))
    becomes_staff = was_customer and user.role != User.Role.CUSTOMER
    if not user.is_active or becomes_staff:
        get_token_model().objects.filter(user=user).delete()
        end_sessions(user, at)
    if becomes_staff:
        _begin_anew(user, actor, at)
    was, became = differing(before, _account_of(user))
    if became:
        record(actor, at, Deed("change", user, was, became))
    return user


def _begin_anew(user: User, actor: Actor, at: datetime) -> None:
    """Take password and passkeys, and mail a link to choose a password; the second factor is set up with the login."""
    factors = Authenticator.objects.filter(user=user)
    kinds = sorted(factors.values_list("type", flat=True))
    factors.delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    if kinds:
        record(actor, at, Deed("remove_second_factors", user, before={"factors": kinds}))
    outbox.post("password_reset", [{"user_id": user.pk}], at=at)


def _check_account(account: Account, user: User | None = None) -> None:
    taken = User.objects.filter(email=_normal(account.email)).first()
    if taken is not None and taken != user:
        raise DomainError("email_taken", f"{account.email} is another user's address.", {"field": "email"})
    if account.role == User.Role.CUSTOMER and account.customer is None:
        raise DomainError("customer_missing", "Say whose user it is: choose the customer.", {"field": "customer"})


def _normal(email: str) -> str:
    """An address as users have it: in small letters."""
    return User.objects.normalize_email(email).lower()


def _account_of(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "customer": user.customer_id,
        "is_active": user.is_active,
    }


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

"""Customers log in: who is on file gets a code by mail, and a user of their own with the first one that is right.

A request does the same whoever it names, so that nothing tells who is on file: it leaves a code in its session and a
message in the outbox. Who is on file is looked up when the message is delivered, and again when the code comes back.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from allauth.account import app_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal import notices, outbox
from portal.access import contacts_on_file
from portal.audit import Actor, Deed, record
from portal.models import Customer, OutboxMessage, User, has_address

PAGE = Actor("Log in")


def post_code(*, email: str, code: str, at: datetime) -> None:
    """Have a code mailed to whoever is on file with the address; to a stranger's goes nothing."""
    outbox.post("login_code", [{"email": email, "code": code}], at=at)


def deliver_code(message: OutboxMessage) -> None:
    """Mail a code to a contact on file; to the vendor's staff a word that codes are not for them; to nobody else.

    Nor is a code mailed that is good no more. Afterwards the message keeps neither address nor code.
    """
    email, code = message.payload.get("email", ""), message.payload.get("code", "")
    is_late = timezone.now() - message.created_at > timedelta(seconds=app_settings.LOGIN_BY_CODE_TIMEOUT)
    user = User.objects.filter(has_address(email)).first()
    if is_late:
        pass
    elif user is not None and user.role != User.Role.CUSTOMER:
        if user.is_active:
            notices.send_login_by_password(message, user=user)
    elif (user is None or user.is_active) and (contact := contacts_on_file(email).first()):
        notices.send_login_code(message, contact=contact, code=code)
    message.payload = {}
    message.save(update_fields=["payload"])


@transaction.atomic
def open_account(*, email: str, actor: Actor, at: datetime) -> User | None:
    """The user who logs in by a mailed code: of a contact on file, made now if there is none yet.

    None for the vendor's staff, for a user who is deactivated and for an address that is on file nowhere.
    """
    contact = contacts_on_file(email).first()
    user = User.objects.filter(has_address(email)).first()
    if contact is None or (user is not None and (user.role != User.Role.CUSTOMER or not user.is_active)):
        return None
    if user is None:
        user = User.objects.create_user(email, name=contact.name, role=User.Role.CUSTOMER, customer=contact.customer)
        after = {"email": user.email, "name": user.name, "role": user.role, "is_active": user.is_active}
        record(actor, at, Deed("create", user, after=after))
    return user


def note_spent_code(*, email: str, attempts: int, at: datetime) -> None:
    """Record that a code was spent by wrong attempts, where the address is somebody's here."""
    subject = User.objects.filter(has_address(email)).first() or contacts_on_file(email).first()
    if subject is not None:
        record(PAGE, at, Deed("spend_code", subject, after={"attempts": attempts}))


@transaction.atomic
def choose_organisation(*, user: User, customer: Customer, actor: Actor, at: datetime) -> User:
    """From now on the user sees the pages of this organisation of theirs. The same again changes nothing."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.customer_id != customer.pk:
        before, user.customer = {"customer": user.customer_id}, customer
        user.save(update_fields=["customer"])
        record(actor, at, Deed("choose_organisation", user, before, {"customer": customer.pk}))
    return user


@transaction.atomic
def add_passkey(*, user: User, name: str, credential: Mapping[str, Any], actor: Actor, at: datetime) -> Authenticator:
    """A passkey by which a customer's user logs in, without a code by mail. They are told of it by mail."""
    passkey = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": dict(credential)}
    )
    record(actor, at, Deed("add_passkey", user, after={"passkey": name}))
    outbox.post("passkey_added", [{"user_id": user.pk, "name": name}], at=at)
    return passkey


@transaction.atomic
def remove_passkey(*, passkey: Authenticator, actor: Actor, at: datetime) -> None:
    """Let a passkey of a customer's user open nothing any more."""
    name, user = str(passkey), passkey.user
    passkey.delete()
    record(actor, at, Deed("remove_passkey", user, before={"passkey": name}))


def demo_code(email: str, code: str) -> str:
    """The code, for the page of somebody invented: in development, of a contact whose address ends in `.example`.

    That ending is nobody's in the world (RFC 2606). Empty for all others, and in production.
    """
    if settings.PRODUCTION or not email.lower().endswith(".example"):
        return ""
    is_barred = User.objects.filter(has_address(email)).exclude(role=User.Role.CUSTOMER, is_active=True).exists()
    return "" if is_barred or not contacts_on_file(email).exists() else code

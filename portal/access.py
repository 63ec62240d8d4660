"""Who may do what: the vendor's staff by their role, customers with what is their own organisation's."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from rest_framework.permissions import BasePermission

from portal import failures, outbox
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import Contact, Customer, User, has_address

# What each role may do; every staff role may look at everything.
ABILITIES: dict[str, frozenset[str]] = {
    User.Role.SALES: frozenset({"see", "sell", "cancel"}),
    User.Role.FINANCE: frozenset({"see", "settle", "cancel"}),
    User.Role.ADMINISTRATOR: frozenset({"see", "sell", "settle", "cancel", "keep_catalogue", "keep_people"}),
    User.Role.CUSTOMER: frozenset(),
}

# The same in words, for the page of a user.
ABILITIES_IN_WORDS = {
    "see": "looks at everything",
    "sell": "makes, approves and sends quotes, takes orders and withdraws licences",
    "settle": "records payments and closes months",
    "cancel": "cancels orders",
    "keep_catalogue": "keeps products, releases, price lists and policy",
    "keep_people": "keeps customers and users",
}

# By what customers log in, as the audit trail has it; the names on the left are allauth's.
LOGIN_WAYS = {"code": "code by mail", "webauthn": "passkey", "password": "password"}


def role_in_words(role: str) -> str:
    """What a role may do: “Looks at everything, records payments and closes months, cancels orders.”"""
    words = [words for ability, words in ABILITIES_IN_WORDS.items() if ability in ABILITIES[role]]
    sentence = ", ".join(words) or "sees none of the staff's pages"
    return f"{sentence[0].upper()}{sentence[1:]}."


def is_able(user: User, ability: str) -> bool:
    return user.is_authenticated and user.is_active and ability in ABILITIES[user.role]


def check_ability(actor: Actor, ability: str) -> None:
    """Refuse (`not_allowed`) an actor whose role lacks the ability; parts of the system may do everything."""
    if actor.role != "system" and ability not in ABILITIES[actor.role]:
        raise DomainError("not_allowed", "Your role does not allow this.", {"ability": ability})


def check_keeps_contacts(actor: Actor, customer: Customer) -> None:
    """Refuse (`not_allowed`) who may neither sell nor is on file as this customer's own contact.

    What customers change by themselves is decided here alone: their own organisation's contacts and addresses.
    """
    if actor.role != User.Role.CUSTOMER:
        check_ability(actor, "sell")
    elif not organisations_of(User.objects.get(pk=actor.user_id)).filter(pk=customer.pk).exists():
        raise DomainError("not_allowed", "You are not on file as a contact of this organisation.", {})


def staff_page(ability: str = "see") -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page for staff with this ability: others are sent to log in, or told that it is not theirs."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not is_able(request.user, ability):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.ability = ability  # type: ignore[attr-defined]  # read by the test that every URL is guarded
        return guarded

    return decorate


def contacts_on_file(email: str) -> QuerySet[Contact]:
    """The contacts with this address who have not left, of customers that are not merged into others; the oldest first.

    So whoever puts somebody's address on file later comes second.
    """
    found = Contact.objects.filter(has_address(email), left_on__isnull=True, customer__merged_into__isnull=True)
    return found.exclude(email="").select_related("customer").order_by("pk")


def organisations_of(user: User) -> QuerySet[Customer]:
    """The customers that have this user's e-mail address on file, as a contact who has not left.

    Asked anew for every page, so that access ends with the contact.
    """
    contacts = contacts_on_file(user.email).order_by()
    return Customer.objects.filter(pk__in=contacts.values("customer")).order_by("name", "pk")


def organisation_of(user: User) -> Customer | None:
    """The one of them whose pages the user sees: the one chosen last, else the first."""
    return _chosen(user, list(organisations_of(user)))


def _chosen(user: User, organisations: list[Customer]) -> Customer | None:
    chosen = (each for each in organisations if each.pk == user.customer_id)
    return next(chosen, organisations[0] if organisations else None)


def customer_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of customers, given the request and the organisation whose things alone it may show.

    Others are sent to the customers' login, or told that it is not theirs. What is another organisation's has to be as
    what is not there (404): tests/web/test_foreign.py asks every one of these addresses.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_request_login_code"))
        is_customer = request.user.role == User.Role.CUSTOMER
        organisations = list(organisations_of(request.user)) if is_customer else []
        organisation = _chosen(request.user, organisations)
        if organisation is None:
            raise PermissionDenied
        # For the switch that base.html has.
        request.organisation, request.organisations = organisation, organisations
        return view(request, organisation, *args, **kwargs)

    guarded.is_for_customers = True  # read by the tests that every URL is guarded
    return never_cache(guarded)


class IsStaff(BasePermission):
    """The API is for staff; a view names the ability that writing needs in `ability`."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return is_able(request.user, getattr(view, "ability", "see"))


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the vendor, not by signing up; failures hold an account, and it says for how long."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail address and password don't belong together.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "incorrect_code": "This is not the code of the newest mail. Look at it again and type it anew.",
    }

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """A customer's login is recorded here, however it came about; that of staff with their second factor."""
        if user.role == User.Role.CUSTOMER:
            records = get_authentication_records(request, user)
            by = records[-1].get("type") or records[-1]["method"] if records else ""
            record(Actor.of(user), timezone.now(), Deed("log_in", user, after={"by": LOGIN_WAYS.get(by, by)}))
        return super().post_login(request, user, **kwargs)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Of allauth's mails the portal sends one, through the outbox."""
        if template_prefix == "account/email/password_reset_key":
            outbox.post("password_reset", [{"user_id": context["user"].pk}], at=timezone.now())

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index" if request.user.is_vendor_staff else "renewals:my_account")

    def _get_login_attempts_cache_key(self, request: HttpRequest | None, **credentials: Any) -> str:
        """Counted by e-mail address alone, whatever host name the portal was asked by."""
        return failures.password_key(credentials.get("email", ""))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            raise failures.refusal(request, failures.password_key(credentials.get("email", ""))) from None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        email = credentials.get("email", "").strip().lower()
        user = User.objects.filter(email=email).first()
        if user is not None:
            failures.note_failure(request, user, failures.password_key(email))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever logged in a moment ago need not do so again, above all to set up the first second factor."""
        records = get_authentication_records(context.request, context.request.user)
        newest = max((record["at"] for record in records), default=0)
        is_recent = time.time() - newest < account_settings.REAUTHENTICATION_TIMEOUT
        return not is_recent and super().is_reauthentication_required(app=app, **kwargs)

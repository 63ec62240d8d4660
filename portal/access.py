"""Who may do what. Customers' access to their own things comes with their pages; here is the vendor's staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import User

# What each role may do; every staff role may look at everything.
ABILITIES: dict[str, frozenset[str]] = {
    User.Role.SALES: frozenset({"see", "sell", "cancel"}),
    User.Role.FINANCE: frozenset({"see", "settle", "cancel"}),
    User.Role.ADMINISTRATOR: frozenset({"see", "sell", "settle", "cancel", "keep_catalogue"}),
    User.Role.CUSTOMER: frozenset(),
}


def is_able(user: User, ability: str) -> bool:
    return user.is_authenticated and user.is_active and ability in ABILITIES[user.role]


def check_ability(actor: Actor, ability: str) -> None:
    """Refuse (`not_allowed`) an actor whose role lacks the ability; parts of the system may do everything."""
    if actor.role != "system" and ability not in ABILITIES[actor.role]:
        raise DomainError("not_allowed", "Your role does not allow this.", {"ability": ability})


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


class IsStaff(BasePermission):
    """The API is for staff; a view names the ability that writing needs in `ability`."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return is_able(request.user, getattr(view, "ability", "see"))


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the vendor, not by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

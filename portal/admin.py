"""The back office for people and for looking at what happened; what only grows can't be changed here either."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from knox.models import get_token_model

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer, OutboxMessage, User
from portal.services import remove_second_factors, unlock_login

# What opens the portal is made on its own pages and taken away by an action on users, both recorded; of allauth's
# e-mail addresses the portal makes no use.
admin.site.unregister([Authenticator, EmailAddress, get_token_model()])


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write and nobody edits."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ContactInline(admin.TabularInline):
    model = Contact
    extra = 0


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ("name", "country", "currency", "segment", "tax_status", "fulfil_on")
    list_filter = ("segment", "currency", "fulfil_on")
    search_fields = ("name", "contacts__email")
    inlines = (ContactInline,)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    list_display = ("email", "name", "role", "is_active")
    list_filter = ("role", "is_active")
    fields = ("email", "name", "role", "customer", "is_active")
    raw_id_fields = ("customer",)
    actions = ("remove_all_second_factors", "unlock_logging_in")

    @admin.action(description="Remove all second factors")
    def remove_all_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For a lost telephone: at the next login the user sets up a new one."""
        self._do(request, users, remove_second_factors, "has no second factor any more and is logged out everywhere")

    @admin.action(description="Unlock logging in")
    def unlock_logging_in(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._do(request, users, unlock_login, "may try to log in again at once")

    def _do(self, request: HttpRequest, users: QuerySet[User], service: Callable[..., Any], outcome: str) -> None:
        for user in users:
            try:
                service(user=user, actor=Actor.of(request.user), at=timezone.now())
                self.message_user(request, f"{user} {outcome}.", messages.SUCCESS)
            except DomainError as refusal:
                self.message_user(request, f"{user}: {refusal.message}", messages.ERROR)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "subject_kind", "subject_id")
    list_filter = ("action", "subject_kind")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("pk", "kind", "created_at", "due_at", "attempts", "done_at", "last_error")
    list_filter = ("kind",)

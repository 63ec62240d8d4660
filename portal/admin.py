"""The back office for people and for looking at what happened; what only grows can't be changed here either."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.models import AuditEvent, Contact, Customer, OutboxMessage, User


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


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "subject_kind", "subject_id")
    list_filter = ("action", "subject_kind")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("pk", "kind", "created_at", "due_at", "attempts", "done_at", "last_error")
    list_filter = ("kind",)

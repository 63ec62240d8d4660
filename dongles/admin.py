"""The back office for what is out there: the catalogue can be kept, dongles and codes be looked at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from dongles.models import Dongle, Licence, Product, ProductFamily, Release, ReleaseFile, SmaPeriod, UnlockCode
from dongles.services import change_release
from portal.admin import ReadOnlyAdmin
from portal.audit import Actor


@admin.register(ProductFamily)
class ProductFamilyAdmin(admin.ModelAdmin):
    list_display = ("name", "support_policy")


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("number", "code", "name", "family")
    list_filter = ("family",)
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A product's number is never given to another (Q9)."""
        return ("number",) if obj else ()


class ReleaseFileInline(admin.TabularInline):
    model = ReleaseFile
    extra = 0


@admin.register(Release)
class ReleaseAdmin(admin.ModelAdmin):
    list_display = ("family", "version", "build_on", "is_major", "is_published", "sold_against_on")
    list_filter = ("family", "is_major", "is_published")
    inlines = (ReleaseFileInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What an order was priced with stays as it was; the database refuses it too."""
        is_sold = obj is not None and obj.sold_against_on is not None
        return ("sold_against_on", *(("family", "build_on", "is_major", "is_published") if is_sold else ()))

    def save_model(self, request: HttpRequest, obj: Release, form: Any, change: bool) -> None:
        """What the software compares goes through the service, which refuses and records."""
        if change and {"build_on", "is_major"} & set(form.changed_data):
            by = {"actor": Actor.of(request.user), "at": timezone.now()}
            change_release(release=obj, build_on=obj.build_on, is_major=obj.is_major, **by)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.sold_against_on is None) and super().has_delete_permission(request, obj)


@admin.register(Dongle)
class DongleAdmin(ReadOnlyAdmin):
    list_display = ("serial", "kind", "customer", "state", "issued_expiry_on", "confirmed_expiry_on")
    list_filter = ("kind", "state")
    list_select_related = ("customer",)
    search_fields = ("serial",)


@admin.register(Licence)
class LicenceAdmin(ReadOnlyAdmin):
    list_display = ("dongle", "product", "seats", "acquired_on", "withdrawn_on")
    list_select_related = ("dongle", "product")
    search_fields = ("dongle__serial",)


@admin.register(SmaPeriod)
class SmaPeriodAdmin(ReadOnlyAdmin):
    list_display = ("licence", "starts_on", "ends_on", "source", "is_cancelled")
    list_select_related = ("licence__dongle", "licence__product")
    search_fields = ("licence__dongle__serial",)


@admin.register(UnlockCode)
class UnlockCodeAdmin(ReadOnlyAdmin):
    list_display = ("dongle", "generation", "sequence", "cause", "expiry_on", "issued_at")
    list_select_related = ("dongle",)
    search_fields = ("dongle__serial",)

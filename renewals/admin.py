"""The back office for what is sold: terms can be kept until a quote has used them; quotes and orders be looked at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.admin import ReadOnlyAdmin
from renewals.models import (
    Bridge,
    Order,
    PolicySettings,
    PriceList,
    PriceListEntry,
    Quote,
    QuoteVersion,
    RenewalRequest,
    RevenueSegment,
    TaxRate,
)


class UntilUsedAdmin(admin.ModelAdmin):
    """Terms that a quote has used stay as they were; the database refuses changes too."""

    version_field: str

    def _is_used(self, obj: Any) -> bool:
        return obj is not None and QuoteVersion.objects.filter(**{self.version_field: obj}).exists()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self._is_used(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self._is_used(obj) and super().has_delete_permission(request, obj)


class PriceListEntryInline(admin.TabularInline):
    """Amounts are in the currency's minor unit."""

    model = PriceListEntry
    extra = 0
    verbose_name_plural = "entries, in the currency's minor unit (cents; yen)"


@admin.register(PriceList)
class PriceListAdmin(UntilUsedAdmin):
    version_field = "price_list"
    list_display = ("name", "currency", "segment", "valid_from")
    list_filter = ("currency", "segment")
    inlines = (PriceListEntryInline,)


@admin.register(PolicySettings)
class PolicySettingsAdmin(UntilUsedAdmin):
    version_field = "policy"
    list_display = ("valid_from", "part_month", "missed_majors", "upgrade_includes_months", "grace_days")


@admin.register(TaxRate)
class TaxRateAdmin(admin.ModelAdmin):
    list_display = ("country", "tax_status", "rate", "valid_from")
    list_filter = ("country", "tax_status")


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("number", "customer", "created_at")
    list_select_related = ("customer",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("number", "customer", "state", "purchase_order_number", "accepted_on", "fulfilled_on")
    list_filter = ("state",)
    list_select_related = ("customer",)


@admin.register(RenewalRequest)
class RenewalRequestAdmin(ReadOnlyAdmin):
    list_display = ("number", "serial", "name", "state", "received_at")
    list_filter = ("state",)


@admin.register(Bridge)
class BridgeAdmin(ReadOnlyAdmin):
    list_display = ("dongle", "version", "paid_through", "ends_on", "reason", "granted_by", "granted_on")
    list_select_related = ("dongle", "version__quote", "granted_by")


@admin.register(RevenueSegment)
class RevenueSegmentAdmin(ReadOnlyAdmin):
    list_display = ("order_line", "currency", "amount", "starts_on", "ends_on", "method", "booked_month", "reason")
    list_filter = ("reason", "method", "currency")
    list_select_related = ("order_line__order", "order_line__licence__dongle", "order_line__licence__product")

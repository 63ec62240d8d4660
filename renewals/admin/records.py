"""The back office for looking at quotes, orders and what came of them."""

from django.contrib import admin

from portal.admin import ReadOnlyAdmin
from renewals.models import (
    Bridge,
    Campaign,
    CustomerMerge,
    Order,
    Quote,
    ReminderMailing,
    RenewalRequest,
    RevenueSegment,
)


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


@admin.register(ReminderMailing)
class ReminderMailingAdmin(ReadOnlyAdmin):
    list_display = ("customer", "posted_on", "posted_at")
    list_select_related = ("customer",)


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "asked_by", "starts_on", "ends_on", "renew_years", "scheduled_on")
    list_select_related = ("asked_by",)


@admin.register(CustomerMerge)
class CustomerMergeAdmin(ReadOnlyAdmin):
    list_display = ("merged", "kept", "merged_at", "merged_by", "undone_at")
    list_select_related = ("merged", "kept", "merged_by")

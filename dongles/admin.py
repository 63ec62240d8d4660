"""The back office for what is out there: the catalogue can be kept, dongles and codes be looked at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dongles.catalogue import (
    change_release,
    delete_product,
    delete_release,
    keep_product,
    publish_release,
    unpublish_release,
)
from dongles.models import (
    Dongle,
    Import,
    Licence,
    Product,
    ProductFamily,
    Release,
    ReleaseFile,
    Replacement,
    SmaPeriod,
    UnlockCode,
)
from dongles.queries import licences_ended_before
from dongles.shelf import fault_of
from portal.admin import AuditedAdmin, OfferedStep, ReadOnlyAdmin, RowsInside
from portal.templatetags.portal import status
from portal.web import by
from portal.wording import count, write_day


@admin.register(ProductFamily)
class ProductFamilyAdmin(AuditedAdmin):
    room = "catalogue"
    says = "Products that are released together and share a support policy (S1)."
    list_display = ("name", "support_policy")


@admin.register(Product)
class ProductAdmin(AuditedAdmin):
    room = "catalogue"
    says = "What licences are for, each with its number for good (Q9)."
    list_display = ("number", "code", "name", "family")
    list_display_links = ("number", "name")
    list_filter = ("family",)
    list_select_related = ("family",)
    search_fields = ("code", "name")
    ordering = ("number",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A product's number is never given to another (Q9)."""
        return ("number",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "number" in form.base_fields:
            form.base_fields["number"].help_text = "1 to 65,535. Codes state it, so it never changes."
        return form

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        keep_product(product=obj, **by(request))

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        delete_product(product=obj, **by(request))


class ReleaseFileInline(RowsInside):
    """Files come in and go by a command, which copies them and works out what they are."""

    model = ReleaseFile
    template = "admin/dongles/rows_shown.html"
    verbose_name_plural = "files (they come in by manage.py add_release_file)"
    extra = 0
    max_num = 0
    can_delete = False
    fields = readonly_fields = ("platform", "path", "size", "sha256", "on_the_shelf")

    @admin.display(description="On the shelf")
    def on_the_shelf(self, file: ReleaseFile) -> str:
        fault = fault_of(file)
        return f"No: {fault}" if fault else "Yes"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Release)
class ReleaseAdmin(AuditedAdmin):
    """A draft is published by a step of its own, which says what follows from it."""

    room = "catalogue"
    says = "Versions with their build dates: drafts until they are published, locked once sold against."
    steps = ("publish", "unpublish")
    list_display = ("version", "family", "build_on", "is_major", "state", "sold_against_on")
    list_filter = ("family", "is_major", "is_published")
    list_select_related = ("family",)
    ordering = ("-build_on", "-pk")
    fields = ("family", "version", "build_on", "is_major", "notes")
    inlines = (ReleaseFileInline,)

    @admin.display(ordering="is_published")
    def state(self, release: Release) -> str:
        return status("published" if release.is_published else "draft")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What an order was priced with stays as it was; the database refuses it too."""
        is_sold = obj is not None and obj.sold_against_on is not None
        return ("family", "build_on", "is_major") if is_sold else ()

    def remark_on(self, obj: Release) -> str:
        if obj.sold_against_on is not None:
            return (
                f"Published, and sold against since {write_day(obj.sold_against_on)}: orders were priced with it, so"
                " its family, build date and being major stay as they are. Bring out a corrected release instead."
            )
        if obj.is_published:
            return "Published. No order was priced with it yet, so it can still be corrected or unpublished."
        return "A draft: it counts for nobody until it is published."

    def steps_for(self, obj: Release) -> list[OfferedStep]:
        if not obj.is_published:
            return [OfferedStep("publish", "Publish …")]
        return [] if obj.sold_against_on else [OfferedStep("unpublish", "Unpublish …")]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or not obj.is_published) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Release, form: Any, change: bool) -> None:
        """What the software compares goes through the service, which refuses and records; then the rest."""
        if change:
            change_release(release=obj, build_on=obj.build_on, is_major=obj.is_major, **by(request))
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Release) -> None:
        delete_release(release=obj, **by(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        return super().get_queryset(request).select_related("family")

    def publish(self, request: HttpRequest, object_id: int) -> HttpResponse:
        release = self.object_at(request, object_id)
        return self.take_step(
            request,
            release,
            title=f"Publish {release}",
            lead=_what_publishing_does(release),
            mind=_who_will_have_missed(release),
            button=f"Publish {release}",
            deed=lambda form: (publish_release(release=release, **by(request)), f"{release} is published."),
        )

    def unpublish(self, request: HttpRequest, object_id: int) -> HttpResponse:
        release = self.object_at(request, object_id)
        return self.take_step(
            request,
            release,
            title=f"Unpublish {release}",
            lead="It becomes a draft again and counts for nobody. Who has downloaded it keeps what they have.",
            button=f"Unpublish {release}",
            deed=lambda form: (unpublish_release(release=release, **by(request)), f"{release} is a draft again."),
        )


def _what_publishing_does(release: Release) -> str:
    kind = "a major release" if release.is_major else "a release"
    return (
        f"{release} becomes {kind} built on {write_day(release.build_on)}. Dongles whose SMA lasts through that day or"
        " longer may run it. Once an order is priced with it, build date and being major can't change any more."
    )


def _who_will_have_missed(release: Release) -> str:
    """The warning where a major release comes on record late; empty where there is nobody to warn of."""
    if not release.is_major or release.build_on > timezone.localdate():
        return ""
    number = licences_ended_before(release.family, release.build_on)
    if not number:
        return ""
    return (
        f"Its build date has come. {count(number, 'licence')} whose SMA ended before {write_day(release.build_on)} will"
        " have missed it at once, so that coming back takes an upgrade (C5, P7). Quotes that are sent stay as they are."
    )


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


@admin.register(Replacement)
class ReplacementAdmin(ReadOnlyAdmin):
    list_display = ("predecessor", "successor", "cause", "reason", "replaced_on")
    list_filter = ("cause",)
    list_select_related = ("predecessor", "successor")
    search_fields = ("predecessor__serial", "successor__serial")


@admin.register(UnlockCode)
class UnlockCodeAdmin(ReadOnlyAdmin):
    list_display = ("dongle", "generation", "sequence", "cause", "expiry_on", "issued_at")
    list_select_related = ("dongle",)
    search_fields = ("dongle__serial",)


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = ("name", "uploaded_by", "uploaded_at", "imported_at")
    list_select_related = ("uploaded_by",)

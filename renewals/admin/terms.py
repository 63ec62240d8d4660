"""The back office for terms of trade: price lists, policy settings and tax rates, kept until a quote has used them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dongles.models import Product
from portal.access import ABILITIES
from portal.admin import AuditedAdmin, OfferedStep, RefusableForm, posted
from portal.errors import DomainError
from portal.models import User
from portal.templatetags.portal import status
from portal.web import by
from portal.wording import count, write_day
from renewals.admin.fields import AmountField, PercentField, RateTableField, Told
from renewals.models import PolicySettings, PriceList, QuoteVersion, TaxRate
from renewals.overviews.price_lists import PRICES, comparison_of, price_lists, state_of
from renewals.services import catalogue
from renewals.services.catalogue import Prices

ALWAYS_PRICED = ("licence", "sma_year", "upgrade")


class PriceRow(NamedTuple):
    """A product with the fields for its prices."""

    product: Product
    fields: Sequence[forms.BoundField]


class PriceListForm(RefusableForm):
    """A list with a row for every product; a product whose row is empty is not in the list."""

    replacement_fee = AmountField(required=False, label="Fee for a replaced dongle")

    class Meta:
        model = PriceList
        fields = ("name", "currency", "segment", "valid_from", "replacement_fee")
        help_texts = {
            "currency": "A code of ISO 4217, like EUR.",
            "valid_from": "The first day on which quotes are priced with it; a later list then follows it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.products = list(Product.objects.select_related("family").order_by("number"))
        currency = self._currency()
        listed = catalogue.prices_of(self.instance) if self.instance.pk else {}
        if "replacement_fee" in self.fields:
            fee = self.fields["replacement_fee"]
            fee.currency, fee.help_text = currency, PriceList._meta.get_field("replacement_fee").help_text
            if getattr(self.instance, "is_used", False):
                fee.widget = Told(fee.in_words)
        for product in self.products:
            for name, label in PRICES.items():
                field = AmountField(required=False, label=f"{product}, {label}")
                field.currency, field.price = currency, label
                field.widget.attrs["aria-label"] = field.label
                field.initial = getattr(listed.get(product), name, None)
                self.fields[self._name(product, name)] = field

    def _currency(self) -> str:
        """The currency that is typed, else the list's; none where it is no currency."""
        typed = str(self.data.get("currency", "")) if self.is_bound else self.instance.currency
        try:
            catalogue.check_currency(typed.strip().upper())
        except DomainError:
            return ""
        return typed.strip().upper()

    @staticmethod
    def _name(product: Product, price: str) -> str:
        return f"{price}_{product.number}"

    @property
    def rows(self) -> list[PriceRow]:
        return [PriceRow(product, [self[self._name(product, name)] for name in PRICES]) for product in self.products]

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].strip().upper()
        try:
            catalogue.check_currency(currency)
        except DomainError as refusal:
            raise ValidationError(refusal.message) from None
        return currency

    def clean(self) -> Any:
        """Of a product all three prices or none."""
        cleaned = super().clean()
        self.prices: dict[Product, Prices] = {}
        for product in self.products:
            names = {name: self._name(product, name) for name in PRICES}
            if any(field in self.errors for field in names.values()) or "currency" in self.errors:
                continue
            typed = {name: self.cleaned_data[field] for name, field in names.items()}
            if all(amount is None for amount in typed.values()):
                continue
            missing = [name for name in ALWAYS_PRICED if typed[name] is None]
            for name in missing:
                self.add_error(names[name], "Give all three prices, or none to leave the product out.")
            if not missing:
                self.prices[product] = Prices(**typed)
        return cleaned


class CopyForm(forms.Form):
    """What the copy of a price list is called, from when it holds, and by how much it is dearer."""

    name = forms.CharField(label="Name", max_length=120)
    valid_from = forms.DateField(
        label="Valid from",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="A day to come schedules it: until then the present list holds.",
    )
    raise_by = PercentField(
        label="Raise all prices by",
        least=-50,
        required=False,
        help_text="Per cent; with a minus they are lowered. Each is rounded half up to the currency's minor unit.",
    )


class UntilUsedAdmin(AuditedAdmin):
    """Terms that a quote has used stay as they were; the database refuses changes too."""

    version_field: str
    used_remark: str

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        used = QuoteVersion.objects.filter(**{self.version_field: OuterRef("pk")})
        return super().get_queryset(request).annotate(is_used=Exists(used))

    @admin.display(description="Used")
    def used(self, obj: Any) -> str:
        return "by quotes" if obj.is_used else "not yet"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not getattr(obj, "is_used", False) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not getattr(obj, "is_used", False) and super().has_delete_permission(request, obj)

    def remark_on(self, obj: Any) -> str:
        return self.used_remark if obj.is_used else ""


@admin.register(PriceList)
class PriceListAdmin(UntilUsedAdmin):
    room = "prices"
    says = "Per currency and customer segment: copy one, raise it, schedule it, compare it with the one before."
    version_field = "price_list"
    used_remark = "A quote has used this list, so it stays as it is. Copy it, and change the copy."
    form = PriceListForm
    steps = ("copy", "compare")
    list_display = ("name", "currency", "segment", "valid_from", "state", "used")
    list_filter = ("currency", "segment")
    search_fields = ("name",)
    ordering = ("-valid_from", "currency", "segment")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceList]:
        return price_lists(timezone.localdate()).order_by(*self.ordering)

    @admin.display(ordering="valid_from")
    def state(self, price_list: PriceList) -> str:
        return status(state_of(price_list, timezone.localdate()))

    def steps_for(self, obj: PriceList) -> list[OfferedStep]:
        return [OfferedStep("copy", "Copy …"), OfferedStep("compare", "Compare with the last one")]

    def remark_on(self, obj: PriceList) -> str:
        standing = {
            "scheduled": f"Scheduled: in force from {write_day(obj.valid_from)} on.",
            "in_force": f"In force since {write_day(obj.valid_from)}.",
            "past": "Past: a later list is in force.",
        }[state_of(obj, timezone.localdate())]
        return f"{standing} {super().remark_on(obj)}".strip()

    def save_model(self, request: HttpRequest, obj: PriceList, form: PriceListForm, change: bool) -> None:
        catalogue.keep_price_list(price_list=obj, prices=form.prices, **by(request))

    def delete_model(self, request: HttpRequest, obj: PriceList) -> None:
        catalogue.delete_price_list(price_list=obj, **by(request))

    def copy(self, request: HttpRequest, object_id: int) -> HttpResponse:
        price_list = self.object_at(request, object_id)

        def deed(form: CopyForm) -> tuple[PriceList, str]:
            rate = Fraction(form.cleaned_data["raise_by"] or 0)
            values = {"name": form.cleaned_data["name"], "valid_from": form.cleaned_data["valid_from"]}
            made = catalogue.copy_price_list(price_list=price_list, raise_by=rate, **values, **by(request))
            return made, f"{made} is in force from {write_day(made.valid_from)} on. Look it over, or compare it."

        return self.take_step(
            request,
            price_list,
            title=f"Copy {price_list}",
            lead=(
                f"A new list in {price_list.currency} for {price_list.get_segment_display().lower()} customers, with"
                " the prices of this one. Until a quote has used it, every price can still be changed."
            ),
            button="Copy the list",
            form=CopyForm(posted(request), initial={"name": price_list.name}),
            deed=deed,
        )

    def compare(self, request: HttpRequest, object_id: int) -> HttpResponse:
        price_list = self.object_at(request, object_id)
        compared = comparison_of(price_list)
        title = f"{price_list}, compared with the last one"
        return self.show(request, "admin/renewals/pricelist/compare.html", price_list, title, compared=compared)


YEARS = {str(years): f"{count(years, 'year')} or more" for years in range(1, 11)}
SELLERS = {role.value: role.label for role in User.Role if "sell" in ABILITIES[role]}
SECTIONS: Mapping[str, Sequence[str]] = {
    "": ("valid_from",),
    "Parts of a year, and years ahead": ("part_month", "max_years", "align_min_months", "multi_year_discount"),
    "Coming back after a lapse": ("grace_days", "back_pay", "reinstatement_fee"),
    "Missed major releases": ("missed_majors", "upgrade_includes_months", "upgrade_cap"),
    "Lost and broken dongles": ("replacement_price",),
    "Quotes": ("quote_valid_days", "straddle", "discount_limits", "bridge_days"),
}


class PolicyForm(RefusableForm):
    """The settings with rates as per cent, and tables of rates row by row."""

    upgrade_cap = PercentField(label="Upgrade cap, % of a licence", most=1000, required=False)
    reinstatement_fee = PercentField(label="Reinstatement fee, % of an SMA year")
    multi_year_discount = RateTableField(label="Multi-year discount, %", rows=YEARS)
    discount_limits = RateTableField(label="Discount limits, %", rows=SELLERS)

    class Meta:
        model = PolicySettings
        fields = "__all__"
        labels = {
            "part_month": "A month begun",
            "max_years": "Most years of a renewal",
            "align_min_months": "Least months of an alignment",
            "missed_majors": "Several missed",
            "upgrade_includes_months": "Months that an upgrade includes",
            "replacement_price": "A replaced dongle costs",
            "quote_valid_days": "Days that a quote is valid",
            "straddle": "A release since the quote",
            "bridge_days": "Days of a bridge",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.declared_fields:
            if name in self.fields:
                setting = PolicySettings._meta.get_field(name)
                self.fields[name].help_text = setting.help_text
                self.fields[name].initial = setting.get_default()
                if getattr(self.instance, "is_used", False):
                    self.fields[name].widget = Told(self.fields[name].in_words)


@admin.register(PolicySettings)
class PolicySettingsAdmin(UntilUsedAdmin):
    room = "policy"
    says = "The rulebook's settings from a day on, each with its rule."
    version_field = "policy"
    used_remark = "A quote has used these settings, so they stay as they are. Copy them, and change the copy."
    form = PolicyForm
    steps = ("copy",)
    list_display = ("valid_from", "part_month", "missed_majors", "upgrade_includes_months", "grace_days", "used")
    ordering = ("-valid_from",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """By what they are about; a setting that no section names stands at the end."""
        named = {name for names in SECTIONS.values() for name in names}
        fields = [field.name for field in PolicySettings._meta.fields if not field.primary_key]
        sections = {**SECTIONS, "More": [name for name in fields if name not in named]}
        return [(title or None, {"fields": names}) for title, names in sections.items() if names]

    def steps_for(self, obj: PolicySettings) -> list[OfferedStep]:
        return [OfferedStep("copy", "Copy …")]

    def copy(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The form of new settings, filled with these."""
        policy = self.object_at(request, object_id)
        request.copied = {field.name: field.value_from_object(policy) for field in policy._meta.fields}
        del request.copied["valid_from"]
        return self.changeform_view(request, form_url=self.address("add"))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return getattr(request, "copied", None) or super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: PolicySettings, form: Any, change: bool) -> None:
        catalogue.keep_policy(policy=obj, **by(request))

    def delete_model(self, request: HttpRequest, obj: PolicySettings) -> None:
        catalogue.delete_policy(policy=obj, **by(request))


class TaxRateForm(RefusableForm):
    rate = PercentField(label="Rate, %", decimals=3)


@admin.register(TaxRate)
class TaxRateAdmin(AuditedAdmin):
    room = "prices"
    says = "By the customer's country and tax status (P9). A version of a quote keeps the rate it was made with."
    form = TaxRateForm
    list_display = ("country", "tax_status", "rate", "valid_from")
    list_filter = ("country", "tax_status")

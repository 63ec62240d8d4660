"""What a report on money is asked for, as it stands in its address."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from dongles.models import Product, ProductFamily
from portal import wording
from portal.models import Customer
from renewals import calendar
from renewals.calendar import following
from renewals.models import BookingTotals, MonthFigures
from renewals.overviews.finance.figures import values_of
from renewals.overviews.finance.filters import MOST_MONTHS, REPORTING, ReportFilters
from renewals.overviews.finance.lines import FIGURES, LinesAsked
from renewals.overviews.finance.reports import ReportKind

FIRST_YEAR, LAST_YEAR = 2000, 2100  # of the ledger: a month outside is a slip of the fingers
CUSTOMERS_NAMED = 3  # of those that fit what was typed


def read_month(text: str) -> date:
    """A month as it is typed, 2026-11, by its first day; ValidationError where it is none of the ledger's."""
    try:
        month = calendar.read_month(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise forms.ValidationError(f"The ledger has the months of the years {FIRST_YEAR} to {LAST_YEAR}.")
    return month


class MonthField(forms.CharField):
    """A month, by its first day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-11"}), **options)

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        return read_month(text) if text else None


def _choice(label: str, what: str) -> forms.ChoiceField:
    refusal = {"invalid_choice": f"“%(value)s” is no {what} here; it was left out."}
    return forms.ChoiceField(label=label, required=False, error_messages=refusal)


class ReportForm(forms.Form):
    """The filters of a report (`span` as of ReportKind). What is refused is said, and left out of what is shown."""

    marks_optional = False  # every field is

    first_month = MonthField(label="From", required=False)
    last_month = MonthField(label="To", required=False)
    family = _choice("Family", "product family")
    product = _choice("Product", "product")
    customer = forms.CharField(label="Customer", required=False, max_length=200)
    country = _choice("Country", "country")
    segment = _choice("Segment", "segment of customers")
    currency = _choice("Currency", "currency")

    def __init__(self, data: QueryDict, *, today: date, kind: ReportKind | None = None) -> None:
        """Of a kind of report, its span of months and its currencies beside those in which anything was sold."""
        span = kind.span if kind else "past"
        self._until = following(today.replace(day=1), 12 if span == "ahead" else 0)
        spans = {"first_month": following(self._until, -11), "last_month": self._until}
        asked = data.dict()
        if not asked.get("first_month") and not asked.get("last_month"):
            asked |= {name: f"{month:%Y-%m}" for name, month in spans.items()}
        super().__init__(asked)
        if span == "month":
            del self.fields["first_month"]
            self.fields["last_month"].label = "Month"
        families, products = ProductFamily.objects.order_by("name"), Product.objects.order_by("name")
        currencies = set(values_of(BookingTotals, "currency"))
        if kind and kind.currencies:
            currencies |= set(kind.currencies())
        countries = sorted((wording.country_name(code), code) for code in values_of(MonthFigures, "country"))
        for name, offered in (
            ("family", [(str(pk), name) for pk, name in families.values_list("pk", "name")]),
            ("product", [(str(pk), name) for pk, name in products.values_list("pk", "name")]),
            ("country", [(code, name) for name, code in countries]),
            ("segment", Customer.Segment.choices),
            ("currency", [*((code, code) for code in sorted(currencies)), _converted()]),
        ):
            self.fields[name].choices = [("", "Each by itself" if name == "currency" else "All"), *offered]

    def clean_customer(self) -> int | None:
        """A customer by its number in addresses or by its name, as far as only one fits."""
        text = self.cleaned_data["customer"].strip()
        if not text:
            return None
        if text.isdecimal() and len(text) < 19 and Customer.objects.filter(pk=int(text)).exists():
            return int(text)
        fitting = list(Customer.objects.filter(name__iexact=text, merged_into=None).order_by("pk")[:1])
        fitting = fitting or list(
            Customer.objects.filter(name__icontains=text, merged_into=None).order_by("name", "pk")[
                : CUSTOMERS_NAMED + 1
            ]
        )
        if not fitting:
            raise forms.ValidationError(f"No customer’s name has “{text}” in it; it was left out.")
        if len(fitting) > 1:
            names = ", ".join(each.name for each in fitting[:CUSTOMERS_NAMED])
            raise forms.ValidationError(f"Several customers fit “{text}”: {names} … Write more of the name.")
        return fitting[0].pk

    def clean(self) -> dict[str, Any]:
        first, last = self._span()
        if first > last:
            self.add_error("last_month", "The last month lies before the first; the twelve months up to it are shown.")
        elif following(first, MOST_MONTHS - 1) < last:
            self.add_error("first_month", f"A report spans {MOST_MONTHS} months at most; the last twelve are shown.")
        return super().clean()

    def _span(self) -> tuple[date, date]:
        last = self.cleaned_data.get("last_month") or self._until
        return self.cleaned_data.get("first_month") or following(last, -11), last

    @property
    def currencies(self) -> list[tuple[str, str]]:
        """The currencies that can be chosen: value and name."""
        return list(self.fields["currency"].choices)

    @property
    def filters(self) -> ReportFilters:
        """What is asked for, the twelve months up to this one where no other are."""
        self.is_valid()
        first, last = self._span()
        if first > last or following(first, MOST_MONTHS - 1) < last:
            first = following(last, -11)
        chosen = self.cleaned_data
        return ReportFilters(
            first_month=first,
            last_month=last,
            family=int(chosen["family"]) if chosen.get("family") else None,
            product=int(chosen["product"]) if chosen.get("product") else None,
            customer=chosen.get("customer"),
            country=chosen.get("country", ""),
            segment=chosen.get("segment", ""),
            currency=chosen.get("currency", ""),
        )

    @property
    def in_words(self) -> list[str]:
        """The filters that hold, for paper and files: “Country: Germany”."""
        self.is_valid()
        words = [
            f"{field.label}: {dict(field.field.choices)[value]}"
            for field in self
            if field.name in ReportFilters._fields
            and isinstance(field.field, forms.ChoiceField)
            and (value := self.cleaned_data.get(field.name))
        ]
        if customer := self.cleaned_data.get("customer"):
            words.append(f"Customer: {Customer.objects.get(pk=customer).name}")
        return words


class LinesForm(ReportForm):
    """Whose lines are wanted: the filters of a report, a figure, and months of booking."""

    figure = forms.ChoiceField(
        label="Figure",
        required=False,
        choices=[(key, each.name) for key, each in FIGURES.items()],
        error_messages={
            "invalid_choice": "“%(value)s” is no figure whose lines are known; what is recognised is shown."
        },
    )
    booked_from = MonthField(label="Booked from", required=False)
    booked_to = MonthField(label="Booked to", required=False)

    field_order = ("figure", "first_month", "last_month", "booked_from", "booked_to")

    def __init__(self, data: QueryDict, *, today: date) -> None:
        super().__init__(data, today=today)
        self._after = data.get("after", "")

    def clean(self) -> dict[str, Any]:
        chosen = super().clean()
        if chosen.get("figure") == "annual" and (chosen.get("booked_from") or chosen.get("booked_to")):
            self.add_error("figure", "An annual value goes by the days of the SMA, not by when it was booked.")
        return chosen

    @property
    def after(self) -> int | None:
        """The segment behind which the page begins."""
        return int(self._after) if self._after.isdecimal() and len(self._after) < 19 else None

    @property
    def asked(self) -> LinesAsked:
        """What is asked for. An amount that was converted is one of several currencies: their lines are shown."""
        filters, chosen = self.filters, self.cleaned_data
        if filters.currency == REPORTING:
            filters = filters._replace(currency="")
        figure = chosen.get("figure") or "recognised"
        return LinesAsked(figure, filters, chosen.get("booked_from"), chosen.get("booked_to"))


def _converted() -> tuple[str, str]:
    return REPORTING, f"All in {settings.REPORTING_CURRENCY}"

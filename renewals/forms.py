"""Forms about quotes and orders."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django import forms

from dongles.forms import PlainCharField
from dongles.models import Dongle, Product
from portal.models import Customer
from renewals.pricing import AddedLicence
from renewals.queries import Concessions, DongleRequest

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class QuoteForm(forms.Form):
    """What a quote for one dongle asks for. Read from the address for the preview, posted to draft."""

    marks_optional = False  # every field is; saying so beside each would be noise

    renew_years = forms.TypedChoiceField(label="Renew for", required=False, coerce=int, empty_value=None)
    align_to = forms.DateField(
        label="Or align to a date",
        required=False,
        widget=DATE,
        help_text="The last valid day of all licences.",
    )
    discount = forms.DecimalField(
        label="Negotiated discount",
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text="Per cent, on every line.",
    )
    discount_reason = forms.CharField(label="Reason for the discount", required=False, max_length=250)
    note = forms.CharField(
        label="Note to the customer",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: object, products: Sequence[Product], max_years: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        years = [(n, "1 year" if n == 1 else f"{n} years") for n in range(1, max_years + 1)]
        self.fields["renew_years"].choices = [("", "No renewal"), *years]
        self.products = products
        for product in products:
            self.fields[f"add_{product.code}"] = forms.IntegerField(
                label=product.name, required=False, min_value=1, max_value=65535
            )

    @property
    def product_fields(self) -> list[tuple[Product, forms.BoundField]]:
        """The products that can be added, each with its field for the seats."""
        return [(product, self[f"add_{product.code}"]) for product in self.products]

    @property
    def asked(self) -> str:
        """What is typed that prices depend on, as the query of an address; what is empty stays out."""
        names = ["align_to", "discount", *(field.name for _, field in self.product_fields)]
        typed = {name: value for name in names if (value := self[name].value())}
        return urlencode({"renew_years": self["renew_years"].value() or "", **typed})

    @property
    def is_half_typed(self) -> bool:
        """Whether the date's year is still being typed: 0002, 0020, 0202 on the way to 2027."""
        return str(self["align_to"].value() or "").startswith("0")

    @property
    def has_added(self) -> bool:
        """Whether any licence is to be added."""
        return any(field.value() for _, field in self.product_fields)

    def request_for(self, dongle: Dongle) -> DongleRequest:
        values = self.cleaned_data
        added = tuple(
            AddedLicence(product.code, seats) for product in self.products if (seats := values[f"add_{product.code}"])
        )
        return DongleRequest(dongle, values["renew_years"], values["align_to"], added)

    @property
    def concessions(self) -> Concessions:
        """What is conceded; the discount as a rate: 12.5 % is 0.125."""
        return Concessions((self.cleaned_data["discount"] or Decimal(0)) / 100)


class AcceptForm(forms.Form):
    """A purchase order for a sent quote; a customer who pays first may go without its number."""

    purchase_order_number = PlainCharField(
        label="Purchase order number",
        max_length=80,
        error_messages={"required": "Enter the purchase order number."},
    )
    accepted_by = forms.CharField(
        label="Ordered by",
        max_length=200,
        help_text="Name and role of who placed the order.",
        error_messages={"required": "Say who placed the order."},
    )

    def __init__(self, *args: object, customer: Customer, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        is_needed = customer.fulfil_on == Customer.FulfilOn.ACCEPTANCE
        self.fields["purchase_order_number"].required = is_needed


class ReasonForm(forms.Form):
    """A reason for a deed that wants one."""

    reason = forms.CharField(label="Reason", max_length=250, error_messages={"required": "Say why."})


class CancelForm(ReasonForm):
    """From when an order is cancelled, and why."""

    from_on = forms.DateField(label="Cancelled from", widget=DATE, help_text="The first day that is no longer covered.")
    is_mistake = forms.BooleanField(
        label="The order was a mistake",
        required=False,
        help_text="Everything is taken back from its first day, as if it had not been sold.",
    )

    field_order = ("from_on", "reason", "is_mistake")


class PaymentForm(forms.Form):
    """The day a payment came in."""

    paid_on = forms.DateField(label="Paid on", widget=DATE)

    def __init__(self, *args: object, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_paid_on(self) -> date:
        paid_on: date = self.cleaned_data["paid_on"]
        if paid_on > self.today:
            raise forms.ValidationError("This day is in the future.")
        return paid_on

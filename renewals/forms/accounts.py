"""What finance types about accounts: the map of the journal, and what DATEV asks for."""

from typing import Any

from django import forms

from dongles.models import Product, ProductFamily
from portal import wording
from portal.models import Customer
from renewals.journal.datev import CLIENTS, CONSULTANTS, LENGTHS, MONTHS, DatevSettings
from renewals.models import AccountMapEntry

ALL = [("", "All")]
FAMILY, PRODUCT = "family", "product"


class AccountForm(forms.Form):
    """An account, and for what it is; a product or all of a family stand in one choice, since an account is for one."""

    role = forms.ChoiceField(label="What is posted to it", choices=AccountMapEntry.Role.choices)
    account = forms.CharField(label="Account", max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label="Name of the account", max_length=80, required=False)
    sold = forms.ChoiceField(label="For what was sold", required=False)
    country = forms.ChoiceField(label="To customers in", required=False)
    segment = forms.ChoiceField(label="Segment of customers", required=False, choices=[*ALL, *Customer.Segment.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        families = ProductFamily.objects.order_by("name").values_list("pk", "name")
        products = Product.objects.order_by("name").values_list("pk", "name")
        self.fields["sold"].choices = [
            *ALL,
            *((f"{FAMILY}-{pk}", f"All of {name}") for pk, name in families),
            *((f"{PRODUCT}-{pk}", name) for pk, name in products),
        ]
        self.fields["country"].choices = [*ALL, *wording.countries().items()]

    @staticmethod
    def initial_of(entry: AccountMapEntry) -> dict[str, str]:
        sold = ""
        if entry.family_id:
            sold = f"{FAMILY}-{entry.family_id}"
        elif entry.product_id:
            sold = f"{PRODUCT}-{entry.product_id}"
        names = ("role", "account", "name", "country", "segment")
        return {"sold": sold, **{name: getattr(entry, name) for name in names}}

    def fill(self, entry: AccountMapEntry) -> AccountMapEntry:
        """The entry with what was typed."""
        values = dict(self.cleaned_data)
        kind, _, pk = values.pop("sold").partition("-")
        for name, value in values.items():
            setattr(entry, name, value)
        entry.family_id = int(pk) if kind == FAMILY else None
        entry.product_id = int(pk) if kind == PRODUCT else None
        return entry


class DatevForm(forms.Form):
    """What the tax adviser knows of the vendor’s books in DATEV."""

    consultant = forms.IntegerField(
        label="Consultant number", min_value=CONSULTANTS[0], max_value=CONSULTANTS[1], help_text="“Beraternummer”."
    )
    client = forms.IntegerField(
        label="Client number", min_value=CLIENTS[0], max_value=CLIENTS[1], help_text="“Mandantennummer”."
    )
    account_length = forms.TypedChoiceField(
        label="Digits of an account",
        coerce=int,
        choices=[(length, length) for length in range(LENGTHS[0], LENGTHS[1] + 1)],
        help_text="“Sachkontenlänge”; a customer’s account has one more.",
    )
    year_begins = forms.TypedChoiceField(
        label="The fiscal year begins with",
        coerce=int,
        choices=[(month, wording.MONTH_NAMES[month - 1]) for month in range(MONTHS[0], MONTHS[1] + 1)],
    )

    @property
    def settings(self) -> DatevSettings:
        return DatevSettings(**self.cleaned_data)

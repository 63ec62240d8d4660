"""Forms about quotes and orders."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django import forms

from dongles.forms import PlainCharField
from dongles.models import Dongle, Product
from portal.models import Customer
from portal.wording import count, write_day
from renewals import uploads
from renewals.forms.priced_live import PricedLiveForm
from renewals.models import PolicySettings
from renewals.overviews.due import Window
from renewals.queries import Concessions, DongleRequest

PART_MONTH = {"exact": "to the day", "whole": "a month begun as a whole one"}
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class QuoteForm(PricedLiveForm):
    """What a quote for one dongle, or several of its owner's, asks for.

    Read from the address for the preview, posted to draft. Years and date are asked for all of them; licences are added
    to each by itself.
    """

    dongles = forms.MultipleChoiceField(
        label="More dongles in this quote", required=False, widget=forms.CheckboxSelectMultiple
    )
    renew_years = forms.TypedChoiceField(label="Renew for", required=False, coerce=int, empty_value=None)
    align_to = forms.DateField(
        label="Or align to a date",
        required=False,
        widget=DATE,
        help_text="The last valid day of all licences.",
    )
    part_month = forms.ChoiceField(label="A part of a year counts", required=False)
    discount = forms.DecimalField(
        label="Negotiated discount",
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text="Per cent, on every line.",
    )
    free_months = forms.IntegerField(
        label="Free months", required=False, min_value=0, max_value=12, help_text="On top of what is bought."
    )
    waives_upgrades = forms.BooleanField(
        label="Waive upgrades",
        required=False,
        help_text="Missed major releases are not charged.",
    )
    discount_reason = forms.CharField(label="Reason for what is conceded", required=False, max_length=250)
    note = forms.CharField(
        label="Note to the customer",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        *args: object,
        dongle: Dongle,
        others: Sequence[Dongle],
        products: Mapping[int, Sequence[Product]],
        policy: PolicySettings,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dongles"].choices = [
            (other.serial, f"{other.serial}, SMA date {write_day(other.issued_expiry_on)}")
            if other.issued_expiry_on
            else (other.serial, f"{other.serial}, no SMA date")
            for other in others
        ]
        self.fields["renew_years"].choices = [
            ("", "No renewal"),
            *((n, count(n, "year")) for n in range(1, policy.max_years + 1)),
        ]
        self.fields["part_month"].choices = [
            ("", f"as usual: {PART_MONTH[policy.part_month]}"),
            *((way, words) for way, words in PART_MONTH.items() if way != policy.part_month),
        ]
        chosen = set(self["dongles"].value() or ())
        self.ask_for_seats([dongle, *(other for other in others if other.serial in chosen)], products)

    @property
    def asked(self) -> str:
        """What is typed that prices depend on, as the query of an address; what is empty stays out."""
        names = ["dongles", "align_to", "part_month", "discount", "free_months", "waives_upgrades"]
        names += [field.name for field in self.added_fields]
        typed = {name: value for name in names if (value := self[name].value())}
        return urlencode({"renew_years": self["renew_years"].value() or "", **typed}, doseq=True)

    @property
    def has_concessions(self) -> bool:
        """Whether anything is typed about concessions, refused or not."""
        names = ("discount", "free_months", "waives_upgrades", "discount_reason")
        return any(self[name].value() for name in names) or any(self[name].errors for name in names)

    @property
    def requests(self) -> list[DongleRequest]:
        """What is asked for each dongle, as the services take it."""
        values = self.cleaned_data
        return [
            DongleRequest(
                dongle,
                values["renew_years"],
                values["align_to"],
                self.added_to(dongle),
            )
            for dongle in self.chosen
        ]

    @property
    def concessions(self) -> Concessions:
        """What is conceded; the discount as a rate: 12.5 % is 0.125."""
        values = self.cleaned_data
        return Concessions(
            (values["discount"] or Decimal(0)) / 100, values["waives_upgrades"], values["free_months"] or 0
        )


class RecipientsForm(forms.Form):
    """To whom a quote is mailed: contacts on file, all of them unless some are unticked (Q5)."""

    recipients = forms.MultipleChoiceField(
        label="To",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one contact.",
            "invalid_choice": "%(value)s is not on file as a contact.",
        },
    )

    def __init__(self, *args: object, customer: Customer, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        contacts = list(customer.reachable_contacts())
        self.fields["recipients"].choices = [(each.email, f"{each.name}, {each.email}") for each in contacts]
        self.fields["recipients"].initial = [each.email for each in contacts]


class PurchaseOrderFileField(forms.FileField):
    """A purchase order as a file. What it is shows its content, which the service looks at (attach_purchase_order).

    In a form under the name `purchase_order_file`, beside which the service's refusals stand.
    """

    widget = forms.FileInput(attrs={"accept": ",".join(uploads.Kind)})

    def __init__(self, **options: object) -> None:
        words = {"required": "Choose a file.", "empty": "This file is empty."}
        usual = {
            "label": "Purchase order as a file",
            "help_text": f"PDF, PNG or JPEG, {uploads.MOST_BYTES // 1024**2} MB at most.",
            "error_messages": words,
        }
        super().__init__(**{**usual, **options})


class AcceptForm(forms.Form):
    """A purchase order for a sent quote; a customer who pays first may go without its number."""

    purchase_order_number = PlainCharField(
        label="Purchase order number",
        max_length=80,
        error_messages={"required": "Enter the purchase order number."},
    )
    purchase_order_file = PurchaseOrderFileField(required=False)
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


class PurchaseOrderFileForm(forms.Form):
    """A file for an order that is there."""

    purchase_order_file = PurchaseOrderFileField()


class BridgeForm(ReasonForm):
    """Q7: which dongles get a bridging code, through which day, and why."""

    dongle_ids = forms.TypedMultipleChoiceField(
        label="Dongles",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose a dongle at least."},
    )
    until = forms.DateField(
        label="Bridge through", widget=DATE, error_messages={"required": "Say through which day it lasts."}
    )

    field_order = ("dongle_ids", "until", "reason")

    def __init__(self, *args: object, dongles: Sequence[Dongle], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Where the purchase order is, and when it is expected."
        if len(dongles) == 1:
            del self.fields["dongle_ids"]
        else:
            self.fields["dongle_ids"].choices = [(dongle.pk, dongle.serial) for dongle in dongles]


class RequestForm(forms.Form):
    """Who asks for a quote, as told by telephone or in a mail (Q5)."""

    serial = PlainCharField(
        label="Serial number of the dongle", max_length=80, error_messages={"required": "Enter the serial number."}
    )
    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Say who asks."})
    email = forms.EmailField(label="E-mail address", error_messages={"required": "Enter the e-mail address."})
    telephone = forms.CharField(label="Telephone", max_length=40, required=False)
    message = forms.CharField(
        label="What they ask for", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReplacementForm(ReasonForm):
    """Q8: which dongle takes the place, and what happened; a discount where it costs something."""

    serial = PlainCharField(
        label="Serial number of the new dongle",
        max_length=80,
        help_text="As on its label, in any spelling.",
        error_messages={"required": "Enter the serial number."},
    )
    discount = forms.DecimalField(
        label="Negotiated discount",
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text="Per cent.",
    )
    discount_reason = forms.CharField(label="Reason for the discount", required=False, max_length=250)

    field_order = ("serial", "reason", "discount", "discount_reason")

    def __init__(self, *args: object, is_free: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "What happened"
        if is_free:
            del self.fields["discount"], self.fields["discount_reason"]

    def clean_discount(self) -> Decimal:
        return self.cleaned_data["discount"] or Decimal(0)


class CampaignForm(forms.Form):
    """In which days SMAs end that a campaign drafts quotes for, whose, and for how many years."""

    marks_optional = False

    starts_on = forms.DateField(label="SMA ends from", widget=DATE)
    ends_on = forms.DateField(label="through", widget=DATE)
    renew_years = forms.TypedChoiceField(label="Renew for", coerce=int)
    family = forms.ChoiceField(label="Family", required=False)
    country = forms.ChoiceField(label="Country", required=False)
    owner = forms.ChoiceField(label="Owner", required=False)
    currency = forms.ChoiceField(label="Currency", required=False)
    includes_lapsed = forms.BooleanField(label="Those that lapsed within these days too", required=False)

    def __init__(
        self,
        *args: object,
        most_years: int,
        families: Sequence[tuple[int, str]],
        countries: Sequence[tuple[str, str]],
        owners: Sequence[tuple[int, str]],
        currencies: Sequence[str],
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["renew_years"].choices = [(n, count(n, "year")) for n in range(1, most_years + 1)]
        self.fields["family"].choices = [("", "All"), *families]
        self.fields["country"].choices = [("", "All"), *countries]
        self.fields["owner"].choices = [("", "Everybody’s"), *owners]
        self.fields["currency"].choices = [("", "All"), *((code, code) for code in currencies)]

    @property
    def window(self) -> Window:
        """What is looked for."""
        values = self.cleaned_data
        return Window(
            values["starts_on"],
            values["ends_on"],
            values["includes_lapsed"],
            int(values["family"]) if values["family"] else None,
            int(values["owner"]) if values["owner"] else None,
            values["country"],
            values["currency"],
        )


class ScheduleForm(forms.Form):
    """When campaigns begin by themselves."""

    is_on = forms.BooleanField(label="Begin a campaign every month", required=False)
    day_of_month = forms.IntegerField(label="On day", min_value=1, max_value=28, help_text="Of the month, 1 to 28.")
    days_ahead = forms.IntegerField(
        label="For SMAs that end within", min_value=1, max_value=366, help_text="Days from then."
    )
    renew_years = forms.IntegerField(label="Renew for", min_value=1, help_text="Years.")

"""What finance types to credit a concession."""

from django import forms

from dongles.forms import PlainCharField
from portal import wording


class CreditForm(forms.Form):
    """How much of a line is credited, in its currency, and why."""

    amount = PlainCharField(
        label="Amount",
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": "Enter the amount."},
    )
    reason = PlainCharField(label="Reason", max_length=250, error_messages={"required": "Say what the credit is for."})

    def __init__(self, *args: object, currency: str, left: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        most = wording.write_figure(left, currency)
        self.fields["amount"].label = f"Amount, {currency}"
        self.fields["amount"].help_text = f"Net, without tax; {most} at most."

    def clean_amount(self) -> int:
        try:
            return wording.read_amount(self.cleaned_data["amount"], self.currency)
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

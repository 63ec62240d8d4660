"""Forms about exchange rates."""

from datetime import date
from decimal import Decimal

from django import forms

from dongles.forms import PlainCharField
from portal.errors import DomainError
from renewals import rates
from renewals.rates import RateLine
from renewals.services.rates import MOST_LETTERS

MOST_BYTES = 256 * 1024


class SourceField(PlainCharField):
    """Where a rate is from."""

    def __init__(self) -> None:
        super().__init__(
            label="Source",
            max_length=MOST_LETTERS,
            help_text="Who published it, like “ECB, monthly average”.",
            error_messages={"required": "Say where it is from."},
        )


class RateForm(forms.Form):
    """The rate of one currency in one month."""

    month = PlainCharField(
        label="Month",
        max_length=10,
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-03"}),
        error_messages={"required": "Choose a month, like 2026-03."},
    )
    currency = PlainCharField(
        label="Currency",
        max_length=3,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Write a currency’s three letters, like USD."},
    )
    rate = PlainCharField(
        label="Rate",
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": "Enter the rate."},
    )
    source = SourceField()

    def __init__(self, *args: object, reporting_currency: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rate"].help_text = f"{reporting_currency} for one unit of the currency, like 0.9241."

    def clean_month(self) -> date:
        return self._read("month", rates.read_month)

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"].upper()

    def clean_rate(self) -> Decimal:
        return self._read("rate", rates.read_rate)

    def _read(self, field, reading):
        """What was typed; a refusal stands beside its field."""
        try:
            return reading(self.cleaned_data[field])
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from None


class ImportForm(forms.Form):
    """Many rates at once, as a file or pasted."""

    marks_optional = False

    file = forms.FileField(
        label="A file", required=False, help_text="CSV in UTF-8.", widget=forms.FileInput(attrs={"accept": ".csv,.txt"})
    )
    text = forms.CharField(
        label="Or pasted",
        required=False,
        strip=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "pasted-table"}),
        help_text="From a spreadsheet or a file: a month, a currency and a rate on each line.",
    )
    source = SourceField()

    def __init__(self, *args: object, reporting_currency: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._reporting_currency = reporting_currency

    def clean_file(self) -> str:
        """What stands in the file."""
        file = self.cleaned_data["file"]
        if file is None:
            return ""
        if file.size > MOST_BYTES:
            raise forms.ValidationError("The file is larger than 256 KB. Take it in parts.")
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError(
                "This is no CSV in UTF-8. Save it as one, or paste what stands in it."
            ) from None

    def clean(self) -> dict[str, object]:
        cleaned = super().clean()
        typed, in_file = cleaned.get("text", ""), cleaned.get("file", "")
        if self.errors:
            return cleaned
        if bool(typed.strip()) == bool(in_file.strip()):
            self.add_error("text", "Choose a file or paste the rates: one of the two.")
            return cleaned
        try:
            self.lines: list[RateLine] = rates.read_rates(in_file or typed, self._reporting_currency)
        except DomainError as refusal:
            self.add_error("file" if in_file else "text", refusal.message)
        return cleaned

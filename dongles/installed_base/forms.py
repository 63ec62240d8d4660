"""The forms of the import: the file, and which of its columns holds what."""

from collections.abc import Sequence
from functools import cache

from babel.numbers import get_currency_name, get_territory_currencies
from django import forms

from dongles.installed_base.cells import countries
from dongles.installed_base.fields import FIELDS
from dongles.installed_base.heads import FAULT_HEAD
from dongles.installed_base.rows import Choices
from dongles.installed_base.sheets import Table
from dongles.installed_base.values import Odd
from dongles.models import Dongle
from portal.models import Customer

SAMPLES = 3


class FileForm(forms.Form):
    """The file that comes in. Its size and content are judged by the service."""

    file = forms.FileField(
        label="File with your dongles",
        help_text="An Excel workbook (XLSX) or a CSV in UTF-8, at most 32 MB.",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.txt"}),
        error_messages={"required": "Choose a file."},
    )


class ColumnsForm(forms.Form):
    """What each column of the table holds, and what holds where nothing stands."""

    sheet = forms.CharField(widget=forms.HiddenInput, required=False)
    country = forms.ChoiceField(
        label="Country", required=False, help_text="Of customers whose country the file does not say."
    )
    currency = forms.ChoiceField(
        label="Currency", required=False, help_text="Of new customers whose currency the file does not say."
    )
    segment = forms.ChoiceField(label="Segment", choices=Customer.Segment)
    tax_status = forms.ChoiceField(label="Tax status", choices=Customer.TaxStatus)
    kind = forms.ChoiceField(label="Kind of dongle", choices=Dongle.Kind)
    order = forms.ChoiceField(
        label="Dates like 03/04/2026 have",
        required=False,
        choices=[
            ("", "what the other dates in the file show"),
            ("day", "the day first: 3 April"),
            ("month", "the month first: March 4"),
        ],
    )
    shorter = forms.ChoiceField(
        label="Serial numbers with fewer digits than the others",
        choices=[
            ("ask", "have probably lost zeros: do not import them"),
            ("fill", "are filled up with zeros in front"),
            ("keep", "are right as they are"),
        ],
    )

    OTHERS = ("country", "currency", "segment", "tax_status", "kind", "order", "shorter")
    marks_optional = False

    def __init__(self, *args: object, table: Table, choices: Choices, **kwargs: object) -> None:
        initial = {"sheet": table.sheet, **choices._asdict()}
        initial |= {column_name(index): name for name, index in choices.columns.items()}
        super().__init__(*args, initial=initial, **kwargs)
        self._table = table
        self.fields["country"].choices = [("", "is stated in the file"), *countries()]
        self.fields["currency"].choices = [("", "is stated in the file"), *_currencies()]
        for index, head in enumerate(table.heads):
            if head != FAULT_HEAD:
                self.fields[column_name(index)] = forms.ChoiceField(
                    label=head or f"Column {index + 1}",
                    required=False,
                    choices=[("", "not imported"), *((field.name, field.label) for field in FIELDS)],
                )

    @property
    def column_fields(self) -> list[tuple[forms.BoundField, Sequence[str]]]:
        """Each column's field with the first different values that stand in it."""
        return [
            (self[column_name(index)], self._samples(index))
            for index in range(len(self._table.heads))
            if column_name(index) in self.fields
        ]

    def _samples(self, index: int) -> list[str]:
        cells = (line[index] for _, line in self._table.rows)
        shown = (cell.shown if isinstance(cell, Odd) else str(cell) for cell in cells if cell is not None)
        return list(dict.fromkeys(shown))[:SAMPLES]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.OTHERS]

    def clean(self) -> dict[str, object]:
        """Adds `columns`; two columns for one thing are refused beside the second."""
        cleaned = super().clean()
        columns: dict[str, int] = {}
        for index in range(len(self._table.heads)):
            chosen = cleaned.get(column_name(index))
            if not chosen:
                continue
            if chosen in columns:
                first = self._table.heads[columns[chosen]]
                self.add_error(column_name(index), f"“{first}” is chosen for that already: choose one of the two.")
            columns.setdefault(chosen, index)
        return {**cleaned, "columns": columns}

    @property
    def choices(self) -> Choices:
        """What was chosen."""
        others = {name: self.cleaned_data[name] for name in self.OTHERS}
        return Choices(self.cleaned_data["columns"], **others)


def column_name(index: int) -> str:
    return f"column_{index}"


FIRST_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")


@cache
def _currencies() -> list[tuple[str, str]]:
    codes = {code for country, _ in countries() for code in get_territory_currencies(country)}
    ordered = [*FIRST_CURRENCIES, *sorted(codes - set(FIRST_CURRENCIES))]
    return [(code, f"{code}, {get_currency_name(code, locale='en')}") for code in ordered]

"""Form fields for amounts and rates as people write them: “1,200.00” and per cent."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from portal.wording import NOTHING, read_amount, write_figure, write_rate


class AmountField(forms.CharField):
    """An amount in major units of the `currency`, in which it is shown too; its value is in minor units."""

    currency = ""  # none is known yet: then nothing can be read
    price = ""  # which of a product's prices it is, in words

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=24, **options)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "class": "amount"}

    def prepare_value(self, value: Any) -> Any:
        return write_figure(value, self.currency) if isinstance(value, int) and self.currency else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text or not self.currency:
            return None
        try:
            return read_amount(text, self.currency)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def in_words(self, value: Any) -> str:
        return NOTHING if value is None else write_figure(value, self.currency)


class PercentField(forms.DecimalField):
    """A rate, shown and typed as per cent: 12.5 is 0.125."""

    def __init__(self, *, least: int = 0, most: int = 100, decimals: int = 2, **options: Any) -> None:
        super().__init__(min_value=least, max_value=most, decimal_places=decimals, max_digits=9, **options)
        self.widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "rate"})

    def prepare_value(self, value: Any) -> Any:
        return write_percent(value) if isinstance(value, Decimal | int) else value

    def clean(self, value: Any) -> Decimal | None:
        percent = super().clean(value)
        return None if percent is None else percent / 100

    def in_words(self, value: Any) -> str:
        return NOTHING if value is None else write_rate(value)


def write_percent(rate: Decimal | int | str) -> str:
    """0.125 is “12.5”, as one types it."""
    return f"{(Decimal(rate) * 100).normalize():f}"


class RateTable(forms.MultiWidget):
    """One input a row, each after its name; the rows by their keys."""

    def __init__(self, rows: Mapping[str, str], fields: Sequence[PercentField]) -> None:
        self.rows = rows
        super().__init__([field.widget for field in fields])

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        inputs = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        return render_to_string("admin/rate_table.html", {"rows": list(zip(self.rows.values(), inputs, strict=True))})

    def decompress(self, value: Mapping[str, str] | None) -> list[str]:
        return [write_percent(value[key]) if value and key in value else "" for key in self.rows]


class RateTableField(forms.MultiValueField):
    """A table of rates under keys, in rows that stand there by their names; what is left empty has no rate."""

    def __init__(self, *, rows: Mapping[str, str], **options: Any) -> None:
        self.rows = rows
        fields = [PercentField(required=False) for _ in rows]
        super().__init__(fields, widget=RateTable(rows, fields), required=False, require_all_fields=False, **options)

    def compress(self, values: Sequence[Decimal | None]) -> dict[str, str]:
        return {key: f"{rate.normalize():f}" for key, rate in zip(self.rows, values, strict=False) if rate is not None}

    def in_words(self, value: Any) -> str:
        return (
            ", ".join(f"{row}: {write_rate(value[key])}" for key, row in self.rows.items() if key in value) or NOTHING
        )


class Told(forms.Widget):
    """What a field holds in its own words, where nobody can change it any more."""

    read_only = True  # Django's admin then lets the widget write the value

    def __init__(self, in_words: Callable[[Any], str]) -> None:
        super().__init__()
        self.in_words = in_words

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        return self.in_words(value)

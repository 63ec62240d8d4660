"""Fields that take JSON by its types alone, and amounts as decimal strings.

DRF's own fields are lenient: they take "3" for 3, 3 for "3" and "yes" for true. What the schema says would then not be
what the API does.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

from portal.wording import currency_exponent

AMOUNT_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
RATE_PATTERN = r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$"


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class TextField(serializers.CharField):
    """A JSON string; NUL and lone surrogates are refused by DRF."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """True or false, nothing that resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


@extend_schema_field({"type": "string", "pattern": RATE_PATTERN, "example": "0.05"})
class RateField(serializers.Field[Decimal, str, str, Any]):
    """A rate from 0 to 1 as a decimal string of at most four decimals; written out with as many as it has."""

    default_error_messages = {"invalid": "Write a rate from 0 to 1 with at most 4 decimals as a string: “0.05”."}

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not re.fullmatch(RATE_PATTERN.strip("^$"), data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Any) -> str:
        return write_exact_rate(value)


def write_exact_rate(rate: Decimal | Fraction | str) -> str:
    """A rate as a plain decimal: "0.1" for 1/10 or 0.1000."""
    fraction = Fraction(rate)
    written = Decimal(fraction.numerator) / Decimal(fraction.denominator)
    return f"{written.normalize():f}"


def write_exact_amount(amount: int, currency: str) -> str:
    """An amount in minor units as a decimal string with exactly the currency's digits: 120000 in EUR is "1200.00"."""
    return f"{Decimal(amount).scaleb(-currency_exponent(currency)):f}"


@extend_schema_field({"type": "string", "pattern": AMOUNT_PATTERN, "example": "1200.00"})
class AmountField(serializers.Field[tuple[int, str], Any, str, Any]):
    """An amount in minor units, written in the currency found at `currency`, a dotted path, else in the context's."""

    def __init__(self, *, currency: str = "", **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.currency_path = currency.split(".") if currency else []

    def get_attribute(self, instance: Any) -> Any:
        path = self.currency_path
        currency = get_attribute(instance, path) if path else self.context["currency"]
        return super().get_attribute(instance), currency

    def to_representation(self, value: tuple[int, str]) -> str:
        return write_exact_amount(*value)


class RequestSerializer(serializers.Serializer[Any]):
    """What a request's body may hold; a key that it does not know is refused, as a slip would else go unnoticed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({key: ["There is no such field."] for key in sorted(unknown)})
        return super().to_internal_value(data)

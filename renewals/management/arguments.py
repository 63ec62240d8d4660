"""What the commands read from their arguments, and how they end when something is refused or malformed.

A refusal (`Refused`, exit status 1) comes from the rules; malformed is what cannot be (`MalformedArgument`, status 2).
Both print their sentence and stable code on standard error.
"""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from portal.errors import DomainError
from renewals.forms.finance import read_month
from renewals.pricing import AddedLicence

MOST_SEATS = 65535
RATE_DECIMALS = 4  # as many as a quote keeps


class Refused(CommandError):
    """The rules say no: exit status 1."""

    def __init__(self, refusal: DomainError) -> None:
        super().__init__(str(refusal), returncode=1)
        self.code = refusal.code


class MalformedArgument(CommandError):
    """An argument that cannot be: exit status 2."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} ({code})", returncode=2)
        self.code = code


def read_day(text: str, option: str) -> date:
    """A date as 2026-08-24 (`malformed_date`)."""
    try:
        if len(text) != len("2026-08-24"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise MalformedArgument("malformed_date", f"{option} takes a date like 2026-08-24, not “{text}”.") from None


def read_month_argument(text: str) -> date:
    """A month as 2026-08, by its first day (`malformed_month`)."""
    try:
        return read_month(text)
    except ValidationError as error:
        raise MalformedArgument("malformed_month", error.messages[0]) from None


def read_added(text: str) -> AddedLicence:
    """PRODUCT or PRODUCT:SEATS (`malformed_seats`, `seats_out_of_range`)."""
    product, separator, seats = text.partition(":")
    if not separator:
        return AddedLicence(product.upper(), 1)
    try:
        number = int(seats)
    except ValueError:
        raise MalformedArgument(
            "malformed_seats", f"--add takes PRODUCT or PRODUCT:SEATS, like VOL-QNT:5, not “{text}”."
        ) from None
    if not 1 <= number <= MOST_SEATS:
        raise MalformedArgument("seats_out_of_range", f"A licence has 1 to {MOST_SEATS:,} seats, not {number}.")
    return AddedLicence(product.upper(), number)


def read_rate(text: str, option: str) -> Decimal:
    """A rate between 0 and 1 with at most four decimals (`malformed_rate`, `discount_out_of_range`)."""
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not rate.is_finite() or rate != round(rate, RATE_DECIMALS):
        raise MalformedArgument(
            "malformed_rate", f"{option} takes a rate like 0.05 with at most {RATE_DECIMALS} decimals, not “{text}”."
        )
    if not 0 <= rate <= 1:
        raise MalformedArgument("discount_out_of_range", f"{option} lies between 0 and 1, so {text} is none.")
    return rate

"""How mails write dates and amounts: as the customer's documents do. {{ version.total|money_by:wording }}."""

from datetime import date
from decimal import Decimal

from django import template

from portal.wording import NOTHING
from renewals.documents import Wording

register = template.Library()


@register.filter
def day_by(value: date | None, wording: Wording) -> str:
    """A date; a dash for none."""
    return NOTHING if value is None else wording.day(value)


@register.filter
def money_by(amount: int, wording: Wording) -> str:
    """An amount in minor units with its currency."""
    return wording.money(amount)


@register.filter
def rate_by(rate: Decimal, wording: Wording) -> str:
    """A rate as per cent."""
    return wording.rate(rate)

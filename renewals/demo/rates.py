"""Invented exchange rates for the demo, so that its reports can be converted."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.conf import settings

from portal.audit import Actor
from portal.models import User
from renewals.calendar import following
from renewals.demo.activity import opening_of
from renewals.rates import RateLine
from renewals.services.rates import import_rates

IN_EUROS = {"EUR": Decimal(1), "USD": Decimal("0.92"), "GBP": Decimal("1.16"), "JPY": Decimal("0.0061")}
SWINGS = (0, 3, 5, 2, -1, -4, -2)  # thousandths, month after month


def enter_rates(on: date, months: int, finance: User) -> None:
    """Enter a rate for every currency and month of so many up to the day's; none into a currency not invented here."""
    reporting = IN_EUROS.get(settings.REPORTING_CURRENCY)
    if reporting is not None:
        lines = list(_lines(on, months, reporting))
        import_rates(lines=lines, source="Invented for the demo", actor=Actor.of(finance), at=opening_of(on))


def _lines(on: date, months: int, reporting: Decimal) -> Iterator[RateLine]:
    for back in range(months, -1, -1):
        month = following(on.replace(day=1), -back)
        for place, (currency, worth) in enumerate(IN_EUROS.items()):
            if currency != settings.REPORTING_CURRENCY:
                swing = 1 + Decimal(SWINGS[(back + 3 * place) % len(SWINGS)]) / 1000
                yield RateLine(0, month, currency, (worth / reporting * swing).quantize(Decimal("0.000001")))

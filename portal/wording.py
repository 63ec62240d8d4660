"""How the portal writes amounts, dates and spans for people, and reads amounts. Pure: it knows no today."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

from babel import Locale
from babel.numbers import format_currency, format_decimal

LOCALE = "en_GB"
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOTHING = "–"
AMOUNT = re.compile(r"([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]+))?")
# What CLDR names beside the countries of ISO 3166-1: parts of them, unions, and codes to try things with.
NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])


@cache
def countries() -> dict[str, str]:
    """The English names of the countries by their codes (ISO 3166-1 alpha-2), in the order of the names."""
    names = Locale.parse(LOCALE).territories.items()
    found = [(code, name) for code, name in names if len(code) == 2 and code not in NO_COUNTRIES]
    return dict(sorted(found, key=lambda each: each[1]))


def country_name(code: str) -> str:
    """The English name of a country, or its code."""
    return countries().get(code, code)


@cache
def currency_exponent(currency: str) -> int:
    """The number of decimals of a currency's minor unit by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD."""
    from iso4217 import Currency  # it reads a large XML file on import: only where amounts are written

    exponent = Currency(currency).exponent
    if exponent is None:
        raise ValueError(f"{currency} has no minor unit.")
    return int(exponent)


def write_money(amount: int, currency: str) -> str:
    """An amount in minor units with its currency: 123456 in EUR is “€1,234.56”."""
    return _written(amount, currency, "¤")


def write_figure(amount: int, currency: str) -> str:
    """An amount in minor units without the currency, for a table that names it in its head: “1,234.56”."""
    return _written(amount, currency, "")


def _written(amount: int, currency: str, symbol: str) -> str:
    exponent = currency_exponent(currency)
    pattern = symbol + "#,##0" + ("." + "0" * exponent if exponent else "")
    value = Decimal(amount).scaleb(-exponent)
    if symbol:
        text = format_currency(value, currency, format=pattern, locale=LOCALE, currency_digits=False)
    else:
        text = format_decimal(value, format=pattern, locale=LOCALE)
    return text.replace("-", "−")


def read_amount(text: str, currency: str) -> int:
    """An amount as `write_figure` writes it, in minor units: “1,200.00” in EUR is 120000. Spaces don't matter.

    ValueError says what is wrong: no such amount, or one finer than the currency's minor unit.
    """
    exponent = currency_exponent(currency)
    found = AMOUNT.fullmatch("".join(text.split()))
    if found is None:
        raise ValueError(f"Write an amount like {write_figure(1200 * 10**exponent, currency)}.")
    whole, part = found.group(1).replace(",", ""), found.group(2) or ""
    if len(part) > exponent:
        decimals = count(exponent, "decimal") if exponent else "no decimals"
        raise ValueError(f"{currency} has {decimals}: {found.group()} is finer than its minor unit.")
    return int(whole + part.ljust(exponent, "0"))


def write_rate(rate: Decimal | Fraction | Sequence[int] | str) -> str:
    """A rate as per cent, exact as far as four decimals go: 0.05 is “5%”, 0.125 “12.5%”, 1/3 “33.3333%”."""
    fraction = Fraction(*rate) if isinstance(rate, list | tuple) else Fraction(rate)  # type: ignore[arg-type]  # no list
    ten_thousandths = round(fraction * 1_000_000)
    return (
        format_decimal(Decimal(ten_thousandths).scaleb(-4), format="#,##0.####", locale=LOCALE).replace("-", "−") + "%"
    )


def write_day(day: date) -> str:
    """A date with the month's name, read alike everywhere: “24 Aug 2026”."""
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def write_month(month: date) -> str:
    """A month, by any of its days: “Aug 2026”."""
    return f"{MONTH_NAMES[month.month - 1]} {month.year}"


def write_number(number: int) -> str:
    """A count: “12,345”."""
    return str(format_decimal(number, locale=LOCALE)).replace("-", "−")


def write_share(share: Fraction) -> str:
    """A share of figures, rounded for reading: 7/8 is “87.5%”."""
    return _hundredths(share) + "%"


def write_points(difference: Fraction) -> str:
    """A share less another, in percentage points: 87.5% after 89.8% is “−2.3 pp”."""
    return _hundredths(difference) + " pp"


def _hundredths(share: Fraction) -> str:
    tenths = round(share * 1000)
    return str(format_decimal(Decimal(tenths).scaleb(-1), format="#,##0.0", locale=LOCALE)).replace("-", "−")


def write_months(months: Sequence[int]) -> str:
    """A length [m, d, L] of rule D2 in words: “8 months and 5 days”; a dash for [0, 0, 0]."""
    whole, days, _ = months
    parts = [count(number, noun) for number, noun in ((whole, "month"), (days, "day")) if number]
    return " and ".join(parts) or NOTHING


def write_distance(day: date, today: date) -> str:
    """How far a day is from today: “today”, “in 5 days”, “3 months ago”, “in 2 years”; whole units, rounded down."""
    days = (day - today).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1]
    first, last = min(day, today), max(day, today)
    months = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    if months >= 24:
        length = count(months // 12, "year")
    elif months >= 2:
        length = count(months, "month")
    else:
        length = count(abs(days), "day")
    return f"in {length}" if days > 0 else f"{length} ago"


def write_expiry(ends_on: date, today: date) -> str:
    """A last valid day in words: “expired 3 months ago, 24 May 2026”, “expires today, 24 Aug 2026”."""
    verb = "expired" if ends_on < today else "expires"
    return f"{verb} {write_distance(ends_on, today)}, {write_day(ends_on)}"


def write_validity(ends_on: date, today: date) -> str:
    """A last valid day in customers' words: “valid until 14 Sep 2027, for 9 months more”, “ended 3 months ago, on
    24 Aug 2026”."""
    day, distance = write_day(ends_on), write_distance(ends_on, today)
    if ends_on < today:
        return f"ended {distance}, on {day}"
    if ends_on == today:
        return f"valid until today, {day}"
    if distance == "tomorrow":
        return f"valid until tomorrow, {day}"
    return f"valid until {day}, for {distance.removeprefix('in ')} more"


def count(number: int, noun: str) -> str:
    """“1 month”, “2 months”."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def write_duration(seconds: float) -> str:
    """A length of time as people say it: “a few seconds”, “40 seconds”, “3 minutes”, “2 hours”; rounded."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return count(round(seconds / 10) * 10, "second")
    if seconds < 55 * 60:
        return count(max(round(seconds / 60), 1), "minute")
    return count(max(round(seconds / 3600), 1), "hour")

"""Exchange rates of months: how they are read, and how amounts are converted. Pure: integers, decimals, no clock."""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from portal.errors import DomainError
from portal.wording import currency_exponent, write_month
from renewals import calendar
from renewals.pricing.rounding import round_half_up

WHOLE_DIGITS, DECIMALS = 6, 10
RATE = re.compile(rf"[0-9]{{1,{WHOLE_DIGITS}}}(?:\.[0-9]{{1,{DECIMALS}}})?")
HEADS = ("month", "currency", "rate")
SEPARATORS = "\t;,"
MOST_LINES = 2000
FAULTS_SAID = 10


class RateLine(NamedTuple):
    """A rate as a file has it, and where: lines count from 1."""

    line: int
    month: date
    currency: str
    rate: Decimal


class Fault(NamedTuple):
    """What is wrong in a line, as a sentence."""

    line: int
    sentence: str


def read_month(text: str) -> date:
    """The first day of the month that is written as 2026-03; `rate_month_malformed`."""
    try:
        return calendar.read_month(text)
    except ValueError as error:
        raise DomainError("rate_month_malformed", str(error), {"field": "month"}) from None


def read_rate(text: str) -> Decimal:
    """A rate above 0, with a point before its decimals; `rate_out_of_range`."""
    text = text.strip()
    if RATE.fullmatch(text) is None or not Decimal(text):
        raise DomainError(
            "rate_out_of_range",
            f"“{text[:40]}” is no rate. Write a number above 0 like 1.0812: at most {WHOLE_DIGITS} digits before the"
            f" point and {DECIMALS} after it, and no commas.",
            {"field": "rate"},
        )
    return Decimal(text)


def check_currency(currency: str) -> None:
    """Refuse (`currency_unknown`) what is no currency of ISO 4217 with a minor unit."""
    try:
        currency_exponent(currency)
    except ValueError:
        raise DomainError(
            "currency_unknown",
            f"“{currency}” is no currency with a minor unit by ISO 4217. Write a code like EUR, USD or JPY.",
            {"field": "currency"},
        ) from None


def check_has_rates(currency: str, reporting_currency: str) -> None:
    """Refuse what has no rate: `currency_unknown`, or the reporting currency (`rate_of_reporting_currency`)."""
    check_currency(currency)
    if currency == reporting_currency:
        raise DomainError(
            "rate_of_reporting_currency",
            f"{currency} is the reporting currency itself: it needs no rate.",
            {"field": "currency"},
        )


def read_rates(text: str, reporting_currency: str) -> list[RateLine]:
    """The rates of a table with a month, a currency and a rate a line, its heads (if any) in this order.

    Columns are separated by commas, semicolons or tabs. Refuses the whole (`rates_unreadable`) with every line that is
    wrong, or that gives a month's rate of a currency once more.
    """
    lines = _cells(text)
    found, faults = [], []
    if len(lines) > MOST_LINES:
        faults.append(Fault(MOST_LINES + 1, f"There are more than {MOST_LINES:,} lines. Take them in parts."))
        lines = []
    for number, cells in lines:
        try:
            found.append(_read_line(number, cells, reporting_currency))
        except DomainError as refusal:
            faults.append(Fault(number, refusal.message))
    faults += _doubles(found)
    if not found and not faults:
        faults = [Fault(1, "There are no rates in it.")]
    check_faults(faults)
    return found


def check_faults(faults: Collection[Fault]) -> None:
    """Refuse (`rates_unreadable`) what has faults, saying the first of them; all are in the data."""
    if not faults:
        return
    in_order = sorted(faults)
    sentences = [f"Line {fault.line}: {fault.sentence}" for fault in in_order[:FAULTS_SAID]]
    if len(in_order) > FAULTS_SAID:
        sentences.append(f"And {len(in_order) - FAULTS_SAID} more.")
    raise DomainError(
        "rates_unreadable",
        " ".join(["Nothing was taken over.", *sentences]),
        {"field": "text", "lines": [fault._asdict() for fault in in_order]},
    )


def _cells(text: str) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers, without the heads."""
    plain = text.removeprefix("\ufeff")
    first = next((line for line in plain.splitlines() if line.strip()), "")
    separator = next((each for each in SEPARATORS if each in first), ",")
    # Line by line: a quotation mark that is never closed then spoils its own line alone.
    rows = [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])])
        for number, line in enumerate(plain.splitlines(), 1)
        if line.strip(f" {SEPARATORS}")
    ]
    if rows and tuple(cell.lower() for cell in rows[0][1]) == HEADS:
        return rows[1:]
    return rows


def _read_line(number: int, cells: Sequence[str], reporting_currency: str) -> RateLine:
    if len(cells) != len(HEADS):
        raise DomainError(
            "rates_unreadable",
            f"A line has a month, a currency and a rate, like 2026-03,USD,0.9241; here are {len(cells)} columns.",
        )
    month, currency, rate = cells
    read = read_month(month)
    check_has_rates(currency, reporting_currency)
    return RateLine(number, read, currency, read_rate(rate))


def _doubles(lines: Sequence[RateLine]) -> Iterator[Fault]:
    first: dict[tuple[date, str], int] = {}
    for each in lines:
        key = (each.month, each.currency)
        if key in first:
            yield Fault(
                each.line,
                f"The rate of {each.currency} in {write_month(each.month)} stands in line {first[key]} already.",
            )
        first.setdefault(key, each.line)


def factor_of(currency: str, rate: Decimal, reporting_currency: str) -> Fraction:
    """What one minor unit of a currency is worth in minor units of the other: the rate is of whole units."""
    return Fraction(rate) * Fraction(10) ** (currency_exponent(reporting_currency) - currency_exponent(currency))


def convert(amount: int, currency: str, rate: Decimal, reporting_currency: str) -> int:
    """F5: an amount in minor units of one currency in those of the other, half away from zero.

    `rate` is what one unit of the currency is worth in units of the reporting currency. The database's
    `convert_amount` does the same.
    """
    factor = factor_of(currency, rate, reporting_currency)
    return round_half_up(amount * factor.numerator, factor.denominator)

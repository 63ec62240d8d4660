"""Scenarios: a dongle, its prices and a request as one JSON document, and the price of it as another. Pure.

RULEBOOK, Scenarios. What cannot be is `Malformed`, with the place where it stands: `dongle.licences[0].seats`.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from dongles.coverage import LicenceCoverage, Period, Release
from portal.errors import DomainError
from portal.wording import currency_exponent
from renewals.pricing.engine import price_dongle
from renewals.pricing.terms import AddedLicence, Line, Policy, Price, PricedDongle, PriceList, Request

T = TypeVar("T")

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DECIMAL = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,27}))?")
LAST_YEAR = 9000  # beyond it a term of a few years would leave the calendar
MOST_SEATS, MOST_GRACE_DAYS, MOST_MONTHS, MOST_YEARS = 65535, 90, 1200, 100


class Malformed(ValueError):
    """A document that cannot be: what is wrong, and where."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)


class Scenario(NamedTuple):
    """What `price_dongle` takes."""

    policy: Policy
    prices: PriceList
    licences: tuple[LicenceCoverage, ...]
    releases: tuple[Release, ...]
    request: Request


def price_text(text: str | bytes) -> dict[str, Any]:
    """The result for one line: the price, `{"refused": code}`, or `{"error": what and where}`."""
    try:
        scenario = read_scenario(load(text))
    except Malformed as error:
        return {"error": str(error)}
    try:
        return write_result(price_dongle(*scenario))
    except DomainError as refusal:
        return {"refused": refusal.code}


def load(text: str | bytes) -> Any:
    """The document in a line of JSON (UTF-8); keys that stand twice and numbers that are none are `Malformed`."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("", f"not a line of JSON: {error}") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        raise Malformed("", f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return values


def _no_number(text: str) -> Any:
    raise Malformed("", f"{text} is no number")


class Node(NamedTuple):
    """A value of the document with its place."""

    value: Any
    where: str

    def at(self, key: str) -> "Node":
        """The value under a key that must be there."""
        values = self.mapping()
        if key not in values:
            raise Malformed(f"{self.where}.{key}".lstrip("."), "is missing")
        return Node(values[key], f"{self.where}.{key}".lstrip("."))

    def optional(self, key: str, read: Callable[["Node"], T], otherwise: T) -> T:
        """What is read under the key; absent and null are alike."""
        return otherwise if self.mapping().get(key) is None else read(self.at(key))

    def mapping(self) -> Mapping[str, Any]:
        if not isinstance(self.value, dict):
            raise Malformed(self.where, "is not an object")
        return self.value

    def items(self) -> list[tuple[str, "Node"]]:
        return [(key, self.at(key)) for key in self.mapping()]

    def each(self) -> list["Node"]:
        if not isinstance(self.value, list):
            raise Malformed(self.where, "is not a list")
        return [Node(value, f"{self.where}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise Malformed(self.where, "is not a string")
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise Malformed(self.where, "is neither true nor false")
        return self.value

    def number(self, least: int, most: int) -> int:
        """A whole number within bounds; a truth value is none."""
        number = self.value
        if type(number) is not int:
            raise Malformed(self.where, "is not a whole number")
        if not least <= number <= most:
            raise Malformed(self.where, f"is outside {least} to {most}")
        return number

    def day(self) -> date:
        text = self.text()
        try:
            if not DAY.fullmatch(text):
                raise ValueError
            day = date.fromisoformat(text)
        except ValueError:
            raise Malformed(self.where, f"{text!r} is not a date like 2026-02-01") from None
        if day.year > LAST_YEAR:
            raise Malformed(self.where, f"{text} is too far ahead")
        return day

    def one_of(self, *known: str) -> str:
        if self.text() not in known:
            raise Malformed(self.where, f"{self.value!r} is not one of {', '.join(known)}")
        return self.text()

    def rate(self, most: int | None = 1) -> Fraction:
        """A decimal string from 0 to 1, or from 0 on."""
        if not DECIMAL.fullmatch(self.text()):
            raise Malformed(self.where, f"{self.value!r} is not a rate like 0.05")
        rate = Fraction(self.text())
        if most is not None and rate > most:
            raise Malformed(self.where, f"{self.value} is outside 0 to {most}")
        return rate

    def amount(self, exponent: int) -> int:
        """A decimal string, not finer than the currency's minor unit; in minor units."""
        found = DECIMAL.fullmatch(self.text())
        if not found:
            raise Malformed(self.where, f"{self.value!r} is not an amount like 1200.00")
        whole, part = found.group(1), found.group(2) or ""
        if len(part) > exponent:
            raise Malformed(self.where, f"{self.value} is finer than the currency's minor unit")
        return int(whole + part.ljust(exponent, "0"))


def read_scenario(document: Any) -> Scenario:
    """The scenario in a document; `Malformed` says what cannot be and where."""
    node = Node(document, "")
    currency = node.at("currency")
    try:
        exponent = currency_exponent(currency.text())
    except ValueError:
        raise Malformed(currency.where, f"{currency.value!r} is not an ISO 4217 currency with a minor unit") from None
    prices = {
        product: Price(*(price.at(key).amount(exponent) for key in ("licence", "sma_year", "upgrade")))
        for product, price in node.at("prices").items()
    }
    dongle = node.at("dongle")
    dongle.at("serial").text()
    licences = tuple(_licence(licence) for licence in dongle.at("licences").each())
    releases = tuple(_release(release) for release in node.at("releases").each())
    request = _request(node.at("request"))
    for index, licence in enumerate(licences):
        if request.on < licence.acquired_on:
            raise Malformed("request.on", f"is before dongle.licences[{index}] was acquired")
    return Scenario(_policy(node.at("policy")), PriceList(currency.text(), prices), licences, releases, request)


def _policy(node: Node) -> Policy:
    cap = node.at("upgrade_cap")
    discounts = {}
    for years, rate in node.at("multi_year_discount").items():
        if not re.fullmatch(r"[1-9][0-9]{0,2}", years):
            raise Malformed(rate.where, "is not under a number of years")
        discounts[int(years)] = rate.rate()
    return Policy(
        part_month=node.at("part_month").one_of("exact", "whole"),
        missed_majors=node.at("missed_majors").one_of("once", "each"),
        upgrade_includes_months=node.at("upgrade_includes_months").number(0, MOST_MONTHS),
        upgrade_cap=None if cap.value is None else cap.rate(most=None),
        multi_year_discount=discounts,
        max_years=node.at("max_years").number(0, MOST_YEARS),
        align_min_months=node.at("align_min_months").number(0, MOST_MONTHS),
        back_pay=node.at("back_pay").truth(),
        reinstatement_fee=node.at("reinstatement_fee").rate(),
        grace_days=node.at("grace_days").number(0, MOST_GRACE_DAYS),
    )


def _licence(node: Node) -> LicenceCoverage:
    acquired_on = node.at("acquired_on").day()
    periods = []
    for period in node.at("sma_periods").each():
        days = period.each()
        if len(days) != 2:
            raise Malformed(period.where, "is not a pair of dates")
        starts_on, ends_on = days[0].day(), days[1].day()
        if ends_on < starts_on:
            raise Malformed(period.where, "ends before it starts")
        if starts_on < acquired_on:
            raise Malformed(period.where, "starts before the licence was acquired")
        periods.append(Period(starts_on, ends_on))
    in_order = sorted(periods)
    for earlier, later in pairwise(in_order):
        if later.starts_on <= earlier.ends_on:
            raise Malformed(f"{node.where}.sma_periods", "has periods that overlap")
    return LicenceCoverage(
        product=node.at("product").text(),
        family=node.at("family").text(),
        seats=node.at("seats").number(1, MOST_SEATS),
        acquired_on=acquired_on,
        periods=tuple(periods),
    )


def _release(node: Node) -> Release:
    return Release(
        node.at("family").text(), node.at("version").text(), node.at("build_date").day(), node.at("major").truth()
    )


def _request(node: Node) -> Request:
    return Request(
        on=node.at("on").day(),
        renew_years=node.optional("renew_years", lambda years: years.number(-(10**9), 10**9), None),
        align_to=node.optional("align_to", Node.day, None),
        added=node.optional("add", lambda added: tuple(map(_added, added.each())), ()),
        discount=node.optional("discount", Node.rate, Fraction(0)),
        tax_rate=node.optional("tax_rate", Node.rate, Fraction(0)),
    )


def _added(node: Node) -> AddedLicence:
    return AddedLicence(node.at("product").text(), node.at("seats").number(1, MOST_SEATS))


def write_result(priced: PricedDongle) -> dict[str, Any]:
    """The price as a JSON document: amounts as decimal strings, dates as ISO days."""
    exponent = currency_exponent(priced.currency)
    return {
        "currency": priced.currency,
        "on": priced.on.isoformat(),
        "covered_through": priced.covered_through.isoformat(),
        "paid_through": priced.paid_through and priced.paid_through.isoformat(),
        "lines": [write_line(line, exponent) for line in priced.lines],
        "missed_majors": {
            str(index): [release.version for release in missed] for index, missed in priced.missed_majors.items()
        },
        "net": write_amount(priced.net, exponent),
        "tax": write_amount(priced.tax, exponent),
        "total": write_amount(priced.total, exponent),
    }


def write_line(line: Line, exponent: int) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "licence": line.licence,
        "product": line.product,
        "seats": line.seats,
        "starts_on": line.starts_on and line.starts_on.isoformat(),
        "ends_on": line.ends_on and line.ends_on.isoformat(),
        "months": list(line.months),
        "list": write_amount(line.list, exponent),
        "discounts": [
            {
                "reason": discount.reason,
                "rate": write_rate(discount.rate),
                "amount": write_amount(discount.amount, exponent),
            }
            for discount in line.discounts
        ],
        "net": write_amount(line.net, exponent),
        "rules": list(line.rules),
    }


def write_amount(amount: int, exponent: int) -> str:
    """An amount in minor units as a decimal string with all the currency's digits: “1200.00”, “1200”."""
    digits = str(abs(amount)).rjust(exponent + 1, "0")
    text = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits
    return f"-{text}" if amount < 0 else text


def write_rate(rate: Fraction) -> str:
    """A rate as the shortest decimal string."""
    return f"{(Decimal(rate.numerator) / Decimal(rate.denominator)).normalize():f}"

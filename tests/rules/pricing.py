"""Hands for the tests of pricing: a price list that a person can calculate with, and short spellings."""

from datetime import date
from fractions import Fraction

from dongles.coverage import LicenceCoverage, Period, Release
from renewals.pricing import AddedLicence, Policy, Price, PriceList, Request
from renewals.pricing.engine import price_dongle

D = date.fromisoformat
PRICES = {
    "VOL-VIS": Price(600_000, 120_000, 240_000),
    "VOL-QNT": Price(450_000, 90_000, 180_000),
    "OPL-FUL": Price(750_000, 150_000, 300_000),
}
EUR = PriceList("EUR", PRICES)
PLAIN = Policy(upgrade_cap=None)


def licence(end: str | None = "2026-03-31", product: str = "VOL-VIS", seats: int = 1) -> LicenceCoverage:
    """A licence acquired on 1 Jan 2020 and covered from then through the given day."""
    periods = (Period(D("2020-01-01"), D(end)),) if end else ()
    family = "Openlab" if product.startswith("OPL") else "Volocity"
    return LicenceCoverage(product, family, seats, D("2020-01-01"), periods)


def major(version: str, build_on: str) -> Release:
    return Release("Volocity", version, D(build_on), True)


def priced(
    licences, on, years=None, *, releases=(), policy=PLAIN, prices=EUR, add=(), align_to=None, discount=0, tax=0
):
    added = tuple(AddedLicence(*each) for each in add)
    align = D(align_to) if align_to else None
    request = Request(D(on), years, align, added, Fraction(discount), Fraction(tax))
    return price_dongle(policy, prices, licences, releases, request)


def lines(result):
    """Each line as (kind, licence, first day, last day, net)."""
    return [
        (line.kind, line.licence, str(line.starts_on or ""), str(line.ends_on or ""), line.net) for line in result.lines
    ]

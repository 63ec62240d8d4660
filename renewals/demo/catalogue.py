"""What the demo's vendor sells: products, ten years of releases, price lists, policy settings and tax rates.

The families are those of the SMA FAQ; versions, dates and prices are invented. Releases are placed by their distance
from the day for which the demo is built, so that what a dongle has missed stays as its situation says.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Model

from dongles.models import Product, ProductFamily, Release
from dongles.terms import term_end
from portal.models import Customer
from renewals.models import PolicySettings, PriceList, PriceListEntry, TaxRate

VOLOCITY, OPENLAB = "Volocity", "Openlab"


class DemoProduct(NamedTuple):
    """A product with this year's commercial prices in whole euros."""

    number: int
    code: str
    name: str
    family: str
    licence: int
    sma_year: int
    upgrade: int


PRODUCTS = (
    DemoProduct(101, "VOL-VIS", "Volocity Visualisation", VOLOCITY, 6000, 1200, 2400),
    DemoProduct(102, "VOL-QNT", "Volocity Quantitation", VOLOCITY, 4500, 900, 1800),
    DemoProduct(103, "VOL-RST", "Volocity Restoration", VOLOCITY, 5250, 1050, 2100),
    DemoProduct(104, "VOL-ACQ", "Volocity Acquisition", VOLOCITY, 6750, 1350, 2700),
    DemoProduct(201, "OPL-FUL", "Openlab Full", OPENLAB, 7500, 1500, 3000),
    DemoProduct(202, "OPL-DRK", "Openlab Darkroom", OPENLAB, 3000, 600, 1200),
)

# Per currency: how many of its minor units an amount in euros comes to, and what prices are rounded to.
CURRENCIES = {"EUR": (100, 10_00), "USD": (110, 10_00), "GBP": (86, 10_00), "JPY": (165, 1_000)}
ACADEMIC_SHARE = Decimal("0.6")
SHARE_OF_NEXT_YEARS = Decimal("0.96")  # a year's prices, of those of the year after
YEARS = (-3, -2, -1, 0)  # that have prices, from this one

# Months before the demo's day, oldest first, of each family's major releases; the oldest lie ten years back.
FIRST_MAJOR = {VOLOCITY: 3, OPENLAB: 4}
MAJORS = {VOLOCITY: (120, 100, 78, 54, 31, 9), OPENLAB: (118, 84, 51, 20)}
MONTHS_BETWEEN_MINORS = 5
MONTHS_TO_THE_NEXT_MAJOR = 2
NOTES = {True: "Invented for the demo: a major release.", False: "Invented for the demo: corrections."}

TAX_RATES = {
    "GB": "0.20", "IE": "0.23", "DE": "0.19", "AT": "0.20", "FR": "0.20", "NL": "0.21", "BE": "0.21", "IT": "0.22",
    "ES": "0.21", "FI": "0.255", "JP": "0.10", "US": "0", "CH": "0.081",
}  # fmt: skip


def months_from(on: date, months: int) -> date:
    """The same day so many months later (earlier if negative), or the first day after where there is none."""
    return term_end(on, months) + timedelta(days=1)


def insert_catalogue(on: date) -> list[Model]:
    """Write the catalogue as it is on that day, with the price lists of the years before. What was written."""
    families = {
        VOLOCITY: ProductFamily.objects.create(name=VOLOCITY, support_policy="latest_version"),
        OPENLAB: ProductFamily.objects.create(name=OPENLAB, support_policy="sma_required"),
    }
    products = Product.objects.bulk_create(
        Product(number=each.number, code=each.code, name=each.name, family=families[each.family]) for each in PRODUCTS
    )
    releases = Release.objects.bulk_create(
        release for family in families.values() for release in releases_of(family, on)
    )
    price_lists = _insert_prices({product.code: product for product in products}, on)
    policies = _insert_policies(on)
    rates = TaxRate.objects.bulk_create(
        TaxRate(country=country, tax_status=status, rate=Decimal(rate), valid_from=_first_of_year(on, YEARS[0]))
        for country, standard in TAX_RATES.items()
        for status, rate in (("standard", standard), ("reverse_charge", "0"), ("exempt", "0"))
    )
    return [*families.values(), *products, *releases, *price_lists, *policies, *rates]


def releases_of(family: ProductFamily, on: date) -> Iterator[Release]:
    """The family's releases, unsaved: majors with their minors, and the next major, which is not published yet."""
    majors = MAJORS[family.name]
    for index, months in enumerate(majors):
        number = FIRST_MAJOR[family.name] + index
        until = majors[index + 1] if index + 1 < len(majors) else 0
        yield _release(family, f"{number}.0", months_from(on, -months), is_major=True)
        for minor, before in enumerate(range(months - MONTHS_BETWEEN_MINORS, until, -MONTHS_BETWEEN_MINORS), 1):
            yield _release(family, f"{number}.{minor}", months_from(on, -before), is_major=False)
    upcoming = _release(
        family,
        f"{FIRST_MAJOR[family.name] + len(majors)}.0",
        months_from(on, MONTHS_TO_THE_NEXT_MAJOR),
        is_major=True,
    )
    upcoming.is_published = False
    yield upcoming


def _release(family: ProductFamily, version: str, build_on: date, *, is_major: bool) -> Release:
    return Release(
        family=family, version=version, build_on=build_on, is_major=is_major, is_published=True, notes=NOTES[is_major]
    )


def list_price(euros: int, currency: str, segment: str, years_ago: int) -> int:
    """A price in minor units of the currency, rounded to what prices are rounded to in it."""
    per_euro, unit = CURRENCIES[currency]
    amount = Decimal(euros * per_euro)
    if segment == Customer.Segment.ACADEMIC:
        amount *= ACADEMIC_SHARE
    amount *= SHARE_OF_NEXT_YEARS**years_ago
    return int((amount / unit).to_integral_value()) * unit


def _insert_prices(products: dict[str, Product], on: date) -> list[PriceList]:
    price_lists = []
    for year in YEARS:
        valid_from = _first_of_year(on, year)
        for currency in CURRENCIES:
            for segment in Customer.Segment:
                price_list = PriceList.objects.create(
                    name=f"{segment.label} {currency} {valid_from.year}",
                    currency=currency,
                    segment=segment,
                    valid_from=valid_from,
                )
                PriceListEntry.objects.bulk_create(
                    PriceListEntry(
                        price_list=price_list,
                        product=products[each.code],
                        licence=list_price(each.licence, currency, segment, -year),
                        sma_year=list_price(each.sma_year, currency, segment, -year),
                        upgrade=list_price(each.upgrade, currency, segment, -year),
                    )
                    for each in PRODUCTS
                )
                price_lists.append(price_list)
    return price_lists


def _insert_policies(on: date) -> list[PolicySettings]:
    limits = {"sales": "0.10", "administrator": "0.40"}
    return PolicySettings.objects.bulk_create(
        [
            PolicySettings(
                valid_from=_first_of_year(on, YEARS[0]), multi_year_discount={"3": "0.05"}, discount_limits=limits
            ),
            PolicySettings(
                valid_from=_first_of_year(on, 0),
                multi_year_discount={"3": "0.05", "5": "0.10"},
                discount_limits=limits,
            ),
        ]
    )


def _first_of_year(on: date, years: int) -> date:
    return date(on.year + years, 1, 1)

"""A small vendor for tests: two families, a price list a person can calculate with, a customer and a dongle."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from time import time as time_now
from zoneinfo import ZoneInfo

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth.hashers import make_password
from django.test import Client

from dongles.downloads import add_release_file
from dongles.models import Dongle, Licence, Product, ProductFamily, Release, ReleaseFile, SmaPeriod
from portal.audit import Actor
from portal.models import Contact, Customer, User
from renewals.models import PolicySettings, PriceList, PriceListEntry, TaxRate
from renewals.queries import Concessions, DongleRequest
from renewals.services import orders, quotes

DAY_ONE = date(2020, 1, 1)
FACTOR_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of every test user's authenticator app
# Whole euros in cents: licence, SMA year, upgrade.
PRICES = {
    "VOL-VIS": (600_000, 120_000, 240_000),
    "VOL-QNT": (450_000, 90_000, 180_000),
    "OPL-FUL": (750_000, 150_000, 300_000),
}


def at(day: date | str, hour: int = 12) -> datetime:
    """A moment of that day in the business time zone; of today none to come, or what is posted then is not due."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    moment = datetime.combine(day, time(hour), ZoneInfo("Europe/London"))
    now = datetime.now(moment.tzinfo)
    return min(moment, now) if day == now.date() else moment


def year_from(day: date) -> date:
    """The last day of a year that begins on that day (D1): 29 Feb 2028 + 12 months → 28 Feb 2029."""
    if (day.month, day.day) == (2, 29):
        return date(day.year + 1, 2, 28)
    return day.replace(year=day.year + 1) - timedelta(days=1)


def make_catalogue(**policy: object) -> None:
    """Families, products, a EUR price list, policy settings and German tax, all from 1 Jan 2020."""
    volocity, openlab = ProductFamily.objects.bulk_create(
        [
            ProductFamily(name="Volocity", support_policy="latest_version"),
            ProductFamily(name="Openlab", support_policy="sma_required"),
        ]
    )
    made = Product.objects.bulk_create(
        [
            Product(number=101, code="VOL-VIS", name="Volocity Visualisation", family=volocity),
            Product(number=102, code="VOL-QNT", name="Volocity Quantitation", family=volocity),
            Product(number=201, code="OPL-FUL", name="Openlab Full", family=openlab),
            Product(number=103, code="VOL-NEW", name="Volocity without a price", family=volocity),
        ]
    )
    products = {product.code: product for product in made}
    price_list = PriceList.objects.create(name="EUR 2020", currency="EUR", segment="commercial", valid_from=DAY_ONE)
    PriceListEntry.objects.bulk_create(
        PriceListEntry(price_list=price_list, product=products[code], licence=licence, sma_year=year, upgrade=upgrade)
        for code, (licence, year, upgrade) in PRICES.items()
    )
    policy.setdefault("discount_limits", {"sales": "0.10", "administrator": "1"})
    PolicySettings.objects.create(valid_from=DAY_ONE, **policy)
    TaxRate.objects.create(country="DE", tax_status="standard", rate=Decimal("0.19"), valid_from=DAY_ONE)


def make_customer(name: str = "Institute of Cells", **fields: object) -> Customer:
    fields = {"country": "DE", "currency": "EUR", **fields}
    customer = Customer.objects.create(name=name, **fields)
    Contact.objects.create(customer=customer, name="Ada Lenz", email=f"ada{customer.pk}@cells.example")
    return customer


def make_dongle(
    serial: str = "104233",
    customer: Customer | None = None,
    licences: Iterable[tuple[str, str | None]] = (("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-03-31")),
    **fields: object,
) -> Dongle:
    """A dongle whose licences, acquired on 1 Jan 2020, are each covered from then through the given day."""
    licences = list(licences)
    ends = [date.fromisoformat(end) for _, end in licences if end]
    fields = {"issued_expiry_on": max(ends, default=None), "confirmed_expiry_on": max(ends, default=None), **fields}
    dongle = Dongle.objects.create(serial=serial, customer=customer or make_customer(), **fields)
    products = {product.code: product for product in Product.objects.filter(code__in=[code for code, _ in licences])}
    carried = Licence.objects.bulk_create(
        Licence(dongle=dongle, product=products[code], acquired_on=DAY_ONE, seats=1) for code, _ in licences
    )
    SmaPeriod.objects.bulk_create(
        SmaPeriod(licence=licence, starts_on=DAY_ONE, ends_on=date.fromisoformat(end), source="record")
        for licence, (_, end) in zip(carried, licences, strict=True)
        if end
    )
    return dongle


def make_release(version: str, build_on: str, *, is_major: bool = True, family: str = "Volocity") -> Release:
    return Release.objects.create(
        family=ProductFamily.objects.get(name=family),
        version=version,
        build_on=date.fromisoformat(build_on),
        is_major=is_major,
        is_published=True,
    )


@cache
def hash_of_password() -> str:
    """Of every test user's password, once a process: Argon2 is slow by design."""
    return make_password("a long test password")


def make_release_file(release: Release, platform: str = "Windows", content: bytes = b"a build") -> ReleaseFile:
    """A release's file for a platform, on the shelf; made for this release alone."""
    content += f" {release.pk}".encode()
    about = {"platform": platform, "name": f"setup {release.version}.zip", "actor": SALES, "at": at("2026-01-01")}
    return add_release_file(release=release, content=BytesIO(content), **about)


def make_user(
    role: str = "sales", email: str | None = None, *, has_second_factor: bool = True, **fields: object
) -> User:
    """A user; staff have the authenticator app with FACTOR_SECRET unless they are to have none."""
    email = email or f"{role}@vendor.example"
    user = User.objects.create(
        email=email.lower(), password=hash_of_password(), role=role, name=role.capitalize(), **fields
    )
    if has_second_factor and role != "customer":
        TOTP.activate(user, FACTOR_SECRET)
    return user


def code_now(steps_ahead: int = 0) -> str:
    """The code that every test user's authenticator app shows now, or after as many steps of 30 seconds."""
    counter = int(time_now()) // 30 + steps_ahead
    return format_hotp_value(hotp_value(FACTOR_SECRET, counter))


def log_in(client: Client, user: User) -> None:
    """Log the user in as after password and second factor."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time_now()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


SALES = Actor("Sales", None, "system")


def draft(dongle: Dongle, on: str, **asked: object):
    """A draft for one dongle made on that day; renewal for a year unless asked otherwise."""
    names = ("discount_reason", "part_month", "note", "revises", "newest_known", "answers", "actor")
    given = {key: asked.pop(key) for key in names if key in asked}
    conceded = {key: asked.pop(key) for key in Concessions._fields if key in asked}
    request = DongleRequest(dongle, **(asked or {"renew_years": 1}))
    given = {"actor": SALES, "concessions": Concessions(**conceded), **given}
    return quotes.draft_quote(customer=dongle.customer, requests=[request], at=at(on), **given)


def send(dongle: Dongle, on: str, **asked: object):
    """A quote sent on that day."""
    return quotes.send_quote(version=draft(dongle, on, **asked), actor=SALES, at=at(on))


def accept(version, on: str, **fields: object):
    """The order of a sent version, placed on that day."""
    fields = {"purchase_order_number": "PO-77", "accepted_by": "Ada Lenz", "actor": SALES, **fields}
    return orders.accept_quote(version=version, at=at(on), **fields)


def sell(dongle: Dongle, on: str, **asked: object):
    """Draft, send and accept on one day."""
    return accept(send(dongle, on, **asked), on)

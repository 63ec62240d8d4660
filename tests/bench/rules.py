"""The rules and the code, in this process: CPU a quote, and signatures against the bare ones."""

import time
from collections.abc import Iterator
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dongles.coverage import LicenceCoverage, Period
from dongles.unlock import UnlockRecord, message_of, sign, to_letters
from renewals.pricing import Policy, Price, PriceList, Request
from renewals.pricing.engine import price_dongle
from tests.bench.measuring import Figure, paired_medians, repeated

PRICES = {
    "VOL-VIS": (600_000, 120_000, 240_000),
    "VOL-QNT": (450_000, 90_000, 180_000),
    "OPL": (750_000, 150_000, 300_000),
}


def measure() -> Iterator[Figure]:
    yield from _pricing()
    yield from _signing()


def _pricing() -> Iterator[Figure]:
    prices = PriceList("EUR", {code: Price(*amounts) for code, amounts in PRICES.items()})
    periods = (Period(date(2020, 1, 1), date(2026, 3, 31)),)
    three = [LicenceCoverage(code, "Volocity", 1, date(2020, 1, 1), periods) for code in PRICES]
    policy, request = Policy(), Request(date(2026, 2, 1), renew_years=1)

    def priced(licences: list[LicenceCoverage]) -> None:
        price_dongle(policy, prices, licences, (), request)

    whole, bare = paired_medians(
        repeated(lambda: priced(three), 300), repeated(_bare_arithmetic, 300), rounds=21, clock=time.process_time
    )
    yield Figure("Pricing a three-licence renewal, CPU", whole / 300 * 1e6, "µs", most=60)
    yield Figure("Pricing against the bare sums", whole / 300 * 1e6, "µs", bare / 300 * 1e6)
    ten_times, once = paired_medians(
        repeated(lambda: priced(three * 10), 30),
        repeated(lambda: priced(three), 30),
        rounds=21,
        clock=time.process_time,
    )
    yield Figure(
        "Pricing thirty licences against ten times three", ten_times / 30 * 1e6, "µs", once / 3 * 1e6, most=1.3
    )


def _bare_arithmetic() -> int:
    """What the sums alone take: three prices by seats, months, discount and tax, each rounded half up."""
    net = 0
    for _, (_, annual, _) in PRICES.items():
        for months, days, of in ((12, 0, 1), (8, 5, 31)):
            amount = (2 * annual * (months * of + days) + 12 * of) // (24 * of)
            off = (2 * amount * 5 + 100) // 200
            net += amount - off
    return net + (2 * net * 19 + 100) // 200


def _signing() -> Iterator[Figure]:
    key = Ed25519PrivateKey.generate()
    record = UnlockRecord("104233", 0, 0, 1, date(2027, 3, 31), date(2026, 2, 1), ((101, 1), (102, 1), (201, 5)))
    message = message_of(record)
    code, bare = paired_medians(
        repeated(lambda: sign(record, key), 300), repeated(lambda: key.sign(message), 300), rounds=21
    )
    yield Figure("Signing a code", 300 / code, "codes/s", 300 / bare, least=0.7)
    letters, bare = paired_medians(
        repeated(lambda: to_letters(sign(record, key)), 300), repeated(lambda: key.sign(message), 300), rounds=21
    )
    yield Figure("Signing a code and writing its letters", 300 / letters, "codes/s", 300 / bare, least=0.7)

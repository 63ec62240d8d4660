"""The demo's dongles without a situation of their own: as many as asked for, spread as a vendor's dongles are."""

import random
from collections.abc import Iterator
from datetime import date

from renewals.demo.catalogue import months_from
from renewals.demo.customers import WITHOUT_CONTACTS
from renewals.demo.situations import DONGLE, KEY, ONE_DAY, SERVER, SITUATIONS, DemoDongle, licences

# How the dongles without a situation of their own stand: weight, then months from the demo's day, earliest and latest.
STANDINGS = ((46, 3, 12), (12, 13, 38), (10, 0, 3), (14, -8, -1), (10, -30, -9), (8, -80, -31))
PRODUCT_SETS = (
    ("VOL-VIS",),
    ("VOL-VIS", "VOL-QNT"),
    ("VOL-VIS", "VOL-QNT", "VOL-RST"),
    ("VOL-ACQ",),
    ("VOL-VIS", "VOL-ACQ"),
    ("OPL-FUL",),
    ("OPL-FUL", "OPL-DRK"),
)
FIRST_FURTHER_SERIAL = 110_000


def demo_dongles(on: date, count: int, customers: int) -> Iterator[DemoDongle]:
    """So many dongles, one by one: those of the situations first; the first ones are the same whatever the count."""
    for situation in SITUATIONS[:count]:
        yield situation.dongle(on)
    chance = random.Random(2000)  # noqa: S311 - to be repeatable, not secret
    weights = [weight for weight, _, _ in STANDINGS]
    for number in range(count - len(SITUATIONS)):
        _, earliest, latest = chance.choices(STANDINGS, weights)[0]
        through = months_from(on, chance.randint(earliest, latest)) - chance.randint(0, 20) * ONE_DAY
        products, years = chance.choice(PRODUCT_SETS), chance.randint(1, 5)
        is_server, is_ragged, is_key = (chance.random() < share for share in (0.08, 0.05, 0.1))
        seats = chance.choice((5, 10, 25)) if is_server else 1
        carried = licences(*products, through=through, years=years, seats=seats)
        if is_ragged and len(products) > 1:
            carried = (*carried[:-1], *licences(products[-1], through=through - 100 * ONE_DAY, years=1))
        yield DemoDongle(
            serial=str(FIRST_FURTHER_SERIAL + 7 * number),
            customer=_customer(chance.randrange(customers - 1)),
            licences=carried,
            kind=SERVER if is_server else KEY if is_key else DONGLE,
        )


def _customer(number: int) -> int:
    """One of the customers but the one without contacts."""
    return number if number < WITHOUT_CONTACTS else number + 1

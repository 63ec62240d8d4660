"""The demo's dongles to know: one in every situation of the rulebook under a serial of its own.

Everything is placed by its distance from the day for which the demo is built, and the same for the same day.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from dongles.coverage import Period
from dongles.models import Dongle
from dongles.terms import term_end
from renewals.demo.catalogue import months_from
from renewals.demo.customers import WITHOUT_CONTACTS

ONE_DAY = timedelta(days=1)
DONGLE, KEY, SERVER = Dongle.Kind.DONGLE, Dongle.Kind.KEY, Dongle.Kind.LICENCE_SERVER


class DemoLicence(NamedTuple):
    """A licence to be put on a demo dongle, with the SMA periods on record."""

    product: str
    seats: int
    acquired_on: date
    periods: tuple[Period, ...]
    withdrawn_on: date | None = None


class DemoDongle(NamedTuple):
    """A dongle to be written; `customer` counts the demo's customers."""

    serial: str
    customer: int | None
    licences: tuple[DemoLicence, ...]
    kind: str = DONGLE
    state: str = Dongle.State.ACTIVE

    @property
    def expiry_on(self) -> date | None:
        """The SMA expiry date that it holds: of the licence covered longest; none if none ever was covered."""
        return max((period.ends_on for each in self.licences for period in each.periods), default=None)


class Situation(NamedTuple):
    """A serial to know: what is the matter with its dongle, and what to try with it."""

    serial: str
    title: str
    suggestion: str
    licences: Callable[[date], tuple[DemoLicence, ...]]
    customer: int | None = 0
    kind: str = DONGLE
    state: str = Dongle.State.ACTIVE

    def dongle(self, on: date) -> DemoDongle:
        return DemoDongle(self.serial, self.customer, self.licences(on), self.kind, self.state)


def yearly_periods(ends_on: date, years: int) -> tuple[Period, ...]:
    """So many SMA periods of a year, back to back, the last of which ends on that day."""
    after = ends_on + ONE_DAY
    return tuple(
        Period(months_from(after, -12 * (year + 1)), term_end(after, -12 * year)) for year in reversed(range(years))
    )


def licences(*products: str, through: date, years: int = 3, seats: int = 1) -> tuple[DemoLicence, ...]:
    """Licences acquired so many years before the day through which they have been covered ever since."""
    periods = yearly_periods(through, years)
    return tuple(DemoLicence(product, seats, periods[0].starts_on, periods) for product in products)


def end_of_month(on: date) -> date:
    return months_from(on.replace(day=1), 1) - ONE_DAY


def _came_back(on: date) -> tuple[DemoLicence, ...]:
    """Covered, then a gap of fourteen months, then covered again."""
    through = months_from(on, 5)
    before = yearly_periods(months_from(on, -21), 2)
    return (DemoLicence("OPL-FUL", 1, before[0].starts_on, before + yearly_periods(through, 1)),)


def _never_covered(on: date) -> tuple[DemoLicence, ...]:
    return (DemoLicence("OPL-DRK", 1, months_from(on, -10), ()),)


def _one_withdrawn(on: date) -> tuple[DemoLicence, ...]:
    kept, gone = licences("VOL-VIS", "VOL-RST", through=months_from(on, 4))
    return kept, gone._replace(withdrawn_on=months_from(on, -2))


def _server(on: date) -> tuple[DemoLicence, ...]:
    through = months_from(on, 2)
    return (
        *licences("VOL-VIS", through=through, years=4, seats=25),
        *licences("VOL-QNT", through=through, years=4, seats=10),
        *licences("OPL-FUL", through=through, years=2, seats=15),
    )


def _of(*products: str, months: int, years: int = 3, seats: int = 1) -> Callable[[date], tuple[DemoLicence, ...]]:
    """Licences covered through the day so many months from the demo's day."""
    return lambda on: licences(*products, through=months_from(on, months), years=years, seats=seats)


SITUATIONS = (
    Situation(
        "104233",
        "Three licences, due in three weeks",
        "The plain renewal: quote 1 year, then 3 years for the multi-year discount.",
        lambda on: licences("VOL-VIS", "VOL-QNT", "VOL-RST", through=on + 21 * ONE_DAY),
    ),
    Situation(
        "104301",
        "Valid for eight months more",
        "Add a licence: the old ones buy what they lack to the new date.",
        _of("VOL-VIS", "VOL-QNT", months=8),
        1,
    ),
    Situation(
        "104302",
        "Paid three years ahead",
        "Add a licence: the new one buys the years that the others have.",
        _of("VOL-VIS", "VOL-ACQ", months=40, years=6),
        2,
    ),
    Situation(
        "104303",
        "Expires at the end of this month",
        "Align it to a budget year: --align-to.",
        lambda on: licences("OPL-FUL", "OPL-DRK", through=end_of_month(on)),
        3,
    ),
    Situation(
        "104304",
        "Expires today: the last valid day",
        "Quote today and with --on tomorrow: back to back, or from the day of the order.",
        lambda on: licences("VOL-VIS", through=on),
        4,
    ),
    Situation(
        "104305",
        "Lapsed yesterday, no major missed",
        "The SMA starts on the day of the order; the gap costs nothing.",
        lambda on: licences("VOL-VIS", "VOL-QNT", through=on - ONE_DAY),
        5,
    ),
    Situation(
        "104306",
        "Lapsed three months ago, no major missed",
        "No upgrade is due; compare the builds that run before and after.",
        _of("VOL-VIS", "VOL-RST", months=-3),
        6,
    ),
    Situation(
        "104307",
        "Lapsed a year ago, one major missed",
        "An upgrade is due, which includes twelve months.",
        _of("VOL-VIS", "VOL-QNT", months=-12),
        7,
    ),
    Situation(
        "104308",
        "Lapsed five years ago, several majors missed",
        "One upgrade for all that was missed.",
        _of("VOL-VIS", months=-60, years=2),
        29,
    ),
    Situation(
        "104309",
        "Openlab, lapsed over a major: no support",
        "Renew 1 year: support is back with the upgrade.",
        _of("OPL-FUL", months=-26),
        9,
    ),
    Situation(
        "104310",
        "Ragged: valid through different days",
        "Any quote brings both licences to one day.",
        lambda on: (
            *licences("VOL-VIS", through=months_from(on, 7)),
            *licences("VOL-QNT", through=months_from(on, 3), years=1),
        ),
        29,
    ),
    Situation(
        "104311",
        "Ragged: one valid, one lapsed over a major",
        "One licence renews, the other needs an upgrade.",
        lambda on: (
            *licences("VOL-ACQ", through=months_from(on, 4)),
            *licences("VOL-RST", through=months_from(on, -11), years=1),
        ),
        11,
    ),
    Situation(
        "104312",
        "Licence server: 50 seats, both families",
        "Every licence is priced by its seats; any family can be added.",
        _server,
        12,
        SERVER,
    ),
    Situation("104313", "A key with one licence", "As a dongle.", _of("VOL-ACQ", months=6), 13, KEY),
    Situation(
        "104314",
        "Lost",
        "Nothing can be sold for it before it is found again or replaced: try both.",
        _of("VOL-VIS", months=5),
        29,
        state=Dongle.State.LOST,
    ),
    Situation(
        "104315",
        "Retired",
        "Nothing can be sold for it: dongle_not_active.",
        _of("OPL-FUL", months=-30),
        16,
        state=Dongle.State.RETIRED,
    ),
    Situation("104316", "Empty: no licences", "Renewing is refused; adding a licence works.", lambda on: (), 17),
    Situation(
        "104317",
        "No owner on record",
        "It can't be quoted before it has one.",
        _of("VOL-VIS", months=2),
        None,
    ),
    Situation(
        "104318",
        "Its customer pays before fulfilment",
        "The accepted order waits until finance records the payment.",
        _of("VOL-VIS", "VOL-QNT", months=1),
        14,
    ),
    Situation(
        "104319", "A licence that never had an SMA", "It counts as lapsed since it was acquired.", _never_covered, 18
    ),
    Situation("104320", "One licence was withdrawn", "It is neither priced nor programmed.", _one_withdrawn, 19),
    Situation("104321", "Came back after a gap", "Its timeline shows the gap.", _came_back, 20),
    Situation(
        "104322",
        "Priced in yen, without decimals",
        "Add a licence: part months round to whole yen.",
        _of("VOL-VIS", "VOL-QNT", months=7),
        26,
    ),
    Situation(
        "104323",
        "Its customer has nobody to write to",
        "A draft can't be sent: no_contact.",
        _of("VOL-VIS", months=1),
        WITHOUT_CONTACTS,
    ),
    # Those below have quotes and orders (activity.py); their licences here are what they had before.
    Situation(
        "104401",
        "Renewed in time, code confirmed",
        "Look at its order and revenue.",
        _of("VOL-VIS", "VOL-QNT", months=-4),
        22,
    ),
    Situation("104402", "Came back with an upgrade", "Look at the upgrade's revenue.", _of("VOL-VIS", months=-16), 23),
    Situation(
        "104403", "A licence was added", "All its licences end on one day.", _of("VOL-VIS", "VOL-QNT", months=3), 28
    ),
    Situation(
        "104404", "Renewed, code not confirmed yet", "Enter the receipt of the code.", _of("OPL-FUL", months=0), 29
    ),
    Situation(
        "104405",
        "Renewed, then cancelled",
        "Its date went back; revenue was taken back.",
        _of("VOL-ACQ", months=-5),
        30,
    ),
    Situation(
        "104406", "Ordered, waiting for the payment", "Finance records the payment.", _of("VOL-VIS", months=1), 24
    ),
    Situation(
        "104407",
        "Its quote is sent",
        "Accept it with a purchase order number.",
        _of("VOL-VIS", "VOL-RST", months=1),
        29,
    ),
    Situation("104408", "Its quote has expired", "Make a new version.", _of("OPL-FUL", "OPL-DRK", months=1), 33),
    Situation("104409", "Its quote was declined", "Make a new version with a discount.", _of("VOL-QNT", months=1), 34),
    Situation(
        "104410",
        "Its quote needs an approval",
        "Log in as lead@vendor.example and approve it.",
        _of("VOL-VIS", months=2),
        35,
    ),
    Situation("104411", "Its quote is a draft", "Send it.", _of("VOL-VIS", "VOL-QNT", months=1), 36),
    Situation(
        "104412", "Its quote has a second version", "Only the newest can be accepted.", _of("OPL-DRK", months=2), 37
    ),
    Situation(
        "104413", "Renewed after the payment", "Look at its order: fulfilled by finance.", _of("VOL-QNT", months=-1), 32
    ),
    Situation(
        "104414",
        "Bridged until its order comes",
        "Record its purchase order: the SMA runs on from the old date.",
        _of("VOL-VIS", months=0),
        38,
    ),
    Situation(
        "104415",
        "Broken, handed back and replaced",
        "Look where its licences went.",
        _of("VOL-VIS", "VOL-QNT", months=9),
        27,
    ),
    Situation("104416", "Took the place of 104415", "Renew it like any other.", lambda on: (), 27),
)


def situations() -> tuple[Situation, ...]:
    """The serials to know, in the order in which they are worth trying."""
    return SITUATIONS

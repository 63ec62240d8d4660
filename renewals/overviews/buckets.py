"""The buckets of the pipeline: what each is called and what is in it. The words for what renewals.overviews.pipeline
counts, in one place; whatever shows a figure of the pipeline prints the definition beside it (rule F5).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from portal.wording import count, write_day

DEFINITIONS = 1  # the version of the definitions below; a change of what is counted makes a new one

DUE_WITHIN = (30, 60, 90)
WON_BACK_WITHIN = 365

CONSIDERED = (
    "Considered are dongles that have an owner and carry a licence. A dongle has lapsed when all its licences have"
    " (C4); it lapsed on the last day on which any of them was covered. In the pipeline are those that have lapsed,"
    " those whose SMA ends within 90 days, and those won back; each is in one bucket: the first that fits of lost,"
    " lapsed over a major release, lapsed, due, won back."
)
VALUE = (
    "The value of a dongle is a year of SMA for all its licences: the SMA year of today’s price list for the customer’s"
    " currency and segment, times the seats, before discounts and tax. It has none where that list lacks a product."
)


class Days(NamedTuple):
    """The days between which buckets change, as of `today`; `grace_days` as of C4."""

    today: date
    grace_days: int

    @property
    def lapsed_before(self) -> date:
        """C4: whoever was covered through an earlier day has lapsed."""
        return self.today - timedelta(days=self.grace_days)

    @property
    def due(self) -> tuple[date, ...]:
        """The last day of each of the buckets of what is due."""
        return tuple(self.today + timedelta(days=days) for days in DUE_WITHIN)

    @property
    def year_ago(self) -> date:
        """The same day a year ago, 28 Feb for 29 Feb: who was covered through it or less has lapsed for a year."""
        day = 28 if (self.today.month, self.today.day) == (2, 29) else self.today.day
        return self.today.replace(year=self.today.year - 1, day=day)

    @property
    def won_back_since(self) -> date:
        """The first day on which coverage that began anew counts as won back."""
        return self.today - timedelta(days=WON_BACK_WITHIN)


class Bucket(NamedTuple):
    """A bucket: its key in addresses and files, its name, and who is in it."""

    key: str
    name: str
    definition: str


NAMES = {
    "due_30": "Due in 30 days",
    "due_60": "Due in 60 days",
    "due_90": "Due in 90 days",
    "lapsed": "Lapsed less than a year",
    "lapsed_over_major": "Lapsed over a major release",
    "won_back": "Won back",
    "lost": "Lost",
}
DUE = ("due_30", "due_60", "due_90")


def buckets(days: Days) -> Sequence[Bucket]:
    """All buckets in the order in which they are shown, with their definitions as of the day."""
    month, two, three = days.due
    definitions = {
        "due_30": f"The SMA ends from today to {write_day(month)}{_grace(days)}.",
        "due_60": f"The SMA ends from {_after(month)} to {write_day(two)}.",
        "due_90": f"The SMA ends from {_after(two)} to {write_day(three)}.",
        "lapsed": f"Lapsed after {write_day(days.year_ago)}; none of its licences has missed a major release.",
        "lapsed_over_major": "Lapsed, however long ago; one of its licences at least has missed a published major"
        " release (C5), so that coming back takes an upgrade.",
        "won_back": f"A licence is covered today after a gap of a day or more that ended on"
        f" {write_day(days.won_back_since)} or later, and the SMA ends after {write_day(three)}.",
        "lost": "The dongle is lost or retired; or it has lapsed, and the newest quote sent for it was declined after"
        f" that; or it lapsed on {write_day(days.year_ago)} or earlier and has missed no major release.",
    }
    return [Bucket(key, name, definitions[key]) for key, name in NAMES.items()]


def _after(day: date) -> str:
    return write_day(day + timedelta(days=1))


def _grace(days: Days) -> str:
    if not days.grace_days:
        return ""
    return f", or ended at most {count(days.grace_days, 'day')} ago, within the days of grace"

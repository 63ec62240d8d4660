"""What a month of the ledger comes to, and the digest by which it is known again (F1). Pure.

The digest is the SHA-256 of a text in UTF-8, each line of which ends with a line feed:

    month 2026-02 version 1
    17 EUR 297000 0 7595 0
    …

After the head a line for each segment that has any effect in the month, by ascending id: its id, currency, and what of
it is booked, credited, recognised and caught up, in minor units.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from renewals.calendar import following, last_day
from renewals.recognition import ONE_DAY, Segment, recognised_through

DIGEST_VERSION = 1
FLOWS = ("booked", "credited", "recognised", "caught_up")


class InMonth(NamedTuple):
    """What segments are in a month as reported, in minor units: opening + booked + credited − recognised − caught up =
    closing, of which `current` will be earned in the twelve months after."""

    booked: int
    credited: int
    recognised: int
    caught_up: int
    opening: int
    closing: int
    current: int

    @property
    def flows(self) -> tuple[int, int, int, int]:
        return self[:4]


NOTHING = InMonth(0, 0, 0, 0, 0, 0, 0)


class Place(NamedTuple):
    """What amounts are told apart by."""

    product_id: int
    country: str
    customer_segment: str
    currency: str


def in_month(segment: Segment, booked_month: date, is_sale: bool, month: date) -> InMonth:
    """F1, F2: a segment in a month as reported. Before the month in which it was booked it is nothing."""
    if month < booked_month:
        return NOTHING
    is_new = month == booked_month
    before = recognised_through(segment, month - ONE_DAY)
    by_end = recognised_through(segment, last_day(month))
    in_a_year = recognised_through(segment, last_day(following(month, 12)))
    return InMonth(
        booked=segment.amount if is_new and is_sale else 0,
        credited=segment.amount if is_new and not is_sale else 0,
        recognised=by_end - before,
        caught_up=before if is_new else 0,
        opening=0 if is_new else segment.amount - before,
        closing=segment.amount - by_end,
        current=in_a_year - by_end,
    )


class MonthSums:
    """What all segments of a month come to, added up one after the other by ascending id; flat memory.

    `segments` counts those that have an effect in the month.
    """

    def __init__(self, month: date) -> None:
        self.month = month
        self.segments = 0
        self.last_segment_id = 0
        self.places: dict[Place, InMonth] = {}
        self._digest = hashlib.sha256(f"month {month:%Y-%m} version {DIGEST_VERSION}\n".encode())

    def add(self, segment_id: int, place: Place, amounts: InMonth) -> None:
        assert segment_id > self.last_segment_id, "segments come by ascending id"
        self.last_segment_id = segment_id
        held = self.places.get(place)
        self.places[place] = amounts if held is None else InMonth(*map(int.__add__, held, amounts))
        booked, credited, recognised, caught_up = amounts[:4]
        if booked or credited or recognised or caught_up:
            self.segments += 1
            line = f"{segment_id} {place.currency} {booked} {credited} {recognised} {caught_up}\n"
            self._digest.update(line.encode())

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def totals(self) -> dict[str, InMonth]:
        return totals_of(self.places)


def totals_of(places: Mapping[Place, InMonth]) -> dict[str, InMonth]:
    """The sums of each currency."""
    totals: dict[str, InMonth] = {}
    for place in sorted(places, key=lambda each: each.currency):
        held = totals.get(place.currency, NOTHING)
        totals[place.currency] = InMonth(*map(int.__add__, held, places[place]))
    return totals

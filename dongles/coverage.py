"""What a licence's SMA periods cover, and what a dongle therefore may run (rules C1–C5). Pure.

Every read takes the day it is asked for; nothing here knows what day it is.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple


class Period(NamedTuple):
    """An SMA period, both days included."""

    starts_on: date
    ends_on: date


class LicenceCoverage(NamedTuple):
    """A licence on a dongle as the rules see it: product and family by their names, its periods in any order."""

    product: str
    family: str
    seats: int
    acquired_on: date
    periods: tuple[Period, ...]


class Release(NamedTuple):
    """A published release."""

    family: str
    version: str
    build_on: date
    is_major: bool


def is_valid_on(periods: Iterable[Period], day: date) -> bool:
    """C1: whether one of the periods contains the day."""
    return any(starts_on <= day <= ends_on for starts_on, ends_on in periods)


def runs(build_on: date, expires_on: date) -> bool:
    """C2, the run rule: a build of that date runs on a dongle with that SMA expiry date. The same day runs."""
    return build_on <= expires_on


def least_covered_on(licences: Iterable[LicenceCoverage]) -> date | None:
    """C3: the last covered day of the least covered licence, beyond which the dongle's date is never moved."""
    return min(map(covered_through, licences), default=None)


def covered_through(licence: LicenceCoverage) -> date:
    """C4: C(l), the last day of the latest-ending period, or the day of acquisition if there is none."""
    return max((period.ends_on for period in licence.periods), default=licence.acquired_on)


def date_to_restate(licences: Sequence[LicenceCoverage], stood: date | None) -> date:
    """The date of a code that says again what is right for these licences (C3; after a cancellation Q6, on the dongle
    that takes another's place Q8).

    It is the last day of the least covered licence. On a ragged dongle it is not less than the date that stood, as far
    as any licence is covered: that had been paid.
    """
    ends = [covered_through(licence) for licence in licences]
    return min(ends) if stood is None else max(min(ends), min(stood, max(ends)))


def is_lapsed(covered_through_on: date, on: date, grace_days: int) -> bool:
    """C4: whether a licence covered through that day is lapsed on the day asked for, grace days included."""
    return covered_through_on + timedelta(days=grace_days) < on


def paid_through(licences: Iterable[LicenceCoverage], on: date, grace_days: int) -> date | None:
    """C4: E, the latest C(l) of the licences that are not lapsed; none if all are."""
    ends = map(covered_through, licences)
    return max((end for end in ends if not is_lapsed(end, on, grace_days)), default=None)


def missed_majors(
    licence: LicenceCoverage, releases: Iterable[Release], on: date, grace_days: int
) -> tuple[Release, ...]:
    """C5: the major releases of its family that a lapsed licence missed, C(l) < build date ≤ day, in that order."""
    since = covered_through(licence)
    if not is_lapsed(since, on, grace_days):
        return ()
    missed = [
        release
        for release in releases
        if release.is_major and release.family == licence.family and since < release.build_on <= on
    ]
    return tuple(sorted(missed, key=lambda release: release.build_on))


def fingerprint(licences: Sequence[tuple[int, LicenceCoverage]]) -> str:
    """SHA-256 (hex) over what a dongle carries and its coverage: a different one means `dongle_changed` (Q1)."""
    facts = [
        [
            key,
            covered.product,
            covered.seats,
            str(covered.acquired_on),
            sorted([str(day) for day in period] for period in covered.periods),
        ]
        for key, covered in licences
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


EXPIRING_WITHIN = timedelta(days=90)


def sma_status(licences: Sequence[LicenceCoverage], releases: Iterable[Release], on: date, grace_days: int) -> str:
    """C4, C5: how a dongle's SMA stands on a day, by its licence that is worst off.

    `empty` (no licences), `lapsed_over_major`, `lapsed`, `expiring` (within 90 days) or `valid`.
    """
    if not licences:
        return "empty"
    if any(missed_majors(licence, releases, on, grace_days) for licence in licences):
        return "lapsed_over_major"
    ends = [covered_through(licence) for licence in licences]
    if any(is_lapsed(end, on, grace_days) for end in ends):
        return "lapsed"
    return "expiring" if min(ends) <= on + EXPIRING_WITHIN else "valid"

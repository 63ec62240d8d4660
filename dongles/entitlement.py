"""Which builds a customer may download, and what it takes to get a newer one (rule S2). Pure.

The run rule (C2) alone decides: a build is theirs if it runs on one of their dongles with a product that they hold
there. docs/design.md says why which date counts.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from dongles.coverage import LicenceCoverage, Release, covered_through, is_lapsed, missed_majors, paid_through, runs
from dongles.terms import ONE_DAY, term_end


class Holding(NamedTuple):
    """What a licence on a customer's dongle lets them have: its family's builds through a day."""

    serial: str
    family: str
    product: str
    through: date


class RenewalTerms(NamedTuple):
    """Of the vendor's policy what decides how far an SMA has to be renewed at least (P2, P7)."""

    grace_days: int = 0
    align_min_months: int = 3
    upgrade_includes_months: int = 12


class Needed(NamedTuple):
    """What a newer build takes: an SMA through that day. `align_to` is the date to ask for; none: renew for a year."""

    sma_to: date
    align_to: date | None


def entitled_through(licence: LicenceCoverage, expires_on: date | None, withdrawn_on: date | None) -> date | None:
    """S2: the last build date that a licence entitles to, on a dongle whose newest code states `expires_on`.

    None where it entitles to nothing: the dongle has no date, or the licence was withdrawn and none of its periods
    stands, as after an order that was a mistake. One that was withdrawn otherwise keeps what ran until then.
    """
    if expires_on is None or withdrawn_on is None:
        return expires_on
    return min(expires_on, withdrawn_on - ONE_DAY) if licence.periods else None


def is_entitled(build: Release, holdings: Iterable[Holding]) -> bool:
    """S2: whether the build may be downloaded by who holds these."""
    return any(_entitles(holding, build) for holding in holdings)


def dongles_that_run(build: Release, holdings: Iterable[Holding]) -> tuple[str, ...]:
    """S2: the serials of the dongles by which the build is theirs, each once, in the order of the holdings."""
    return tuple(dict.fromkeys(holding.serial for holding in holdings if _entitles(holding, build)))


def _entitles(holding: Holding, build: Release) -> bool:
    return holding.family == build.family and runs(build.build_on, holding.through)


def sma_needed(
    build_on: date, licences: Sequence[LicenceCoverage], majors: Iterable[Release], on: date, terms: RenewalTerms
) -> Needed:
    """S2, P2: the least SMA date that a quote of that day can give the dongle and that covers the build.

    `licences` are all that the dongle carries, `majors` the published major releases of their families. A date to align
    to is named where any licence is still valid; where all have lapsed a year is the least that is sold.
    """
    present = paid_through(licences, on, terms.grace_days)
    least = [build_on]
    if present is not None:
        least.append(present)
    if any(is_lapsed(covered_through(licence), on, terms.grace_days) for licence in licences):
        least.append(term_end(on, 12))
    released = list(majors)
    if any(missed_majors(licence, released, on, terms.grace_days) for licence in licences):
        least.append(term_end(on, terms.upgrade_includes_months or 12))
    sma_to = max(least)
    if present is not None and sma_to > present:
        sma_to = max(sma_to, term_end(max(present + ONE_DAY, on), terms.align_min_months))
    return Needed(sma_to, None if present is None or sma_to == present else sma_to)

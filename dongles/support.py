"""Whether a customer may call the support desk about a product family on a dongle (rule S1). Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from dongles.coverage import LicenceCoverage, Period, Release, covered_through, is_valid_on, runs
from dongles.terms import ONE_DAY
from portal.wording import write_day

SMA_REQUIRED, LATEST_VERSION = "sma_required", "latest_version"


class SupportAnswer(NamedTuple):
    """Yes or no, the reason in a sentence, the date that it turns on (if any), and what would make it a yes.

    For several dongles side by side the reason in two: `rule`, which is the same for all of a family, and `standing`,
    how this dongle stands to it.
    """

    may_call: bool
    reason: str
    on: date | None = None
    remedy: str = ""
    rule: str = ""
    standing: str = ""


def may_call(
    policy: str, licences: Sequence[LicenceCoverage], latest: Release | None, expires_on: date | None, today: date
) -> SupportAnswer:
    """S1: the answer for the licences of one family on a dongle with that SMA expiry date.

    `sma_required`: a licence needs an SMA period that contains today (C1), whatever version is run; neither grace days
    nor a bridge are one. `latest_version`: the SMA does not count as such, but only `latest` is supported, the family's
    newest published build, so the dongle has to run it (C2).
    """
    assert licences, "S1 is asked about a family that the dongle carries"
    if policy == SMA_REQUIRED:
        return _by_sma(licences, today)
    return _by_version(licences[0].family, latest, expires_on)


def latest_release(releases: Iterable[Release], family: str, today: date) -> Release | None:
    """S1: the latest version of a family, its published release built last through today."""
    out = [release for release in releases if release.family == family and release.build_on <= today]
    return max(out, key=lambda release: release.build_on, default=None)


def valid_through(periods: Iterable[Period], day: date) -> date | None:
    """C1: the last day of the unbroken validity that contains the day; none where it is not valid then."""
    if not is_valid_on(periods := sorted(periods), day):
        return None
    end = day
    for period in periods:
        if period.starts_on <= end + ONE_DAY:
            end = max(end, period.ends_on)
    return end


def _by_sma(licences: Sequence[LicenceCoverage], today: date) -> SupportAnswer:
    ends = {licence: valid_through(licence.periods, today) for licence in licences}
    valid = [end for end in ends.values() if end is not None]
    family = licences[0].family
    rule = f"{family} support needs a valid SMA, whatever version you run."
    if valid:
        through = max(valid)
        without = sorted({licence.product for licence, end in ends.items() if end is None})
        but = f" Not for {' and '.join(without)}: its SMA is not valid." if without else ""
        return SupportAnswer(
            True,
            f"{family} support needs a valid SMA, and there is one through {write_day(through)}.{but}",
            through,
            rule=rule,
            standing=f"SMA valid until {write_day(through)}.{but}",
        )
    covered = [licence for licence in licences if licence.periods]
    ahead = [period.starts_on for licence in licences for period in licence.periods if period.starts_on > today]
    if ahead:
        first = min(ahead)
        reason = f"{family} support needs a valid SMA, and the next one starts on {write_day(first)}."
        standing = f"The next SMA starts on {write_day(first)}."
        return SupportAnswer(False, reason, first, f"Call from {write_day(first)} on.", rule, standing)
    if not covered:
        reason = f"{family} support needs a valid SMA, and there has never been one."
        return SupportAnswer(False, reason, None, "Buy an SMA: support begins with it.", rule, "Never had an SMA.")
    ended = max(map(covered_through, covered))
    reason = (
        f"{family} support needs a valid SMA, whatever version you run, and the last one ended on {write_day(ended)}."
    )
    standing = f"SMA ended on {write_day(ended)}."
    return SupportAnswer(False, reason, ended, "Renew the SMA: support begins again with it.", rule, standing)


def _by_version(family: str, latest: Release | None, expires_on: date | None) -> SupportAnswer:
    if latest is None:
        rule = f"The SMA does not limit {family} support, and no version is out yet."
        return SupportAnswer(True, rule, rule=rule)
    rule = (
        f"The SMA does not limit {family} support as such, but only the latest version is supported: {latest.version},"
        f" released {write_day(latest.build_on)}."
    )
    if expires_on is not None and runs(latest.build_on, expires_on):
        reason = f"{rule} It runs with the SMA date of {write_day(expires_on)}."
        standing = f"{latest.version} runs with its SMA date of {write_day(expires_on)}."
        remedy = f"If you run an older one, install {latest.version} first."
        return SupportAnswer(True, reason, latest.build_on, remedy, rule, standing)
    has = (
        f"It does not run with the SMA date of {write_day(expires_on)}." if expires_on else "There is no SMA date yet."
    )
    standing = f"{latest.version} does not run with its SMA date of {write_day(expires_on)}." if expires_on else has
    remedy = f"Renew the SMA, then install {latest.version}."
    return SupportAnswer(False, f"{rule} {has}", latest.build_on, remedy, rule, standing)

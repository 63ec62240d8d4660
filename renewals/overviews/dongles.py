"""What a dongle's page shows."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.coverage import Release as PublishedRelease
from dongles.models import Dongle, Licence
from dongles.timeline import TimelineLicence, build_timeline
from portal.wording import write_day, write_expiry
from renewals import queries
from renewals.models import Bridge
from renewals.overviews.bridges import standing_of_bridge
from renewals.overviews.lists import versions_for


class LicenceStanding(NamedTuple):
    """A licence on a dongle and how its SMA stands on the day asked for."""

    licence: Licence
    covered: LicenceCoverage
    covered_through: date
    status: str
    missed: Sequence[PublishedRelease]


class RunningRelease(NamedTuple):
    """Of a product family: the newest release that runs with the dongle's date, and the newest of all (C2)."""

    family: str
    runs: PublishedRelease | None
    newest: PublishedRelease


def dongle_overview(dongle: Dongle, today: date) -> dict[str, Any]:
    """The dongle's page: licences and coverage, what runs, what is worth selling, its quotes, orders and codes."""
    grace = queries.policy_on(today).grace_days
    every_licence = list(dongle_queries.licences_of([dongle], withdrawn_too=True))
    licences = [licence for licence in every_licence if licence.withdrawn_on is None]
    covered = [dongle_queries.coverage_of(licence) for licence in licences]
    releases = dongle_queries.published_releases({each.family for each in covered})
    released = [release for release in releases if release.build_on <= today]
    status, standings = standings_of(licences, released, today, grace)
    expiry_on = dongle.issued_expiry_on
    codes = list(
        dongle.codes.select_related("receipt", "bridge__version__quote")
        .defer("letters", "licences")
        .order_by("-pk")[:20]
    )
    bridge = getattr(codes[0], "bridge", None) if codes else None
    runs = [release for release in released if expiry_on and coverage.runs(release.build_on, expiry_on)]
    return {
        "dongle": dongle,
        "today": today,
        "status": status,
        "standing": standing_of_dongle(dongle, status, standings, today) + _standing_of_date(bridge, today),
        "bridge": bridge,
        "timeline": build_timeline(
            [
                TimelineLicence(
                    str(each.licence.product),
                    each.covered.family,
                    each.covered.acquired_on,
                    each.covered.periods,
                    missed=tuple(each.missed),
                )
                for each in standings
            ],
            releases,
            today,
            expires_on=expiry_on,
        ),
        "standings": standings,
        "withdrawn": [licence for licence in every_licence if licence.withdrawn_on is not None],
        "paid_through": coverage.paid_through(covered, today, grace),
        "newest_running": (newest_running := newest_by_family(runs)),
        "newest": (newest := newest_by_family(released)),
        "running": [RunningRelease(family, newest_running.get(family), last) for family, last in newest.items()],
        "contacts": list(dongle.customer.contacts.filter(left_on__isnull=True)) if dongle.customer else [],
        "versions": versions_for(dongle),
        "codes": codes,
        "replaced_by": (gone := getattr(dongle, "replaced_by", None)),
        "replaces": getattr(dongle, "replaces", None),
        "moved": list(gone.licences.select_related("product")) if gone else [],
    }


def _standing_of_date(bridge: Bridge | None, today: date) -> str:
    """Q7: what is to be said of a dongle's date where its newest code is a bridge's."""
    return f" {standing_of_bridge(bridge, today)}" if bridge else ""


def standings_of(
    licences: Sequence[Licence], released: Sequence[PublishedRelease], today: date, grace: int
) -> tuple[str, Sequence[LicenceStanding]]:
    """How a dongle's SMA stands (rules C4, C5), and how each of its licences read by `licences_of` does."""
    covered = [dongle_queries.coverage_of(licence) for licence in licences]
    standings = [
        LicenceStanding(
            licence,
            each,
            coverage.covered_through(each),
            coverage.sma_status([each], released, today, grace),
            coverage.missed_majors(each, released, today, grace),
        )
        for licence, each in zip(licences, covered, strict=True)
    ]
    return coverage.sma_status(covered, released, today, grace), standings


def standings_by_dongle(dongles: Sequence[Dongle], today: date) -> dict[int, tuple[str, Sequence[LicenceStanding]]]:
    """The same of each of these dongles, by its id; in three queries however many they are."""
    carried: dict[int, list[Licence]] = {dongle.pk: [] for dongle in dongles}
    for licence in dongle_queries.licences_of(dongles):
        carried[licence.dongle_id].append(licence)
    families = {licence.product.family.name for licences in carried.values() for licence in licences}
    released = dongle_queries.published_releases(families, through=today)
    grace = queries.policy_on(today).grace_days
    return {pk: standings_of(licences, released, today, grace) for pk, licences in carried.items()}


def standing_of_dongle(dongle: Dongle, status: str, standings: Sequence[LicenceStanding], today: date) -> str:
    """How a dongle stands, in a sentence or two."""
    if dongle.state == Dongle.State.LOST:
        return "This dongle is lost: nothing can be sold for it. It may be found again, or another takes its place."
    if dongle.state == Dongle.State.RETIRED:
        return f"This dongle is retired: {_whereabouts(dongle)}."
    if not standings:
        return "This dongle carries no licences."
    first, last = min(each.covered_through for each in standings), max(each.covered_through for each in standings)
    number = len(standings)
    if first != last:
        sentence = (
            f"Ragged: its {number} licences are covered through days between {write_day(first)} and {write_day(last)}."
            " The next quote brings them to one day."
        )
    else:
        whose = "licence" if number == 1 else f"{number} licences"
        sentence = f"The SMA of its {whose} {write_expiry(last, today)}."
    if releases := {release for each in standings for release in each.missed}:
        missed, verb = wording_of_releases(releases), "was" if len(releases) == 1 else "were"
        sentence += f" {missed} {verb} missed: coming back takes an upgrade."
    if dongle.customer is None:
        sentence += " It has no owner on record, and can’t be quoted before it has one."
    return sentence


def _whereabouts(dongle: Dongle) -> str:
    """Q8: where the licences of a retired dongle are."""
    replacement = getattr(dongle, "replaced_by", None)
    if replacement is None:
        return "nothing can be sold for it"
    return (
        f"{replacement.successor} took its place on {write_day(replacement.replaced_on)}, and its licences went there"
    )


def wording_of_releases(releases: Iterable[PublishedRelease]) -> str:
    """Releases by family, in order of build date: “Volocity 6.0, 7.0 and 8.0”."""
    versions: dict[str, list[str]] = {}
    for release in sorted(releases, key=lambda release: (release.family, release.build_on)):
        versions.setdefault(release.family, []).append(release.version)
    return " and ".join(f"{family} {listed(names)}" for family, names in versions.items())


def listed(words: Sequence[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def newest_by_family(releases: Iterable[PublishedRelease]) -> dict[str, PublishedRelease]:
    """Of each family the release with the latest build date."""
    return {release.family: release for release in sorted(releases, key=lambda release: release.build_on)}

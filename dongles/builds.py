"""What customers may download: reads of their holdings and of the builds that are out, and both put together (S2)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.db.models import Prefetch
from django.utils.module_loading import import_string

from dongles import queries
from dongles.coverage import LicenceCoverage, runs
from dongles.coverage import Release as PublishedRelease
from dongles.entitlement import (
    Holding,
    Needed,
    RenewalTerms,
    dongles_that_run,
    entitled_through,
    is_entitled,
    sma_needed,
)
from dongles.models import Dongle, Release, ReleaseFile
from portal.errors import DomainError
from portal.models import Customer
from portal.wording import write_day


class Carried(NamedTuple):
    """A dongle with the licences that it carries now."""

    dongle: Dongle
    licences: Sequence[LicenceCoverage]


class Estate(NamedTuple):
    """What a customer holds: as the rule sees it, and the active dongles that can be renewed, by serial."""

    holdings: Sequence[Holding]
    renewable: dict[str, Carried]
    families: Sequence[str]  # of all licences that they ever had, in order of name


class Offer(NamedTuple):
    """What a newer build takes, on the dongle for which that is least."""

    dongle: Dongle
    needed: Needed


class ShownBuild(NamedTuple):
    """A build with the dongles by which it is theirs (serials), or what it takes (if any of them can be renewed).

    `needs_code`: it runs on none of them before they have applied their newest unlock code.
    """

    release: Release
    files: Sequence[ReleaseFile]
    serials: Sequence[str]
    needs_code: bool
    offer: Offer | None

    @property
    def is_entitled(self) -> bool:
        return bool(self.serials)


def estate_of(dongles: Iterable[Dongle]) -> Estate:
    """What the dongles hold; one query, whatever their number. The licences withdrawn too: what ran with them stays."""
    holdings: list[Holding] = []
    carried: dict[str, tuple[Dongle, list[LicenceCoverage]]] = {}
    families: set[str] = set()
    for licence in queries.licences_of(dongles, withdrawn_too=True).select_related("product__family", "dongle"):
        dongle, covered = licence.dongle, queries.coverage_of(licence)
        families.add(covered.family)
        through = entitled_through(covered, dongle.issued_expiry_on, licence.withdrawn_on)
        if through is not None:
            holdings.append(Holding(dongle.serial, covered.family, licence.product.name, through))
        if licence.withdrawn_on is None and dongle.state == Dongle.State.ACTIVE:
            carried.setdefault(dongle.serial, (dongle, []))[1].append(covered)
    renewable = {serial: Carried(*each) for serial, each in carried.items()}
    return Estate(holdings, renewable, sorted(families))


def estate_of_customer(customer: Customer) -> Estate:
    return estate_of(Dongle.objects.filter(customer=customer))


def published_builds(families: Iterable[str], today: date) -> list[Release]:
    """The published releases of the families that are out by today, the newest first, with their files."""
    files = Prefetch("files", ReleaseFile.objects.order_by("platform", "pk"))
    releases = Release.objects.filter(family__name__in=list(families), is_published=True, build_on__lte=today)
    return list(releases.select_related("family").prefetch_related(files).order_by("-build_on", "-pk"))


def build_of(release: Release) -> PublishedRelease:
    """What the rules see of a release read with its family."""
    return PublishedRelease(release.family.name, release.version, release.build_on, release.is_major)


def shown_builds(estate: Estate, today: date) -> dict[str, list[ShownBuild]]:
    """S2: by family its builds, the newest first: those that are theirs, and the newer ones with what they take."""
    releases = published_builds(estate.families, today)
    majors = [build_of(release) for release in releases if release.is_major]
    known = {serial: carried.dongle.confirmed_expiry_on for serial, carried in estate.renewable.items()}
    terms = renewal_terms(today)
    shown: dict[str, list[ShownBuild]] = {family: [] for family in estate.families}
    for release in releases:
        build = build_of(release)
        serials = dongles_that_run(build, estate.holdings)
        offer = None if serials else least_offer(build, estate, majors, today, terms)
        needs_code = bool(serials) and not any(
            serial not in known or ((held := known[serial]) and runs(build.build_on, held)) for serial in serials
        )
        shown[build.family].append(ShownBuild(release, list(release.files.all()), serials, needs_code, offer))
    return shown


def least_offer(
    build: PublishedRelease,
    estate: Estate,
    majors: Sequence[PublishedRelease],
    today: date,
    terms: RenewalTerms,
) -> Offer | None:
    """Of the dongles with the build's family that can be renewed, the one that needs the least to run it."""
    offers = [
        Offer(carried.dongle, sma_needed(build.build_on, carried.licences, majors, today, terms))
        for carried in estate.renewable.values()
        if any(licence.family == build.family for licence in carried.licences)
    ]
    return min(offers, key=lambda offer: (offer.needed.sma_to, offer.dongle.serial), default=None)


def renewal_terms(today: date) -> RenewalTerms:
    """What the vendor's policy says of the least renewal; it is kept with what is sold, which this app doesn't know."""
    terms: RenewalTerms = import_string(settings.RENEWAL_TERMS)(today)
    return terms


def file_in(files: Iterable[str], file_id: int, today: date) -> ReleaseFile | None:
    """The file of a published build of one of the families that is out by today, with its release."""
    found = ReleaseFile.objects.select_related("release__family").filter(
        pk=file_id,
        release__is_published=True,
        release__build_on__lte=today,
        release__family__name__in=list(files),
    )
    return found.first()


def check_entitled(file: ReleaseFile, estate: Estate, today: date) -> None:
    """S2: refuse `build_not_entitled`, saying what it takes."""
    build = build_of(file.release)
    if is_entitled(build, estate.holdings):
        return
    majors = queries.published_releases(estate.families, through=today, majors_only=True)
    offer = least_offer(build, estate, majors, today, renewal_terms(today))
    takes = f" It needs an SMA to {write_day(offer.needed.sma_to)}: ask for a quote." if offer else ""
    raise DomainError(
        "build_not_entitled",
        f"{file.release} was released on {write_day(build.build_on)} and runs on none of your dongles.{takes}",
        {"release": str(file.release)},
    )

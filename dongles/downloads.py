"""Writes around downloads: files of releases that come in and go, who downloaded what, feeds with new addresses (S2).

Each service is one transaction.
"""

from datetime import datetime
from typing import IO

from django.db import transaction
from django.db.models import Q

from dongles import shelf
from dongles.models import Dongle, Release, ReleaseFile
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.changes import values_of
from portal.errors import DomainError
from portal.models import Customer

LONGEST_PLATFORM = 40


def add_release_file(
    *, release: Release, platform: str, name: str, content: IO[bytes], actor: Actor, at: datetime
) -> ReleaseFile:
    """Take in a release's file for a platform: copied to the shelf in pieces, with its size and SHA-256.

    To a published release too, even one that was sold against: what orders were priced with stays as it is. The copy is
    made before the transaction, so that no order waits for it. Refuses `platform_missing`, `release_file_exists` (one
    for the platform is there), `release_file_empty`, `release_file_elsewhere` (another release has the same content)
    and `release_file_name_long`.
    """
    check_ability(actor, "keep_catalogue")
    platform = " ".join(platform.split())
    if not platform or len(platform) > LONGEST_PLATFORM:
        raise DomainError("platform_missing", "Say for which platform the file is, in 40 letters at most.")
    with shelf.incoming(content) as come, transaction.atomic():
        release = Release.objects.select_for_update(of=("self",)).select_related("family").get(pk=release.pk)
        file = ReleaseFile(release=release, platform=platform, size=come.size, sha256=come.sha256)
        file.path = shelf.path_for(file, name)
        _check_new(file)
        file.save()
        audit.record(actor, at, Deed("create_releasefile", release, after=values_of(file)))
        come.move_to(file.path)
    return file


def _check_new(file: ReleaseFile) -> None:
    release = file.release
    present = ReleaseFile.objects.filter(Q(release=release, platform__iexact=file.platform) | Q(path=file.path)).first()
    if present:
        raise DomainError(
            "release_file_exists",
            f"{release} has a file for {present.platform} already: {present.name}. Bring out a corrected release"
            " instead; a draft's file can be removed first.",
        )
    if not file.size:
        raise DomainError("release_file_empty", "The file is empty.")
    same = ReleaseFile.objects.filter(sha256=file.sha256).exclude(release=release).select_related("release__family")
    if other := same.first():
        raise DomainError(
            "release_file_elsewhere",
            f"This very file is that of {other.release} for {other.platform}: is it the right one?",
        )


@transaction.atomic
def remove_release_file(*, file: ReleaseFile, actor: Actor, at: datetime) -> None:
    """Take a file off a draft; what lies on the shelf stays there until another takes its place.

    Refuses `release_file_published`: builds that customers are entitled to don't vanish (S2).
    """
    check_ability(actor, "keep_catalogue")
    release = Release.objects.select_for_update(of=("self",)).select_related("family").get(pk=file.release_id)
    if release.is_published:
        raise DomainError(
            "release_file_published",
            f"{release} is published, and its files with it. Unpublish it first, or bring out a corrected release.",
        )
    audit.record(actor, at, Deed("delete_releasefile", release, before=values_of(file)))
    file.delete()


def note_download(*, file: ReleaseFile, customer: Customer, dongle: str = "", actor: Actor, at: datetime) -> None:
    """Record that a file was downloaded, by whom or through which dongle's feed, in the trail of its release."""
    told = {"platform": file.platform, "sha256": file.sha256, "customer": customer.name}
    audit.record(actor, at, Deed("download", file.release, after={**told, **({"dongle": dongle} if dongle else {})}))


@transaction.atomic
def renew_feed_addresses(*, dongle: Dongle, actor: Actor, at: datetime) -> Dongle:
    """Make new addresses for a dongle's update feed: those known until now lead nowhere from now on.

    A customer does it for their own dongles, staff who sells for any.
    """
    if actor.role != "customer":
        check_ability(actor, "sell")
    dongle = Dongle.objects.select_for_update().get(pk=dongle.pk)
    generation = dongle.feed_generation
    dongle.feed_generation = generation + 1
    dongle.save(update_fields=["feed_generation"])
    audit.record(
        actor,
        at,
        Deed("renew_feed", dongle, {"feed_generation": generation}, {"feed_generation": dongle.feed_generation}),
    )
    return dongle

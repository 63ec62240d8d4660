"""The files of the demo's releases: small invented archives, the same bytes for the same release."""

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime

from dongles.downloads import add_release_file
from dongles.models import Release
from portal.audit import Actor

PLATFORMS = {"Volocity": ("Windows", "macOS"), "Openlab": ("macOS",)}
TEXT = """{release} for {platform}, built on {build_on}.

Invented for the demo: there is no software in here. What runs on a dongle is decided by the build date alone; compare
it with the SMA date of yours.
"""


def demo_archive(release: Release, platform: str) -> bytes:
    """A ZIP with a text that says what it stands for."""
    told = TEXT.format(release=release, platform=platform, build_on=release.build_on)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        name = zipfile.ZipInfo("README.txt", date_time=(2000, 1, 1, 0, 0, 0))
        archive.writestr(name, told * 12)
    return content.getvalue()


def shelve_demo_files(releases: Iterable[Release], *, actor: Actor, at: datetime) -> None:
    """Put a file for each platform of the family to every published release."""
    for release in releases:
        for platform in PLATFORMS[release.family.name]:
            add_release_file(
                release=release,
                platform=platform,
                name=f"{release.family.name}-{release.version}-{platform}.zip",
                content=io.BytesIO(demo_archive(release, platform)),
                actor=actor,
                at=at,
            )

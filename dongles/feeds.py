"""The update feed of a dongle: what its software may install, for the software itself to ask without a login (S2).

The address is the secret: its token is an HMAC-SHA-256 with the portal's secret key over the dongle's serial and how
often its addresses were made anew, 24 bytes in 32 letters. Nothing is stored; making new addresses is counting on.
The appcast follows Sparkle 2 and carries no EdDSA signature: the software has to check the SHA-256 that stands in it,
which is worth what the connection is worth.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from mimetypes import guess_type
from typing import Any, NamedTuple
from xml.etree import ElementTree

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import linebreaks

from dongles import builds
from dongles.builds import Carried, Estate, Offer
from dongles.coverage import runs
from dongles.models import Dongle, Release, ReleaseFile

TOKEN_BYTES = 24
SPARKLE = "http://www.andymatuschak.org/xml-namespaces/sparkle"
OURS = "urn:sma-portal:update-feed"
NEEDS_SMA = "needs-sma"  # the channel of builds that the dongle does not run
SYSTEMS = {"mac": "macos", "win": "windows"}  # as appcasts name them, by how a platform's name begins


class Asked(NamedTuple):
    """What the software narrows its feed to: a family, a platform, and the date that the dongle itself holds."""

    family: str = ""
    platform: str = ""
    holds: date | None = None


class Offered(NamedTuple):
    """Of a family and a platform the newest build that runs and the newest of all, each with its file."""

    family: str
    platform: str
    running: ReleaseFile | None
    newest: ReleaseFile
    majors: Sequence[Release]  # of the family, the newest first
    offer: Offer | None  # what the newest of all takes, if it does not run


def feed_token(serial: str, generation: int) -> str:
    made = salted_hmac("dongles.feeds", f"{serial} {generation}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made[:TOKEN_BYTES]).decode()


def dongle_of_feed(serial: str, token: str) -> Dongle | None:
    """The dongle whose feed has this address; none alike for a wrong token, an unknown serial, one that is not in use.

    A token is made and compared in any case, so that the answer to an unknown serial takes as long.
    """
    dongle = (
        Dongle.objects.select_related("customer")
        .filter(serial=serial, state=Dongle.State.ACTIVE, customer__isnull=False)
        .first()
    )
    expected = feed_token(serial, dongle.feed_generation if dongle else 0)
    return dongle if constant_time_compare(token, expected) else None


def feed_address(dongle: Dongle, kind: str) -> str:
    """The whole address of a dongle's feed: `json` or `xml`."""
    token = feed_token(dongle.serial, dongle.feed_generation)
    return settings.ADDRESS + reverse(f"dongles:feed_{kind}", args=[dongle.serial, token])


def carried_estate(dongle: Dongle) -> Estate:
    """What the dongle's software may install: by the licences that it carries now, not by those withdrawn."""
    estate = builds.estate_of([dongle])
    carried = estate.renewable.get(dongle.serial, Carried(dongle, ()))
    families = sorted({licence.family for licence in carried.licences})
    holdings = [holding for holding in estate.holdings if holding.family in families]
    return estate._replace(holdings=holdings, families=families)


def offered(dongle: Dongle, today: date, asked: Asked) -> list[Offered]:
    """S2: per family and platform what runs and what is newest; with the dongle four queries."""
    estate = carried_estate(dongle)
    releases = builds.published_builds(estate.families, today)
    majors = [release for release in releases if release.is_major]
    known = [builds.build_of(release) for release in majors]
    terms = builds.renewal_terms(today)
    limit = dongle.issued_expiry_on
    if limit is not None and asked.holds is not None:
        limit = min(limit, asked.holds)
    found: dict[tuple[str, str], list[ReleaseFile]] = {}
    for release in releases:
        for file in release.files.all():
            file.release = release
            found.setdefault((release.family.name, file.platform), []).append(file)
    return [
        Offered(
            family,
            platform,
            next((file for file in files if limit is not None and runs(file.release.build_on, limit)), None),
            files[0],
            [release for release in majors if release.family.name == family],
            builds.least_offer(builds.build_of(files[0].release), estate, known, today, terms),
        )
        for (family, platform), files in sorted(found.items())
        if asked.family in ("", family) and asked.platform in ("", platform)
    ]


def as_json(dongle: Dongle, rows: Sequence[Offered]) -> dict[str, Any]:
    return {
        "serial": dongle.serial,
        "sma_expires_on": _iso(dongle.issued_expiry_on),
        "builds": [
            {
                "family": row.family,
                "platform": row.platform,
                "newest_that_runs": row.running and _told(dongle, row.running),
                "newest": {**_told(dongle, row.newest, has_address=_is_running(row)), **_takes(dongle, row)},
            }
            for row in rows
        ],
    }


def _is_running(row: Offered) -> bool:
    return row.running == row.newest


def _takes(dongle: Dongle, row: Offered) -> dict[str, Any]:
    """Whether the newest runs; if not, the SMA that it takes and where to get a quote."""
    if _is_running(row):
        return {"runs": True}
    if dongle.issued_expiry_on is not None and runs(row.newest.release.build_on, dongle.issued_expiry_on):
        return {"runs": False, "apply_code_for": _iso(dongle.issued_expiry_on)}
    if row.offer is None:
        return {"runs": False}
    return {"runs": False, "needs_sma_to": _iso(row.offer.needed.sma_to), "quote_at": quote_address(row.offer)}


def _told(dongle: Dongle, file: ReleaseFile, *, has_address: bool = True) -> dict[str, Any]:
    release = file.release
    told = {
        "version": release.version,
        "build_on": _iso(release.build_on),
        "is_major": release.is_major,
        "notes": release.notes,
        "file": file.name,
        "size": file.size,
        "sha256": file.sha256,
    }
    return {**told, "url": _file_address(dongle, file)} if has_address else told


def quote_address(offer: Offer) -> str:
    """Where the owner gets a quote for what a build takes."""
    asked = f"align_to={_iso(offer.needed.align_to)}" if offer.needed.align_to else "years=1"
    return f"{settings.ADDRESS}/my/renew/?dongle={offer.dongle.serial}&{asked}"


def _file_address(dongle: Dongle, file: ReleaseFile) -> str:
    token = feed_token(dongle.serial, dongle.feed_generation)
    return settings.ADDRESS + reverse("dongles:feed_file", args=[dongle.serial, token, file.pk])


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def as_appcast(dongle: Dongle, rows: Sequence[Offered]) -> bytes:
    """The same as a Sparkle appcast. What does not run is told on a channel of its own, without anything to install."""
    ElementTree.register_namespace("sparkle", SPARKLE)
    ElementTree.register_namespace("sma", OURS)
    rss = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(rss, "channel")
    _add(channel, "title", f"Updates for dongle {dongle.serial}")
    _add(channel, "link", f"{settings.ADDRESS}/my/downloads/")
    _add(channel, "description", "The newest builds that run on this dongle.")
    for row in rows:
        for file in _told_files(row):
            _add_item(channel, dongle, row, file)
    ElementTree.indent(rss)
    written: bytes = ElementTree.tostring(rss, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _told_files(row: Offered) -> Iterator[ReleaseFile]:
    if not _is_running(row):
        yield row.newest
    if row.running is not None:
        yield row.running


def _add_item(channel: ElementTree.Element, dongle: Dongle, row: Offered, file: ReleaseFile) -> None:
    release, is_running = file.release, file == row.running
    item = ElementTree.SubElement(channel, "item")
    _add(item, "title", f"{row.family} {release.version} for {row.platform}")
    _add(item, "pubDate", format_datetime(datetime.combine(release.build_on, time(), UTC)))
    _add(item, "description", linebreaks(release.notes, autoescape=True) if release.notes else "")  # read as HTML
    _add(item, f"{{{SPARKLE}}}version", release.version)
    _add(item, f"{{{SPARKLE}}}shortVersionString", release.version)
    major = next((each for each in row.majors if each.build_on <= release.build_on), None)
    if major is not None:  # a major version is not installed without asking
        _add(item, f"{{{SPARKLE}}}minimumAutoupdateVersion", major.version)
    _add(item, f"{{{OURS}}}family", row.family)
    _add(item, f"{{{OURS}}}platform", row.platform)
    _add(item, f"{{{OURS}}}buildDate", str(_iso(release.build_on)))
    _add(item, f"{{{OURS}}}sha256", file.sha256)
    if is_running:
        about = {
            "url": _file_address(dongle, file),
            "length": str(file.size),
            "type": guess_type(file.name)[0] or "application/octet-stream",
        }
        if system := SYSTEMS.get(row.platform[:3].lower()):  # or software would take the build of another system
            about[f"{{{SPARKLE}}}os"] = system
        ElementTree.SubElement(item, "enclosure", about)
        return
    _add(item, f"{{{SPARKLE}}}channel", NEEDS_SMA)
    ElementTree.SubElement(item, f"{{{SPARKLE}}}informationalUpdate")
    takes = _takes(dongle, row)
    _add(item, "link", takes.get("quote_at", f"{settings.ADDRESS}/my/downloads/"))
    if "needs_sma_to" in takes:
        _add(item, f"{{{OURS}}}needsSmaTo", takes["needs_sma_to"])


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = _printable(text)


def _printable(text: str) -> str:
    """Without the control characters that XML can't hold."""
    return re.sub("[\x00-\x08\x0b-\x1f\ufffe\uffff]", "", text)

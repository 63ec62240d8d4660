"""Customers' downloads: the builds that are theirs, links to them that are good for some minutes, and the files."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from dongles import builds, feeds
from dongles.builds import Estate, ShownBuild
from dongles.downloads import note_download, renew_feed_addresses
from dongles.models import Dongle, ReleaseFile
from dongles.web.serving import hand_out
from portal.access import customer_page
from portal.models import Customer
from portal.web import by

SHOWN_AT_ONCE = 3  # builds of a family that are not folded away, of those that are theirs
SALT = "dongles.downloads"


@require_GET
@customer_page
def downloads_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """By family the newer builds with what they take, then those that run, the newest first."""
    today = timezone.localdate()
    estate = builds.estate_of_customer(customer)
    shown = builds.shown_builds(estate, today)
    context = {
        "customer": customer,
        "families": [_family(family, rows) for family, rows in shown.items()],
        "feeds": _feeds(estate),
        "first": next((file.pk for rows in shown.values() for each in rows if each.serials for file in each.files), 0),
    }
    return render(request, "dongles/my/downloads.html", context)


def _family(family: str, rows: Sequence[ShownBuild]) -> dict[str, Any]:
    """The builds of a family, those that are not to be seen at once apart."""
    theirs = [row for row in rows if row.is_entitled]
    newer = [row for row in rows if not row.is_entitled]
    return {
        "name": family,
        "newer": newer[:1],
        "more_newer": newer[1:],
        "theirs": theirs[:SHOWN_AT_ONCE],
        "older": theirs[SHOWN_AT_ONCE:],
    }


def _feeds(estate: Estate) -> list[dict[str, Any]]:
    return [
        {
            "dongle": carried.dongle,
            "json": feeds.feed_address(carried.dongle, "json"),
            "xml": feeds.feed_address(carried.dongle, "xml"),
        }
        for _, carried in sorted(estate.renewable.items())
    ]


@require_safe
@customer_page
def download(request: HttpRequest, customer: Customer, file_id: int) -> HttpResponse:
    """To a link to the file that is good for five minutes; refused where it is not theirs (`build_not_entitled`)."""
    file = _entitled_file(customer, file_id)
    link = {"file": file.pk, "customer": customer.pk, "user": request.user.pk}
    return redirect("dongles:file", signing.dumps(link, salt=SALT))


def _entitled_file(customer: Customer, file_id: int) -> ReleaseFile:
    """The file, of a family that the customer has, if it is theirs."""
    today = timezone.localdate()
    estate = builds.estate_of_customer(customer)
    file = builds.file_in(estate.families, file_id, today)
    if file is None:
        raise Http404
    builds.check_entitled(file, estate, today)
    return file


@require_safe
@customer_page
def file(request: HttpRequest, customer: Customer, signed: str) -> HttpResponseBase:
    """The file of a link, to whom it was given alone. Whether it is theirs is asked again: a cancellation counts at
    once. A browser that goes on with a part of it later than five minutes gets a new link by itself."""
    try:
        link = signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        raise Http404 from None
    if (link["customer"], link["user"]) != (customer.pk, request.user.pk):
        raise Http404
    try:
        signing.loads(signed, salt=SALT, max_age=settings.DOWNLOAD_LINK_SECONDS)
    except signing.SignatureExpired:
        if "If-Range" in request.headers:
            return redirect("dongles:download", link["file"])
        return render(request, "dongles/my/link_expired.html", {"file_id": link["file"]}, status=410)
    wanted = _entitled_file(customer, link["file"])
    handed = hand_out(request, wanted)
    if handed.begins:
        note_download(file=wanted, customer=customer, **by(request))
    return handed.answer


@require_POST
@customer_page
def new_feed_addresses(request: HttpRequest, customer: Customer, serial: str) -> HttpResponse:
    """New addresses for the update feed of a dongle of theirs; those before end."""
    dongle = get_object_or_404(Dongle, serial=serial, customer=customer)
    renew_feed_addresses(dongle=dongle, **by(request))
    messages.success(
        request,
        f"Dongle {dongle} has new addresses for its update check: enter one in the software. The old ones end.",
    )
    return redirect("dongles:my_downloads")

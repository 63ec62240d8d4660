"""The update feed of a dongle, for its software: by the token in its address, without a login. For staff, a page of
its addresses."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_safe

from dongles import builds, feeds, queries
from dongles.downloads import note_download, renew_feed_addresses
from dongles.entitlement import is_entitled
from dongles.feeds import Asked, Offered
from dongles.models import Dongle
from dongles.web.serving import hand_out
from portal.access import staff_page
from portal.audit import Actor
from portal.web import by
from portal.wording import write_day

SECONDS_FRESH = 3600
JSON, APPCAST, TEXT = "application/json", "application/rss+xml; charset=utf-8", "text/plain; charset=utf-8"


@require_safe
def feed_json(request: HttpRequest, serial: str, token: str) -> HttpResponse:
    """The newest build that runs, and the newest of all with what it takes."""
    return _feed(request, serial, token, _written_json, JSON)


@require_safe
def feed_xml(request: HttpRequest, serial: str, token: str) -> HttpResponse:
    """The same as a Sparkle appcast."""
    return _feed(request, serial, token, feeds.as_appcast, APPCAST)


def _written_json(dongle: Dongle, rows: Sequence[Offered]) -> bytes:
    return json.dumps(feeds.as_json(dongle, rows), ensure_ascii=False, indent=1).encode() + b"\n"


@require_safe
def feed_file(request: HttpRequest, serial: str, token: str, file_id: int) -> HttpResponseBase:
    """A file that the feed names: token and entitlement are checked now, whatever the feed said when it was read."""
    dongle = feeds.dongle_of_feed(serial, token)
    if dongle is None:
        return _not_found()
    estate = feeds.carried_estate(dongle)
    file = builds.file_in(estate.families, file_id, timezone.localdate())
    if file is None:
        return _not_found()
    if not is_entitled(builds.build_of(file.release), estate.holdings):
        released = write_day(file.release.build_on)
        return _text(f"{file.release}, released {released}, does not run on dongle {dongle}: renew its SMA.\n", 403)
    handed = hand_out(request, file)
    if handed.begins:
        actor = Actor(f"Update feed of dongle {dongle}")
        note_download(file=file, customer=dongle.customer, dongle=dongle.serial, actor=actor, at=timezone.now())
    return handed.answer


def _asked(request: HttpRequest) -> Asked:
    holds = request.GET.get("holds", "")
    return Asked(
        request.GET.get("family", ""), request.GET.get("platform", ""), date.fromisoformat(holds) if holds else None
    )


def _feed(
    request: HttpRequest, serial: str, token: str, write: Callable[[Dongle, Sequence[Offered]], bytes], kind: str
) -> HttpResponse:
    """The feed of that address, or 304 to who has it as it is; 404 where the address leads nowhere."""
    dongle = feeds.dongle_of_feed(serial, token)
    if dongle is None:
        return _not_found()
    try:
        asked = _asked(request)
    except ValueError:
        return _text("“holds” takes a date like 2027-09-14.\n", 400)
    body = write(dongle, feeds.offered(dongle, timezone.localdate(), asked))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer = HttpResponse(body, content_type=kind)
    answer["ETag"] = etag
    answer["Cache-Control"] = f"private, max-age={SECONDS_FRESH}"
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return get_conditional_response(request, etag=etag, response=answer)


def _not_found() -> HttpResponse:
    """The same for a wrong token, a serial that nobody has, and a dongle that is not in use."""
    return _text("Not found.\n", 404)


def _text(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, content_type=TEXT, status=status, headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def addresses(request: HttpRequest, serial: str) -> HttpResponse:
    """For staff: the addresses of a dongle's feed, and new ones where they got into the wrong hands."""
    dongle = queries.dongle_by_serial(serial)
    if request.method == "POST":
        renew_feed_addresses(dongle=dongle, **by(request))
        messages.success(request, f"Dongle {dongle} has new addresses for its update feed; the old ones end.")
        return redirect("dongles:feed_addresses", dongle.serial)
    context = {
        "dongle": dongle,
        "is_in_use": dongle.state == Dongle.State.ACTIVE and dongle.customer_id is not None,
        "json": feeds.feed_address(dongle, "json"),
        "xml": feeds.feed_address(dongle, "xml"),
    }
    return render(request, "dongles/feed_addresses.html", context)

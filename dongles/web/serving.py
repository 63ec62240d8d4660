"""A file of a release as an answer: by the web server before the portal in production, else in pieces by Django.

Whole or a single range (RFC 9110, 14): who asks for several gets the whole. No browser is to show it, or to run
anything in it.
"""

import re
from mimetypes import guess_type
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from dongles import shelf
from dongles.models import ReleaseFile

RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


class Handed(NamedTuple):
    """The answer, and whether a download begins with it: the file from its first byte on."""

    answer: HttpResponseBase
    begins: bool


def hand_out(request: HttpRequest, file: ReleaseFile) -> Handed:
    """Answer with the file, or with what of it is asked for; refuses `build_missing`."""
    place = shelf.place_of(file)
    etag, modified = f'"{file.sha256}"', int(place.stat().st_mtime)
    span = None
    if request.method == "GET" and _is_same(request.headers.get("If-Range", ""), etag, modified):
        span = _span(request.headers.get("Range", ""), file.size)
    begins = request.method == "GET" and (span is None or span.start == 0)
    if settings.DOWNLOADS_ACCEL:
        accelerated = HttpResponse()
        accelerated["X-Accel-Redirect"] = settings.DOWNLOADS_ACCEL + quote(file.path)
        return Handed(_headed(accelerated, file), begins)
    early = get_conditional_response(request, etag=etag, last_modified=modified)
    if early is not None:
        return Handed(early, begins=False)
    answer: HttpResponseBase
    if span is not None and not span:
        answer = HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
        begins = False
    elif request.method == "HEAD":
        answer = HttpResponse(headers={"Content-Length": str(file.size)})
    elif span is not None:
        answer = StreamingHttpResponse(shelf.pieces_of(place, span.start, len(span)), status=206)
        answer["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size}"
        answer["Content-Length"] = str(len(span))
    else:
        answer = StreamingHttpResponse(shelf.pieces_of(place, 0, file.size))
        answer["Content-Length"] = str(file.size)
    answer["ETag"], answer["Last-Modified"], answer["Accept-Ranges"] = etag, http_date(modified), "bytes"
    return Handed(_headed(answer, file), begins)


def _headed(answer: HttpResponseBase, file: ReleaseFile) -> HttpResponseBase:
    answer["Content-Type"] = guess_type(file.name)[0] or "application/octet-stream"
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _is_same(if_range: str, etag: str, modified: int) -> bool:
    """Whether the part that the client has is of this very file; a client that does not ask takes the risk."""
    if not if_range:
        return True
    return if_range == etag or parse_http_date_safe(if_range) == modified


def _span(asked: str, size: int) -> range | None:
    """The bytes of a single range; an empty range where the file has none of them; none where the whole is meant."""
    match = RANGE.fullmatch(asked)
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        return range(max(size - int(match[2]), 0), size) if int(match[2]) else range(0)
    start, end = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and end < start:
        return None
    return range(start, min(end + 1, size)) if start < size else range(0)

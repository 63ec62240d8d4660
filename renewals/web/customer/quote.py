"""A sent quote for the customer, opened by the key in its address, which only its mail and document say."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from renewals import overviews
from renewals.models import QuoteVersion
from renewals.states import QuoteState


def _version(key: str) -> QuoteVersion:
    if not key:
        raise Http404
    return get_object_or_404(overviews.versions_with_quote().select_related("document"), key=key)


@require_GET
def quote_of_key(request: HttpRequest, key: str) -> HttpResponse:
    """The sent version: what it covers, what it costs, until when it is valid and how to accept it.

    One that a newer version has replaced says so and shows nothing of what it offered (Q2).
    """
    version = _version(key)
    if version.state == QuoteState.SUPERSEDED:
        response = render(request, "renewals/customer_quote_replaced.html", {"version": version}, status=410)
    else:
        context = overviews.customer_quote(version, timezone.localdate())
        response = render(request, "renewals/customer_quote.html", context)
    return for_the_holder_of_the_key(response)


@require_GET
def document_of_key(request: HttpRequest, key: str) -> HttpResponse:
    """The PDF as it was sent."""
    version = _version(key)
    if version.state == QuoteState.SUPERSEDED:
        raise Http404
    name = f"{version.quote.number}-{version.number}.pdf"
    response = HttpResponse(
        bytes(version.document.pdf),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
    return for_the_holder_of_the_key(response)


def for_the_holder_of_the_key(response: HttpResponse) -> HttpResponse:
    """The address is the secret: no cache keeps it, no search engine lists it, no other site is told it."""
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response

"""A sent quote for whoever has its link, from its mail or its document; purchasing departments forward it.

The key in the link is exchanged for a cookie and leaves the address bar with that. Looking uses nothing up: a mail
scanner may follow the link, and every browser gets a cookie of its own.
"""

import re
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from portal.web import for_the_holder_of_the_key
from renewals import links, overviews
from renewals.models import Quote, QuoteVersion
from renewals.overviews import my
from renewals.web.customer import quote_page
from renewals.web.customer.quote_page import Door, Step

SALT = "renewals.web.customer.quote"
STEPS = ("document", "accept", "decline", "ask", "choose", "again")


@require_safe
def quote_of_key(request: HttpRequest, key: str) -> HttpResponse:
    """Exchange the key for a cookie and lead on to an address without it. A key that is over opens nothing."""
    version = overviews.versions_with_quote().filter(key_hash=links.hash_of(key)).first()
    if version is None or not _is_open(version.quote):
        return _closed(request)
    return for_the_holder_of_the_key(_let_in(version))


def _let_in(version: QuoteVersion) -> HttpResponse:
    """Lead to the quote's page, with a cookie for it alone that says by which version's link."""
    quote = version.quote
    ends_on = my.link_ends_on(quote)
    assert ends_on is not None
    page = reverse("renewals:quote_of_link", args=[quote.number])
    response = redirect(page)
    response.set_signed_cookie(
        _cookie(quote),
        f"{version.number} {version.key_hash}",
        salt=SALT,
        max_age=24 * 3600 * ((ends_on - timezone.localdate()).days + 1),
        path=page,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _cookie(quote: Quote) -> str:
    return f"quote-{quote.pk}"


def _is_open(quote: Quote) -> bool:
    ends_on = my.link_ends_on(quote)
    return ends_on is not None and timezone.localdate() <= ends_on


def _closed(request: HttpRequest) -> HttpResponse:
    """The same to whoever has no key, a wrong one, one that is over, or no cookie; whether the quote exists or not."""
    return for_the_holder_of_the_key(render(request, "renewals/my/quote_closed.html", status=404))


def _door(request: HttpRequest, number: str) -> Door | None:
    """The door that the browser's cookie opens, if it does: the row has to have the hash still."""
    found = re.fullmatch(r"Q-(\d{6,12})", number)
    quote = Quote.objects.select_related("customer").filter(pk=int(found[1])).first() if found else None
    if quote is None or quote.number != number or not _is_open(quote):
        return None
    said, _, key_hash = (request.get_signed_cookie(_cookie(quote), "", salt=SALT) or "").partition(" ")
    opened = quote.versions.filter(number=int(said), key_hash=key_hash).first() if key_hash else None
    version = my.current_version(quote) if opened else None
    if version is None:
        return None
    addresses = {step: reverse(f"renewals:{step}_of_link", args=[number]) for step in STEPS}
    page = reverse("renewals:quote_of_link", args=[number])
    return Door(version, opened, None, page, addresses, _let_in)


def _by_link(step: Step) -> Callable[..., HttpResponse]:
    """A step of the page for whoever's browser has the cookie."""

    @wraps(step)
    def view(request: HttpRequest, number: str) -> HttpResponse:
        door = _door(request, number)
        if door is None:
            return _closed(request)
        response = for_the_holder_of_the_key(step(request, door))
        # The key is not in this address. Without any referrer browsers would post forms from nowhere (Origin: null),
        # which is refused as forged.
        response["Referrer-Policy"] = "same-origin"
        return response

    return view


quote_of_link = require_GET(_by_link(quote_page.show))
document_of_link = require_GET(_by_link(quote_page.document))
accept_of_link = require_POST(_by_link(quote_page.accept))
decline_of_link = require_POST(_by_link(quote_page.decline))
ask_of_link = require_POST(_by_link(quote_page.ask))
choose_of_link = require_POST(_by_link(quote_page.choose))
again_of_link = require_POST(_by_link(quote_page.again))

"""Check a code: the page whose script reads and verifies an unlock code in the browser, which sends nothing.

It is handed what everybody may know, as data: the public keys by slot, and the names of products by the numbers that
codes state. Its policy lets it ask nobody (`connect-src`), and what is typed stands in no form.
"""

from typing import Any

from csp.constants import NONE
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dongles import queries
from dongles.keys import PublicKeys, demo_keys, public_keys
from dongles.unlock.codec import ROOT_SLOT


@require_GET
@csp_replace({"connect-src": [NONE]})
def check_code(request: HttpRequest) -> HttpResponse:
    """For whoever has a code, without logging in."""
    answer = render(request, "dongles/check_code.html", {"known": known_to_everybody()})
    answer["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return answer


def known_to_everybody() -> dict[str, Any]:
    """What the script needs to read codes; keys that everybody can sign with are named, so that it can tell."""
    keys, demo = public_keys(), demo_keys()
    own = _by_slot(keys)
    return {
        "keys": [{"slot": slot, "key": key} for slot, key in own.items()],
        "signingSlot": keys.signing_slot,
        "isDemo": keys == demo,
        "demoKeys": [key for key in _by_slot(demo).values() if key not in own.values()],
        "products": queries.product_names(),
        "vendor": settings.VENDOR["name"],
        "email": settings.VENDOR["email"],
    }


def _by_slot(keys: PublicKeys) -> dict[int, str]:
    return {slot: key.hex() for slot, key in (*sorted(keys.slots.items()), (ROOT_SLOT, keys.root))}

"""How many requests for a quote (Q5) may come from one sender, for one serial number, with one e-mail address.

They are counted in the cache (settings.REQUEST_LIMITS). A serial number counts by its text, on record or not, so that a
limit tells nothing. What the cache doesn't answer raises RedisError: without counting no request is taken.
"""

import time
from collections.abc import Iterator, Sequence

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import Rate
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from dongles.unlock import canonical_serial
from portal.spelling import folded_address

APP = "renewals"


def seconds_held(request: HttpRequest, serials: Sequence[str], email: str) -> int:
    """For how many seconds from now this request would be refused; 0 where it would not."""
    longest, now = 0.0, time.time()
    for action, key, rate in _limits(serials, email):
        history = cache.get(_key(request, action, rate, key), [])  # newest first
        recent = [at for at in history if at > now - rate.duration]
        if len(recent) >= rate.amount:
            longest = max(longest, recent[rate.amount - 1] + rate.duration - now)
    return int(longest) + 1 if longest else 0


def count(request: HttpRequest, serials: Sequence[str], email: str) -> None:
    """Count a request that is being taken."""
    for action, key in _counted(serials, email):
        ratelimit.consume(request, app=APP, action=action, config=settings.REQUEST_LIMITS, key=key)


def in_words(seconds: int) -> str:
    """“5 minutes”, “3 hours”."""
    number, word = (-(-seconds // 60), "minute") if seconds <= 5400 else (-(-seconds // 3600), "hour")
    return f"{number} {word}{'' if number == 1 else 's'}"


def _counted(serials: Sequence[str], email: str) -> Iterator[tuple[str, str]]:
    yield "sender", ""
    yield "email", folded_address(email)
    for serial in serials:
        yield "serial", canonical_serial(serial)


def _limits(serials: Sequence[str], email: str) -> Iterator[tuple[str, str, Rate]]:
    for action, key in _counted(serials, email):
        for rate in ratelimit.get_rates(app=APP, action=action, config=settings.REQUEST_LIMITS):
            yield action, key, rate


def _key(request: HttpRequest, action: str, rate: Rate, key: str) -> str:
    found: str = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
    return found

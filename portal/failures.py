"""Failures of passwords and codes: how long an account or an address is held, in words, and who is told of it.

allauth counts them in the cache (ACCOUNT_RATE_LIMITS["login_failed"]); here its counts are read. Without the cache
nobody logs in: counting is not optional (portal/accounts.py says so on the page, portal/api/login.py in a problem).
"""

import time
from collections.abc import Container

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from portal.audit import Actor, Deed, record
from portal.models import User

COUNTING = {"app": "allauth.account", "action": "login_failed"}
HELD_CODES = ("too_many_login_attempts", "rate_limited")  # allauth's names
MINUTE, HOUR = 60, 3600
PAGE = Actor("Log in")


def password_key(email: str) -> str:
    """Under which failed passwords of an e-mail address are counted, whether anybody has it or not."""
    return f"email:{email.strip().lower()}"


def code_key(user: User) -> str:
    """Under which failed codes of a user are counted."""
    return f"mfa-auth-user-{user.pk}"


def seconds_held(request: HttpRequest, key: str, *, pers: Container[str] = ("key", "ip")) -> int:
    """For how many seconds from now the next attempt is refused; 0 where it is not.

    `pers` are the limits looked at: those of the account (key), of the address that the request comes from (ip).
    """
    longest = 0.0
    now = time.time()
    for rate in (each for each in ratelimit.get_rates(**COUNTING) if each.per in pers):
        history = cache.get(ratelimit.get_cache_key(request, rate=rate, key=key, **COUNTING), [])  # newest first
        recent = [at for at in history if at > now - rate.duration]
        if len(recent) >= rate.amount:
            longest = max(longest, recent[rate.amount - 1] + rate.duration - now)
    return int(longest) + 1 if longest else 0


def refusal(request: HttpRequest, key: str) -> ValidationError:
    """The sentence that says when to try again."""
    seconds = max(seconds_held(request, key), 1)
    if seconds > HOUR:
        hours = -(-seconds // HOUR)
        text = f"Too many failed attempts: this account is locked for {hours} hours. An administrator can unlock it."
    else:
        minutes = -(-seconds // MINUTE)
        text = f"Too many failed attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    return ValidationError(text, code=HELD_CODES[0])


def note_failure(request: HttpRequest, user: User, key: str) -> None:
    """Record the failure after which a user's account is held. Attempts while it is held leave no record."""
    seconds = seconds_held(request, key, pers=("key",))
    if seconds:
        action = "lock_login" if seconds > HOUR else "slow_login"
        record(PAGE, timezone.now(), Deed(action, user, after={"minutes": -(-seconds // MINUTE)}))


def forget(user: User) -> None:
    """Count from nothing again for this user: passwords and codes. What an address has failed stays counted."""
    for rate in ratelimit.get_rates(**COUNTING):
        if rate.per == "key":
            for key in (password_key(user.email), code_key(user)):
                cache.delete(ratelimit.get_cache_key(None, rate=rate, key=key, **COUNTING))

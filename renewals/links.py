"""The key in the link of a sent quote, which opens the quote's page for whoever has it.

The key is kept nowhere: a row has its SHA-256, by which it is found, and a random number, from which the key is made
anew with the portal's secret key for a further mail. Whoever reads the database alone can't open a quote.

    key = base64url(HMAC-SHA256(secret key, number)), 43 letters for 256 bits
"""

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "renewals.links"
LIVES_ON = timedelta(days=30)  # past the last valid day of the quote


class Link(NamedTuple):
    """What a row keeps of a key."""

    key_hash: str
    key_nonce: str


def new_link() -> Link:
    """A link of its own for a version that is being sent."""
    return link_of(secrets.token_urlsafe(18))


def link_of(nonce: str) -> Link:
    """The link whose key is made from a number, with today's secret key."""
    return Link(hash_of(_key(nonce, settings.SECRET_KEY)), nonce)


def key_of(link: Link) -> str:
    """The key that the link was sent with; none where the secret key of then is gone (SECRET_KEY_FALLBACKS).

    The link itself goes on working then: what it opens is found by its hash.
    """
    if link.key_nonce:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            key = _key(link.key_nonce, secret)
            if constant_time_compare(hash_of(key), link.key_hash):
                return key
    return ""


def hash_of(key: str) -> str:
    """By which a row is found: hexadecimal SHA-256. A key of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def _key(nonce: str, secret: str) -> str:
    made = salted_hmac(SALT, nonce, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

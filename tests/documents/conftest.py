"""A vendor with an address of its own, and quotes that were sent with a key."""

from datetime import date

import pytest

from renewals import links
from renewals.documents import quote_pdf
from renewals.models import QuoteVersion
from tests import world
from tests.documents.reading import NONCE

VENDOR = {
    "name": "Imaging Vendor Ltd",
    "address": "1 Example Way, Cambridge",
    "email": "sma@vendor.example",
    "registration": "VAT GB 000 0000 00",
    "telephone": "+44 1223 000000",
    "terms": "Payment within 30 days.",
}


@pytest.fixture(autouse=True)
def _vendor(settings):
    settings.VENDOR = dict(VENDOR)
    settings.ADDRESS = "https://portal.example"


@pytest.fixture
def sent(catalogue):
    """Makes a customer's dongle, a quote for it sent that day, and its document."""

    def make(on="2026-03-01", customer=None, licences=None, dongle=None, **asked):
        if dongle is None:
            which = {} if licences is None else {"licences": licences}
            dongle = world.make_dongle(customer=world.make_customer(**(customer or {})), **which)
        version = with_key(world.send(dongle, on, **asked))
        return version, quote_pdf(version, on=date.fromisoformat(on))

    return make


def with_key(version: QuoteVersion) -> QuoteVersion:
    link = links.link_of(NONCE)
    version.key_hash, version.key_nonce = link
    return version

"""A price list changed or deleted while a quote is being made from it: one waits for the other.

The control does the same without the lock that both take.
"""

import threading
import time

import pytest
from django.db import IntegrityError, connection

from portal.errors import DomainError
from renewals.models import PriceList, QuoteVersion
from renewals.services import catalogue as terms
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NOW = {"actor": world.SALES, "at": world.at("2026-02-01")}


@pytest.fixture
def dongle(transactional_db):
    world.make_catalogue()
    return world.make_dongle()


def without_terms_lock(execute, sql, params, many, context):
    return execute(
        "SELECT 1" if "pg_advisory_xact_lock" in sql else sql, None if "pg_adv" in sql else params, many, context
    )


class Meanwhile:
    """Lets a drafted quote wait, once it is priced and before it is written, until something else was tried."""

    def __init__(self):
        self.is_priced, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "renewals_quoteversion"'):
            self.is_priced.set()
            self.may_go_on.wait(0.5)
        return execute(sql, params, many, context)


def drafted_while(dongle, deed, *, locked):
    """What comes of a draft and of the deed that begins once the draft is priced, and ends before it where it can."""
    meanwhile = Meanwhile()

    def draft():
        with connection.execute_wrapper(meanwhile):
            return world.draft(dongle, "2026-02-01")

    def interfere():
        meanwhile.is_priced.wait(10)
        try:
            return deed()
        finally:
            meanwhile.may_go_on.set()

    def run(call):
        if locked:
            return call

        def unlocked():
            with connection.execute_wrapper(without_terms_lock):
                return call()

        return unlocked

    started = time.monotonic()
    results = at_once([run(draft), run(interfere)])
    assert time.monotonic() - started < 30
    return results


def delete():
    return terms.delete_price_list(price_list=PriceList.objects.get(), **NOW)


def raise_prices():
    price_list = PriceList.objects.get()
    prices = {
        product: each._replace(sma_year=each.sma_year + 1) for product, each in terms.prices_of(price_list).items()
    }
    return terms.keep_price_list(price_list=price_list, prices=prices, **NOW)


@pytest.mark.parametrize("deed", [delete, raise_prices])
def test_a_list_that_a_quote_is_being_made_from_stays(dongle, deed):
    version, refusal = drafted_while(dongle, deed, locked=True)
    assert isinstance(refusal, DomainError), refusal
    assert refusal.code == "price_list_used"
    assert QuoteVersion.objects.get() == version
    assert version.net == sum(
        entry.sma_year for entry in PriceList.objects.get().entries.filter(product__number__lt=200)
    )


def test_without_the_lock_the_quote_breaks_that_was_being_made(dongle):
    version, deleted = drafted_while(dongle, delete, locked=False)
    assert deleted is None
    assert isinstance(version, IntegrityError)
    assert not QuoteVersion.objects.exists()


def test_without_the_lock_a_quote_says_other_prices_than_its_list(dongle):
    version, _ = drafted_while(dongle, raise_prices, locked=False)
    assert version.net == 210_000
    assert sum(entry.sma_year for entry in version.price_list.entries.filter(product__number__lt=200)) == 210_002

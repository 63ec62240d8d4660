"""Who books and who closes at the same moment: what is booked in a month is in its close, or goes into the next one.
Rates of a month do not change any more once it is being closed.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from portal.errors import DomainError
from renewals.invariants import closes as closes_invariant
from renewals.models import ExchangeRate, MonthClose, Order, RevenueSegment
from renewals.overviews.finance.months import prove_close
from renewals.services.closing import close_month
from renewals.services.rates import keep_rate
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
SHARED, UNSHARED = "pg_advisory_xact_lock_shared(%s)", "%s::bigint"


class Pausing:
    """Runs statements, and after the first of a kind lets the other go on for a while; perhaps without the locks."""

    def __init__(self, begins_with: str, done: threading.Event, other: threading.Event, *, locked: bool) -> None:
        self.begins_with, self.done, self.other, self.locked = begins_with, done, other, locked

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql if self.locked else without_locks(sql), params, many, context)
        if sql.startswith(self.begins_with) and not self.done.is_set():
            self.done.set()
            self.other.wait(0.7)
        return result


def without_locks(sql):
    return "SELECT 1" if sql.startswith("LOCK TABLE") else sql.replace("FOR SHARE", "").replace(SHARED, UNSHARED)


def close():
    return close_month(month=FEBRUARY, actor=world.SALES, at=world.at("2026-03-01"))


def booked_and_closed(version, first: str, *, locked: bool, on="2026-02-28"):
    """The order and the close, or its refusal; `first` has booked or closed, and has not committed, when the other
    begins."""
    calls = {
        'INSERT INTO "renewals_revenuesegment"': lambda: world.accept(version, on),
        'INSERT INTO "renewals_ledgerentry"': close,
    }
    order, closed = overlapping(calls, is_last_first=first == "closing", locked=locked)
    assert isinstance(order, Order), order
    return order, closed


def overlapping(calls, *, is_last_first: bool, locked: bool):
    """What two calls return, or the refusals; one of them has made its statement, which its key begins, and has not
    committed, when the other begins."""
    begun, other_done = threading.Event(), threading.Event()
    first = list(calls)[is_last_first]

    def run(name):
        try:
            if name != first:
                begun.wait(10)
                begun.set()
            with connection.execute_wrapper(Pausing(name, begun, other_done, locked=locked)):
                return calls[name]()
        except DomainError as refusal:
            return refusal
        finally:
            if name != first:
                other_done.set()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def version(transactional_db):
    """A quote that is about to be accepted on the last day of a month, in which something was sold already."""
    world.make_catalogue()
    world.sell(world.make_dongle("104234"), "2026-02-01")
    return world.send(world.make_dongle(), "2026-01-30")


def findings():
    return [str(finding) for batch in closes_invariant.check(timezone.now()) for finding in batch.findings]


def months_of(order):
    return set(RevenueSegment.objects.filter(order_line__order=order).values_list("booked_month", flat=True))


def test_who_closes_waits_for_who_has_booked_and_closes_with_it_f1(version):
    order, closed = booked_and_closed(version, "booking", locked=True)
    assert (months_of(order), closed.segments) == ({FEBRUARY}, 4)
    assert prove_close(closed).is_equal
    assert findings() == []


def test_without_the_lock_what_was_booked_is_missing_in_the_close(version):
    order, closed = booked_and_closed(version, "booking", locked=False)
    assert (months_of(order), closed.segments) == ({FEBRUARY}, 2)
    assert findings() != []


def test_who_books_waits_for_who_closes_and_books_in_the_next_month_f1(version):
    order, closed = booked_and_closed(version, "closing", locked=True)
    assert (months_of(order), closed.segments) == ({MARCH}, 2)
    assert findings() == []


def test_without_the_lock_it_is_booked_in_the_month_that_is_being_closed(version):
    order, _ = booked_and_closed(version, "closing", locked=False)
    assert months_of(order) == {FEBRUARY}
    assert findings() != []


def test_who_closes_the_first_month_waits_for_who_has_booked_before_it_and_is_told_f1(version):
    order, refusal = booked_and_closed(version, "booking", locked=True, on="2026-01-31")
    assert (months_of(order), refusal.code) == ({JANUARY}, "earlier_month_open")
    assert findings() == []


def test_without_the_lock_the_first_month_is_closed_after_one_that_stays_open(version):
    order, closed = booked_and_closed(version, "booking", locked=False, on="2026-01-31")
    assert (months_of(order), closed.month_id) == ({JANUARY}, FEBRUARY)
    assert findings() != []


def test_who_books_before_the_first_month_waits_for_its_close_and_books_after_it_f1(version):
    order, closed = booked_and_closed(version, "closing", locked=True, on="2026-01-31")
    assert (months_of(order), closed.segments) == ({MARCH}, 2)
    assert findings() == []


def test_without_the_lock_it_is_booked_before_the_first_month_while_that_is_closed(version):
    order, _ = booked_and_closed(version, "closing", locked=False, on="2026-01-31")
    assert months_of(order) == {JANUARY}
    assert findings() != []


def change_of_a_rate_while_its_month_is_closed(*, locked: bool):
    """What comes of it, for a month in which nothing was booked."""
    world.make_catalogue()
    world.sell(world.make_dongle(), "2026-01-31")
    close_month(month=JANUARY, actor=world.SALES, at=world.at("2026-02-01"))
    by = {"month": FEBRUARY, "currency": "USD", "source": "ECB", "actor": world.SALES, "at": world.at("2026-03-01")}
    keep_rate(rate=Decimal("0.92"), **by)
    calls = {
        'UPDATE "renewals_exchangerate"': lambda: keep_rate(rate=Decimal("0.93"), **by),
        'INSERT INTO "renewals_monthclose"': close,
    }
    changed, closed = overlapping(calls, is_last_first=True, locked=locked)
    assert isinstance(closed, MonthClose), closed
    return changed


def test_who_changes_a_rate_waits_for_who_closes_its_month_and_is_told(transactional_db):
    assert change_of_a_rate_while_its_month_is_closed(locked=True).code == "rate_of_closed_month"
    assert ExchangeRate.objects.get().rate == Decimal("0.92")


def test_without_the_lock_the_rate_of_a_month_changes_that_is_being_closed(transactional_db):
    assert change_of_a_rate_while_its_month_is_closed(locked=False).rate == Decimal("0.93")


def test_of_two_who_close_a_month_at_once_one_does_and_the_other_is_told(version):
    results = at_once([close] * 2)
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "MonthClose"], results
    assert [result.code for result in results if isinstance(result, DomainError)] == ["month_closed"]
    assert findings() == []

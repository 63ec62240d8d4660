"""Who books and who closes at the same moment: what is booked in a month is in its close, or goes into the next one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection
from django.utils import timezone

from portal.errors import DomainError
from renewals.invariants import closes as closes_invariant
from renewals.models import MonthClose, Order, RevenueSegment
from renewals.overviews.finance.months import prove_close
from renewals.services.closing import close_month
from tests import world
from tests.services.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


class Pausing:
    """Runs statements, and after the first of a kind lets the other go on for a while; perhaps without share locks."""

    def __init__(self, begins_with: str, done: threading.Event, other: threading.Event, *, locked: bool) -> None:
        self.begins_with, self.done, self.other, self.locked = begins_with, done, other, locked

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql if self.locked else sql.replace("FOR SHARE", ""), params, many, context)
        if sql.startswith(self.begins_with) and not self.done.is_set():
            self.done.set()
            self.other.wait(0.7)
        return result


def close():
    return close_month(month=FEBRUARY, actor=world.SALES, at=world.at("2026-03-01"))


def booked_and_closed(version, first: str, *, locked: bool):
    """The order and the close; `first` has done what it does, and has not committed, when the other begins."""
    begun, other_done = threading.Event(), threading.Event()
    pauses = {
        "booking": Pausing('INSERT INTO "renewals_revenuesegment"', begun, other_done, locked=locked),
        "closing": Pausing('INSERT INTO "renewals_ledgerentry"', begun, other_done, locked=locked),
    }
    calls = {"booking": lambda: world.accept(version, "2026-02-28"), "closing": close}

    def run(name):
        try:
            if name != first:
                begun.wait(10)
                begun.set()
            with connection.execute_wrapper(pauses[name]):
                return calls[name]()
        finally:
            if name != first:
                other_done.set()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, ("booking", "closing")))
    assert [type(result) for result in results] == [Order, MonthClose]
    return results


@pytest.fixture
def version(transactional_db):
    """A quote that is about to be accepted on the last day of a month, in which something was sold already."""
    world.make_catalogue()
    world.sell(world.make_dongle("104234"), "2026-02-01")
    return world.send(world.make_dongle(), "2026-02-01")


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


def test_of_two_who_close_a_month_at_once_one_does_and_the_other_is_told(version):
    results = at_once([close] * 2)
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "MonthClose"], results
    assert [result.code for result in results if isinstance(result, DomainError)] == ["month_closed"]
    assert findings() == []

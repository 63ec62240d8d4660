"""What `make bench` measures with is as the portal itself writes it: the invariants find nothing in it."""

from datetime import date

import pytest
from django.utils import timezone

from renewals.invariants import periods, revenue
from renewals.models import Order, OrderLine, RevenueSegment
from tests.bench.bookings import insert_bookings

pytestmark = pytest.mark.database


def test_the_bookings_of_the_bench_are_as_orders_write_them(db):
    lines = insert_bookings(1500, date(2026, 11, 26))
    assert 1200 <= lines == OrderLine.objects.count() <= 1800
    for check in (revenue.check, periods.check):
        assert [finding for batch in check(timezone.now()) for finding in batch.findings] == []
    assert {kind for (kind,) in OrderLine.objects.values_list("quote_line__kind").distinct()} == {
        "licence", "sma_year", "upgrade"
    }  # fmt: skip
    assert RevenueSegment.objects.values("currency").distinct().count() == 4
    assert RevenueSegment.objects.values("product").distinct().count() == 8
    assert 0.005 <= Order.objects.filter(state="cancelled").count() / Order.objects.count() <= 0.05
    assert RevenueSegment.objects.filter(reason="cancellation").exists()

"""The totals of bookings are their figures added up, one at a time or all anew, and reports say the same of both."""

from datetime import date, timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from dongles.models import Product
from renewals.calendar import following
from renewals.models import BookingFigures, BookingTotals, MonthFigures, Order
from renewals.overviews.finance.figures import booking_figures, currencies_of, values_of
from renewals.overviews.finance.filters import ReportFilters
from renewals.services.cancellations import cancel_order
from renewals.services.summaries import rebuild_summaries, summarise_all
from tests import world

pytestmark = pytest.mark.database
KEY = ("booked_month", "month", "currency")
SUMS = ("recognised", "caught_up")


@pytest.fixture
def booked(catalogue):
    """A year for two licences of two products to two customers; the first order is cancelled."""
    today = timezone.localdate()
    for serial in ("1", "2"):
        dongle = world.make_dongle(serial, world.make_customer(f"Institute {serial}"))
        world.sell(dongle, (today - timedelta(days=40)).isoformat())
        summarise_all()
    order = Order.objects.order_by("pk").first()
    cancel_order(order=order, from_on=today, reason="Not needed.", actor=world.SALES, at=timezone.now())
    summarise_all()
    return today


def totals():
    return sorted(BookingTotals.objects.values_list(*KEY, *SUMS))


def added_up():
    rows = BookingFigures.objects.values(*KEY).annotate(**{f"all_{name}": Sum(name) for name in SUMS})
    return sorted(rows.values_list(*KEY, *(f"all_{name}" for name in SUMS)))


def test_the_totals_are_the_figures_added_up(booked):
    as_they_came = totals()
    assert len(as_they_came) >= 13  # the months of a year, some of them booked in two
    assert as_they_came == added_up()
    rebuild_summaries()
    assert [row for row in as_they_came if any(row[3:])] == [row for row in totals() if any(row[3:])]
    assert totals() == added_up()


def test_a_report_of_everything_says_what_those_of_its_parts_add_up_to(booked):
    filters = ReportFilters(following(booked.replace(day=1), -6), date(booked.year + 2, 12, 1))
    assert currencies_of(filters) == ["EUR"]
    whole = booking_figures(filters, "EUR")
    products = Product.objects.filter(code__in=("VOL-VIS", "VOL-QNT"))
    parts = [booking_figures(filters._replace(product=product.pk), "EUR") for product in products]
    assert whole
    assert all(parts)
    for key, row in whole.items():
        assert row == {name: sum(part.get(key, {}).get(name, 0) for part in parts) for name in SUMS}


def test_the_values_of_a_column_are_found_step_by_step(booked):
    assert values_of(MonthFigures, "currency") == values_of(BookingTotals, "currency") == ["EUR"]
    first = MonthFigures.objects.order_by("pk").first()
    for country in ("US", "AT", "JP"):
        MonthFigures.objects.filter(pk=first.pk).update(country=country)
        found = list(MonthFigures.objects.order_by("country").values_list("country", flat=True).distinct())
        assert values_of(MonthFigures, "country") == found
        assert len(found) == 2
    MonthFigures.objects.all().delete()
    assert values_of(MonthFigures, "country") == []

"""The demo's history: three years of sales by the portal's own services, which leave things as they would be without.

It is planned by pure functions, so most is asked of the plan; the whole is built once.
"""

from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import transaction
from django.db.models import Min, Sum
from django.test.utils import override_settings

from dongles import coverage
from dongles.models import Dongle
from dongles.queries import coverage_of, licences_of
from portal.errors import DomainError
from portal.models import OutboxMessage
from renewals.demo import history
from renewals.demo.build import build_demo
from renewals.demo.catalogue import months_from
from renewals.demo.crowd import demo_dongles
from renewals.demo.customers import PAYMENT, demo_customers
from renewals.demo.situations import SITUATIONS
from renewals.models import MonthFigures, Order, QuoteLine, QuoteVersion, RevenueSegment
from renewals.services.summaries import summarise_all
from tests.demo.conftest import DEMO_DAY


def crowd(on):
    return list(demo_dongles(on, 120, 40))[len(SITUATIONS) :][: history.TAKES_PART]


@pytest.mark.parametrize("on", [DEMO_DAY, date(2028, 2, 29), date(2027, 1, 1), date(2027, 12, 31)])
def test_what_is_sold_in_the_history_is_taken_off_the_record_and_nothing_lies_ahead(on):
    dongles = crowd(on)
    past = history.past_of(dongles, on)
    assert past == history.past_of(dongles, on)
    sold = Counter()
    for sale in past.sales:
        assert months_from(on, -history.MONTHS) <= sale.day < on
        if sale.outcome != "declined":
            sold.update(dict.fromkeys(sale.serials, sale.years))
    for before, after in zip(dongles, past.dongles, strict=True):
        years = len(before.licences[0].periods) - len(after.licences[0].periods)
        assert years - sold[before.serial] in (0, 1), "one more where it came back after a gap of a year"


def test_orders_are_kept_cancelled_and_annulled_and_quotes_declined():
    sales = history.past_of(crowd(DEMO_DAY), DEMO_DAY).sales
    assert {sale.outcome for sale in sales} == {"kept", "cancelled", "annulled", "declined"}


def test_whose_orders_wait_for_payment_pays_them_however_many_customers_there_are():
    customers = demo_customers(4_000)
    dongles = [dongle for dongle in demo_dongles(DEMO_DAY, 400, 4_000) if dongle.customer is not None][-360:]
    whose = {dongle.serial: customers[dongle.customer] for dongle in dongles}
    sales = history.past_of(dongles, DEMO_DAY).sales
    assert {sale.pays_first for sale in sales if sale.outcome != "declined"} == {True, False}
    for sale in sales:
        if sale.outcome != "declined":
            assert sale.pays_first == (whose[sale.serials[0]].fulfil_on == PAYMENT), sale


def test_without_a_history_the_dongles_are_as_they_were():
    dongles = crowd(DEMO_DAY)
    assert history.past_of(dongles, DEMO_DAY, 0) == (dongles, [])


def test_a_history_longer_than_the_price_lists_is_refused(db):
    with pytest.raises(DomainError, match="history_out_of_range"):
        build_demo(on=DEMO_DAY, months=history.MONTHS + 1)
    assert not Dongle.objects.exists()


@pytest.mark.database
def test_three_years_are_sold_in_four_currencies_with_all_that_happens_to_orders(
    django_db_setup, django_db_blocker, tmp_path
):
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(
            OUTBOX_DISPATCH="none",
            SIGNER_LOG=tmp_path / "signer.log",
            FILES_DIR=tmp_path / "files",
            DOWNLOADS_DIR=tmp_path / "downloads",
        ),
    ):
        build_demo(on=DEMO_DAY)
        assert Order.objects.count() > 45
        assert Order.objects.aggregate(first=Min("accepted_on"))["first"] < DEMO_DAY - timedelta(days=30 * 30)
        assert set(RevenueSegment.objects.values_list("currency", flat=True)) == {"EUR", "GBP", "JPY", "USD"}
        assert set(RevenueSegment.objects.values_list("reason", flat=True)) == {"sale", "cancellation", "annulment"}
        assert set(QuoteLine.objects.values_list("kind", flat=True)) >= {"sma_year", "sma_part", "upgrade", "licence"}
        assert QuoteVersion.objects.filter(state="declined").count() > 3
        assert QuoteVersion.objects.filter(order__isnull=False, discount__gt=0).count() > 2
        for dongle in Dongle.objects.filter(sequence__gt=0, bridges=None):
            covered = [coverage_of(licence) for licence in licences_of([dongle])]
            assert dongle.issued_expiry_on == coverage.least_covered_on(covered), dongle.serial
        mails = OutboxMessage.objects.filter(kind__in=("quote_sent", "code_issued"))
        assert mails.aggregate(first=Min("created_at"))["first"].date() > DEMO_DAY - timedelta(days=200)
        summarise_all()
        booked = MonthFigures.objects.aggregate(booked=Sum("booked") + Sum("credited"))["booked"]
        assert booked == RevenueSegment.objects.aggregate(amount=Sum("amount"))["amount"]
        transaction.set_rollback(True)

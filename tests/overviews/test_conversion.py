"""Figures in the reporting currency (F5): an advance keeps the rate of its booking month, and everything ties."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dongles.models import Product
from portal.errors import DomainError
from portal.models import Customer
from portal.sheets import Amount
from renewals.calendar import following
from renewals.models import BookingFigures, ExchangeRate, MonthFigures, PriceList, PriceListEntry
from renewals.overviews.finance import REPORTS, figures
from renewals.overviews.finance.converted import read_report
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.rates import convert, factor_of
from renewals.services.cancellations import cancel_order
from renewals.services.summaries import summarise_all
from tests import world

pytestmark = pytest.mark.django_db
DECEMBER, JANUARY, FEBRUARY = date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)
LAST = date(2027, 12, 1)
TODAY = date(2026, 3, 15)
ROLL_FORWARD = REPORTS["roll-forward"]
OPENING, BOOKED, CREDITED, RECOGNISED, CAUGHT_UP, DIFFERENCE, CLOSING, CURRENT = range(8)


def enter(month, currency, value):
    by = {"source": "ECB", "entered_at": world.at("2026-01-01")}
    ExchangeRate.objects.create(month=month, currency=currency, reporting_currency="EUR", rate=Decimal(value), **by)


def asked(first=DECEMBER, last=LAST, **others):
    return ReportFilters(first, last, **{"currency": REPORTING, **others})


def sell(currency, sma_year, on="2025-12-15", **terms):
    """Volocity's SMA from 1 Jan 2026 back to back, at so much a year in that currency."""
    customer = world.make_customer(f"Customer in {currency}", currency=currency)
    about = {"currency": currency, "segment": "commercial", "valid_from": world.DAY_ONE}
    prices = PriceList.objects.filter(**about).first() or PriceList.objects.create(name=currency, **about)
    product = Product.objects.get(code="VOL-VIS")
    if not prices.entries.exists():
        each = {"licence": 5 * sma_year, "sma_year": sma_year, "upgrade": 2 * sma_year}
        PriceListEntry.objects.create(price_list=prices, product=product, **each)
    dongle = world.make_dongle(f"9{customer.pk}", customer, [("VOL-VIS", "2025-12-31")])
    order = world.sell(dongle, on, **(terms or {"renew_years": 1}))
    summarise_all()
    return order


def roll_forward(filters):
    """The rows of the roll-forward by month, in minor units; the months add up to the total."""
    (section,) = ROLL_FORWARD.read(filters, TODAY).sections
    (table,) = section.tables
    found = {row[0]: [amount_of(cell) for cell in row[1:]] for row in table.rows}
    total = [amount_of(cell) for cell in table.total[1:]]
    assert total[BOOKED:CLOSING] == [
        sum(each) for each in zip(*(row[BOOKED:CLOSING] for row in found.values()), strict=True)
    ]
    return found


def amount_of(cell):
    value = cell if isinstance(cell, Amount) else getattr(cell, "value", None)
    return value and value.minor_units


@pytest.fixture
def advance(catalogue):
    """Two years of SMA sold in December 2025 for 2 × 1,200.00 dollars, and a rate that falls by 0.01 every month."""
    sell("USD", 120_000, renew_years=2)
    for index in range(26):
        enter(following(DECEMBER, index), "USD", Decimal("0.90") - Decimal("0.01") * index)


def test_f5_an_advance_over_two_years_keeps_the_rate_of_its_booking_month(advance):
    # Booked in December 2025, at 0.90. Each year is a line of 1,200.00 dollars over 365 days.
    # January: 120,000 × 31 ÷ 365 = 10,191.78 → 10,192 cents; × 0.90 = 9,172.8 → 9,173 euro cents.
    # February: through day 59 19,397.26 → 19,397, less 10,192 = 9,205; × 0.90 = 8,284.5 → 8,285, half away from zero.
    # January 2027 is as January 2026, by the other line, though the rate is 0.77 then.
    found = roll_forward(asked())
    assert [found[month][RECOGNISED] for month in (DECEMBER, JANUARY, FEBRUARY, date(2027, 1, 1))] == [
        0,
        9173,
        8285,
        9173,
    ]
    # What was booked is what its 24 months come to: 216,000, give or take half a cent a month.
    booked = sum(row[RECOGNISED] for row in found.values())
    assert 216_000 - 12 <= booked <= 216_000 + 12
    assert found[DECEMBER][BOOKED] == found[DECEMBER][CLOSING] == booked
    assert found[LAST][CLOSING] == 0
    # Current at the end of December 2025 is what 2026 earns; a year later it is all that is left.
    assert found[DECEMBER][CURRENT] == sum(found[following(JANUARY, index)][RECOGNISED] for index in range(12))
    assert found[date(2026, 12, 1)][CURRENT] == found[date(2026, 12, 1)][CLOSING]
    assert {row[DIFFERENCE] for row in found.values()} == {0}


def test_f5_an_annual_value_takes_the_rate_of_the_month_in_which_it_stands(advance):
    # 1,200.00 dollars a year: × 0.89 in January 2026, × 0.77 in January 2027.
    found = figures.month_figures(asked(), "EUR", figures=("annual",))
    assert (found[(JANUARY,)]["annual"], found[(date(2027, 1, 1),)]["annual"]) == (106_800, 92_400)


def test_f5_yen_have_no_decimals_dinars_three_and_euros_stay(catalogue):
    sell("JPY", 198_000)  # ¥198,000 × 0.00612 = 1,211.76
    sell("KWD", 400_000)  # KD 400.000 × 3.01 = 1,204.00
    sell("EUR", 120_000)  # 1,200.00
    enter(DECEMBER, "JPY", "0.00612")
    enter(DECEMBER, "KWD", "3.01")
    found = roll_forward(asked(last=DECEMBER))
    assert abs(found[DECEMBER][BOOKED] - (121_176 + 120_400 + 120_000)) <= 12
    assert roll_forward(asked(last=DECEMBER, country="DE")) == found


def test_f5_a_credit_takes_the_rate_of_the_month_in_which_it_is_booked(catalogue):
    order = sell("USD", 120_000)
    enter(DECEMBER, "USD", "0.9")
    enter(FEBRUARY, "USD", "0.8")
    by = {"actor": world.SALES, "at": world.at("2026-02-10")}
    cancel_order(order=order, from_on=date(2026, 3, 1), reason="Sold", **by)
    summarise_all()
    # Taken back from 1 Mar 2026: 306 of 365 days, 120,000 − 19,397 = 100,603 cents; × 0.8 = 80,482.4 → 80,482.
    enter(JANUARY, "USD", "0.85")
    found = roll_forward(asked(last=date(2026, 12, 1)))
    assert found[FEBRUARY][CREDITED] == -80_482
    assert found[date(2026, 12, 1)][CLOSING] == sum(
        row[BOOKED] + row[CREDITED] - row[RECOGNISED] for row in found.values()
    )


def test_rates_that_are_missing_are_refused_each_by_its_name(catalogue):
    sell("USD", 120_000)
    sell("JPY", 198_000)
    with pytest.raises(DomainError) as refusal:
        figures.month_figures(asked(first=JANUARY, last=FEBRUARY), "EUR")
    assert refusal.value.code == "rates_missing"
    # December's for what was booked then, and those of the months in which annual values stand.
    assert refusal.value.message == (
        "Rates into EUR are missing: JPY in Dec 2025, Jan 2026, Feb 2026; USD in Dec 2025, Jan 2026, Feb 2026."
    )
    assert refusal.value.data["rates"][0] == {"currency": "JPY", "month": "2025-12"}


def test_a_rate_that_no_figure_takes_is_not_asked_for(advance):
    sell("GBP", 120_000, on="2025-12-20")
    # What was sold in pounds is over by 2027.
    ExchangeRate.objects.filter(month__gt=DECEMBER).delete()
    assert figures.booking_figures(asked(first=date(2027, 1, 1)), "EUR")
    assert figures.deferred_at(asked(), "EUR", date(2026, 12, 1)) > 0
    with pytest.raises(DomainError, match="GBP in Dec 2025"):
        figures.booking_figures(asked(first=date(2026, 12, 1)), "EUR")


def test_a_customer_s_figures_are_converted_from_its_segments_alike(advance):
    customer = Customer.objects.get(name="Customer in USD")
    alone = roll_forward(asked(customer=customer.pk))
    assert alone == roll_forward(asked())
    assert figures.deferred_at(asked(customer=customer.pk), "EUR", JANUARY) == alone[JANUARY][CLOSING]


def test_a_report_says_which_rates_it_used(advance):
    report = read_report(ROLL_FORWARD, asked(last=JANUARY), TODAY)
    (section,) = report.sections
    table = section.tables[-1]
    assert (table.key, table.caption) == ("rates-used", "Rates used, in EUR")
    assert list(table.rows) == [("USD", DECEMBER, Decimal("0.9"), "ECB")]
    assert any("keeps the rate of its booking month" in note for note in report.notes)
    by_itself = read_report(ROLL_FORWARD, asked(currency=""), TODAY)
    assert [table.key for table in by_itself.sections[0].tables] == ["months"]


@given(
    st.integers(-(10**10), 10**10), st.decimals("0.0000000001", "999999", places=10), st.sampled_from(["USD", "JPY"])
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_f5_the_database_converts_as_the_rule_does(db, amount, value, currency):
    factor = factor_of(currency, value, "EUR")
    with connection.cursor() as cursor:
        cursor.execute("SELECT convert_amount(%s, %s, %s)", [amount, factor.numerator, factor.denominator])
        found = cursor.fetchone()[0]
    assert found == convert(amount, currency, value, "EUR")


months = st.integers(0, 14)
amounts = st.integers(-(10**9), 10**9).filter(bool)
advances = st.lists(
    st.tuples(
        months, st.sampled_from(["USD", "JPY", "KWD", "EUR"]), st.sampled_from(["DE", "FR"]),
        st.lists(st.tuples(months, amounts), min_size=1, max_size=5), st.booleans(),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
rates = st.decimals("0.0001", "300", places=4)


def fill(product, booked):
    """The two tables of sums as booking leaves them: what is booked in a month is what its months come to."""
    cells, monthly = defaultdict(int), defaultdict(lambda: defaultdict(int))
    for month, currency, country, parts, is_credit in booked:
        for after, amount in parts:
            cells[month, month + after, currency, country] += amount
            monthly[month, currency, country]["credited" if is_credit else "booked"] += amount
            monthly[month + after, currency, country]["recognised"] += amount
    place = {"product": product, "customer_segment": "commercial"}
    BookingFigures.objects.all().delete()
    MonthFigures.objects.all().delete()
    BookingFigures.objects.bulk_create(
        BookingFigures(
            booked_month=following(JANUARY, b),
            month=following(JANUARY, m),
            currency=c,
            country=o,
            recognised=a,
            **place,
        )
        for (b, m, c, o), a in cells.items()
    )
    MonthFigures.objects.bulk_create(
        MonthFigures(month=following(JANUARY, m), currency=c, country=o, **place, **sums)
        for (m, c, o), sums in monthly.items()
    )
    return cells


@given(advances, st.lists(rates, min_size=3, max_size=3), st.integers(0, 20), st.integers(0, 8))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_f5_opening_and_closing_tie_in_the_reporting_currency_whatever_was_booked(
    catalogue, booked, values, start, length
):
    product = Product.objects.get(code="VOL-VIS")
    ExchangeRate.objects.all().delete()
    for currency, value in zip(("USD", "JPY", "KWD"), values, strict=True):
        for index in range(30):
            enter(following(JANUARY, index), currency, value + index)
    cells = fill(product, booked)
    filters = asked(first=following(JANUARY, start), last=following(JANUARY, start + length))
    found = roll_forward(filters)
    before = None
    for index, row in enumerate(found.values(), start):
        assert row[OPENING] + row[BOOKED] + row[CREDITED] - row[RECOGNISED] - row[CAUGHT_UP] == row[CLOSING]
        assert row[OPENING] == (before if before is not None else row[OPENING])
        # What is deferred is what was booked by then and is earned later, each sum converted by itself.
        assert row[CLOSING] == sum(
            converted(amount, currency, b) for (b, m, currency, _), amount in cells.items() if b <= index < m
        )
        assert row[RECOGNISED] == sum(
            converted(amount, currency, b) for (b, m, currency, _), amount in cells.items() if m == index
        )
        before = row[CLOSING]
    countries = [roll_forward(filters._replace(country=country)) for country in ("DE", "FR")]
    for month, row in found.items():
        assert row == [sum(each) for each in zip(*(each[month] for each in countries), strict=True)]


def converted(amount, currency, booked):
    if currency == "EUR":
        return amount
    return convert(
        amount, currency, ExchangeRate.objects.get(month=following(JANUARY, booked), currency=currency).rate, "EUR"
    )

"""What is to come: what is certain, what falls due, and what of it is expected at the rate of the last twelve months.

A year of VOL-VIS costs 1,200.00. Ten dongles were sold 1 Feb 2025 – 31 Jan 2026 in one order; six of them were renewed
in time for 1 Feb 2026 – 31 Jan 2027. Today is 15 Nov 2026: of the ten that were due in the last twelve months six were
renewed at the same value, 7,200.00 of 12,000.00, so the rate by value is 60%.
"""

from datetime import date

import pytest

from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.forecast import rate_used, read_report
from renewals.overviews.finance.roll_forward import read_report as read_roll_forward
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world

TODAY = date(2026, 11, 15)
JAN, FEB, MARCH = date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)
COMING = ReportFilters(JAN, MARCH)


def sell(dongles, on):
    """A year for each of them, in one order."""
    requests = [DongleRequest(dongle, 1) for dongle in dongles]
    draft = quotes.draft_quote(customer=dongles[0].customer, requests=requests, actor=world.SALES, at=world.at(on))
    return world.accept(quotes.send_quote(version=draft, actor=world.SALES, at=world.at(on)), on)


def add_up():
    summarise_all()
    update_renewal_figures()


@pytest.fixture
def ten(catalogue):
    customer = world.make_customer()
    dongles = [world.make_dongle(str(number), customer, [("VOL-VIS", "2025-01-31")]) for number in range(10)]
    sell(dongles, "2025-01-10")
    sell(dongles[:6], "2026-01-10")
    add_up()
    return dongles


def rows_of(filters=COMING):
    """By month: certain, falls due, expected of it, certain and expected, if all is renewed; minor units."""
    (section,) = read_report(filters, TODAY).sections
    return {
        month: [getattr(cell, "value", cell) if hasattr(cell, "address") else cell for cell in row]
        for month, *row in section.tables[0].rows
    }


def amounts(filters=COMING):
    return {month: tuple(amount.minor_units for amount in row) for month, row in rows_of(filters).items()}


def test_a_month_has_what_is_sold_and_what_is_expected_worked_by_hand(ten):
    # January: the last of 365 days, 6 × (1,200.00 − 1,200.00 × 334/365 (1,098.08)) = 611.52; 6 × 1,200.00 fall due.
    # Renewed they run from 1 Feb 2027, 365 days: February 7,200.00 × 28/365 = 552.33, of it 60%: 331.40; March
    # 7,200.00 × 59/365 = 1,163.84, less February's: 611.51, of it 366.91
    assert amounts() == {
        JAN: (61_152, 720_000, 0, 61_152, 61_152),
        FEB: (0, 0, 33_140, 33_140, 55_233),
        MARCH: (0, 0, 36_691, 36_691, 61_151),
    }


def test_what_is_certain_is_the_roll_forwards_and_no_more_than_what_is_expected(ten):
    (section,) = read_roll_forward(COMING, TODAY).sections
    recognised = [row[4].value.minor_units for row in section.tables[0].rows]
    assert recognised == [row[0] for row in amounts().values()]
    for certain, _, _, expected, if_all in amounts(ReportFilters(date(2026, 12, 1), date(2028, 12, 1))).values():
        assert certain <= expected <= if_all


def test_what_is_renewed_early_is_certain_and_falls_due_no_more(ten):
    sell(ten[:1], "2026-11-10")  # 1 Feb 2027 – 31 Jan 2028, 1,200.00: 92.05 of it (28 of 365 days) in February
    add_up()
    found = amounts()
    assert (found[JAN][1], found[FEB][0]) == (600_000, 9_205)
    # 6,000.00 × 28/365 = 460.27, of it 60%: 276.16
    assert found[FEB][2] == 27_616


def test_what_was_due_before_today_is_no_longer_expected(ten):
    # The four that were not renewed ended on 31 Jan 2026: they can be won back, which is no renewal
    assert sum(row[1] for row in amounts(ReportFilters(date(2026, 1, 1), date(2027, 12, 1))).values()) == 720_000


def test_what_falls_due_before_the_months_is_expected_in_them_and_its_value_stands_in_its_own(ten):
    (section,) = read_report(ReportFilters(FEB, FEB), TODAY).sections
    total = [amount.minor_units for amount in section.tables[0].total[1:]]
    assert total == [0, 0, 33_140, 33_140, 55_233]


def test_the_rate_says_where_it_is_from(ten):
    used = rate_used(COMING, "EUR", TODAY)
    assert used.share == (720_000, 1_200_000)
    assert used.words == "The renewal rate by value from Nov 2025 to Oct 2026 was 60.0% of 10 dongles."


def test_where_few_were_due_the_rate_is_that_of_all_of_the_currency(ten):
    used = rate_used(COMING._replace(country="FR"), "EUR", TODAY)
    assert used.share == (720_000, 1_200_000)
    assert used.words == (
        "Only 0 dongles with a known value were due from Nov 2025 to Oct 2026, so the rate of all in EUR is taken:"
        " 60.0% of 10 dongles."
    )


def test_where_those_are_few_too_it_is_that_of_all_dongles_by_count(catalogue):
    kept, lost = (
        world.make_dongle(serial, world.make_customer(serial), [("VOL-VIS", "2026-03-31")]) for serial in ("1", "2")
    )
    world.sell(kept, "2026-03-10")
    add_up()
    used = rate_used(COMING, "EUR", TODAY)
    assert (used.share, lost.serial) == ((1, 2), "2")
    assert used.words.endswith("so the rate by count of all dongles is taken: 50.0% of 2 dongles.")


def test_where_nothing_was_due_nothing_is_expected(catalogue):
    world.sell(world.make_dongle("1", world.make_customer(), [("VOL-VIS", "2027-01-31")]), "2026-11-10")
    add_up()
    found = amounts(ReportFilters(date(2028, 2, 1), date(2028, 2, 1)))
    # 1 Feb 2027 – 31 Jan 2028 is certain; after it 1,200.00 × 29/366 = 95.08 if it is renewed, 29 Feb 2028 being a day
    assert found[date(2028, 2, 1)] == (0, 0, 0, 0, 9_508)
    assert rate_used(COMING, "EUR", TODAY).share is None


def test_dongles_without_a_value_on_record_are_counted(ten):
    world.make_dongle("99", ten[0].customer, [("VOL-VIS", "2027-01-31")])
    add_up()
    (section,) = read_report(COMING, TODAY).sections
    assert section.lead.endswith("Of the 7 dongles falling due, 1 has no value on record.")


def test_a_customers_forecast_is_of_that_customer(ten):
    other = world.make_customer("Other")
    assert amounts(COMING._replace(customer=ten[0].customer_id, currency="EUR")) == amounts()
    assert amounts(COMING._replace(customer=other.pk, currency="EUR"))[JAN] == (0, 0, 0, 0, 0)


def test_a_familys_forecast_is_of_that_family(ten):
    product = ten[0].licences.get().product
    assert amounts(COMING._replace(family=product.family_id)) == amounts()
    assert amounts(COMING._replace(product=product.pk)) == amounts()


def test_the_band_lies_between_what_is_certain_and_all(ten):
    (chart,) = read_report(COMING, TODAY).sections[0].charts
    (_, least), (_, most), (_, line) = chart.spec.series
    assert (chart.spec.kind, chart.spec.unit) == ("band", "EUR")
    assert (least, line, most) == ([61_152, 0, 0], [61_152, 33_140, 36_691], [61_152, 55_233, 61_151])


def test_the_future_is_not_converted(ten):
    report = read_report(COMING._replace(currency=REPORTING), TODAY)
    assert (report.sections, report.lead[:14]) == ((), "Months to come")

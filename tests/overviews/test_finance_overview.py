"""The first page of finance: a month beside the month and the year before it, and what state finance is in.

A year of VOL-VIS costs 1,200.00. S was sold on 10 Mar 2025 for 1 Apr 2025 – 31 Mar 2026 (365 days), T on 10 Mar 2026
for two years, 1 Apr 2026 – 31 Mar 2027 (365 days) and 1 Apr 2027 – 31 Mar 2028 (366 days).
"""

from datetime import date
from fractions import Fraction

import pytest
from django.utils.text import slugify

from renewals.models import AccountingMonth
from renewals.overviews.finance.due_now import due_compared, due_now, pipeline_address, same_day
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.overview import read_report
from renewals.overviews.finance.roll_forward import read_report as read_roll_forward
from renewals.overviews.finance.state import finance_state
from renewals.services.cancellations import cancel_order
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world

APRIL = date(2026, 4, 1)
LATER = date(2026, 6, 15)


@pytest.fixture
def sold(catalogue):
    """S and T of German customers, in the sums."""
    first = world.make_dongle("1", world.make_customer("S"), [("VOL-VIS", "2025-03-31")])
    second = world.make_dongle("2", world.make_customer("T"), [("VOL-VIS", "2026-03-31")])
    orders = world.sell(first, "2025-03-10"), world.sell(second, "2026-03-10", renew_years=2)
    summarise_all()
    update_renewal_figures()
    return orders


def figures(filters=None, today=LATER):
    """By the name of each figure its row without addresses: values in minor units, rates as parts."""
    report = read_report(filters or ReportFilters(APRIL, APRIL), today)
    (section,) = report.sections
    return {name.value: [plain(cell) for cell in row] for name, *row in section.tables[0].rows}


def plain(cell):
    value = cell.value if hasattr(cell, "address") else cell
    return value.minor_units if hasattr(value, "minor_units") else getattr(value, "value", value)


def rates(row):
    return [None if part is None else round(float(part), 4) for part in (row[3], row[6])]


def amounts(row):
    """The month, the one before and the change; the year before and the change."""
    return row[0], row[1], row[2], row[4], row[5]


def test_a_month_stands_beside_the_month_and_the_year_before(sold):
    found = figures()
    # Booked in March of each year alone: S 1,200.00, T 2,400.00
    assert amounts(found["Booked"]) == (0, 240_000, -240_000, 0, 0)
    assert rates(found["Booked"]) == [-1.0, None]
    # April 2026: T 1,200.00 × 30/365 = 98.63; March 2026: S 1,200.00 − 1,200.00 × 334/365 (1,098.08) = 101.92;
    # April 2025: S 98.63
    assert amounts(found["Recognised"]) == (9_863, 10_192, -329, 9_863, 0)
    assert rates(found["Recognised"]) == [-0.0323, 0.0]
    # T 2,400.00 − 98.63; at the end of March all of T; at the end of April 2025 S 1,200.00 − 98.63
    assert amounts(found["Deferred"]) == (230_137, 240_000, -9_863, 110_137, 120_000)
    assert rates(found["Deferred"]) == [-0.0411, 1.0896]
    # through 30 Apr 2027: 1,101.37 of T's first year and 1,200.00 × 30/366 = 98.36 of its second; at the end of March
    # the first year, all of it; at the end of April 2025 what is left of S
    assert amounts(found["Deferred, current"]) == (119_973, 120_000, -27, 110_137, 9_836)
    assert amounts(found["Deferred, non-current"]) == (110_164, 120_000, -9_836, 0, 110_164)
    # one year's line at a time; on 31 Mar 2026 it is S's last day
    assert amounts(found["Annual value"]) == (120_000, 120_000, 0, 120_000, 0)


def test_renewal_rates_are_of_the_twelve_months_up_to_each_month(sold):
    found = figures()
    # 31 Mar 2026: S and T were due, T was renewed in time: one of two, in the years to March and to April alike. The
    # year to April 2025 has S alone, due on 31 Mar 2025 and renewed
    assert found["Due"] == [0, 2, -2, -1, 0, 0, None]
    assert found["Renewal rate by count"] == [Fraction(1, 2), Fraction(1, 2), 0, None, 1, Fraction(-1, 2), None]
    # Of S 1,200.00 was due and nothing kept; what T had before, and S in 2025, is on record without a value
    assert found["Renewal rate by value"] == [0, 0, 0, None, None, None, None]


def test_what_is_taken_back_is_credited_and_leaves_what_is_deferred(sold):
    _, order = sold
    cancel_order(order=order, from_on=APRIL, reason="Sold", actor=world.SALES, at=world.at("2026-03-20"))
    summarise_all()
    found = figures(ReportFilters(date(2026, 3, 1), date(2026, 3, 1)))
    # T is cancelled before it begins: booked in March, and taken back whole in March
    assert (found["Booked"][0], found["Credited"][0], found["Deferred"][0]) == (240_000, -240_000, 0)


def test_deferred_revenue_is_that_of_the_roll_forward(sold):
    for month in (date(2025, 3, 1), date(2026, 3, 1), APRIL):
        filters = ReportFilters(month, month)
        (section,) = read_roll_forward(filters, LATER).sections
        row = section.tables[0].rows[0]
        found = figures(filters)
        assert [plain(row[6]), plain(row[7])] == [found["Deferred"][0], found["Deferred, current"][0]]


def test_every_figure_opens_its_lines_with_the_filters_and_nothing_opens_none(sold):
    country = ReportFilters(APRIL, APRIL, country="DE")
    (section,) = read_report(country, LATER).sections
    rows = {name.value: row for name, *row in section.tables[0].rows}
    asked = "first_month=2026-04&last_month=2026-04&country=DE&currency=EUR"
    assert rows["Deferred"][0].address == f"/finance/lines/?{asked}&figure=deferred"
    before = "first_month=2026-03&last_month=2026-03&country=DE&currency=EUR"
    assert rows["Booked"][1].address == f"/finance/lines/?{before}&figure=booked"
    assert rows["Booked"][0].address == ""


def test_every_figure_has_its_definition_on_the_page(sold):
    report = read_report(ReportFilters(APRIL, APRIL), LATER)
    defined = {f"#{slugify(each.term)}" for each in report.definitions}
    for name, *_ in report.sections[0].tables[0].rows:
        assert name.address in defined


def test_filters_hold_for_every_figure(sold):
    assert figures(ReportFilters(APRIL, APRIL, country="FR", currency="EUR"))["Deferred"][0] == 0
    customer = sold[1].customer_id
    found = figures(ReportFilters(APRIL, APRIL, customer=customer, currency="EUR"))
    assert amounts(found["Deferred"]) == (230_137, 240_000, -9_863, 0, 230_137)


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 3, 31), "April 2026 has not begun"),
        (date(2026, 4, 30), "April 2026 is not over: its figures so far, beside whole months, Mar 2026 and Apr 2025"),
        (date(2026, 5, 1), "April 2026 beside Mar 2026 and Apr 2025, as reported"),
    ],
)
def test_an_unfinished_month_is_said_to_be_one(sold, today, said):
    assert read_report(ReportFilters(APRIL, APRIL), today).lead.startswith(said)


def test_without_a_sale_there_is_nothing_to_show(catalogue):
    report = read_report(ReportFilters(APRIL, APRIL), LATER)
    assert (report.lead, report.sections) == ("Nothing has been sold yet, so there are no figures.", [])
    assert finance_state(LATER).closed_in_words == "Nothing has been booked yet."


def test_the_state_names_what_is_closed_and_what_comes_next(sold):
    assert finance_state(LATER).closed_in_words == "No month is closed yet; Mar 2025 can be closed next."
    AccountingMonth.objects.update_or_create(month=date(2026, 5, 1), defaults={"is_closed": True})
    words = "Closed through May 2026; Jun 2026 is not over, and can be closed after that."
    assert finance_state(LATER).closed_in_words == words
    assert finance_state(date(2026, 7, 1)).closed_in_words == "Closed through May 2026; Jun 2026 can be closed next."


def test_what_was_booked_before_months_were_kept_comes_next_too(sold):
    AccountingMonth.objects.all().delete()
    assert finance_state(LATER).closed_in_words == "No month is closed yet; Mar 2025 can be closed next."


def test_bookings_that_the_figures_lack_are_counted_until_they_are_in(sold):
    world.sell(world.make_dongle("3", world.make_customer("U"), [("VOL-VIS", "2026-06-30")]), "2026-06-10")
    assert finance_state(LATER).waiting_in_words == (
        "1 booked amount waits to be added to the figures, which are without them."
    )
    summarise_all()
    assert finance_state(LATER).waiting_in_words == "All bookings are in the figures."


def test_the_state_names_the_rates_that_are_missing_of_this_month_and_the_twelve_before(sold, settings):
    assert finance_state(LATER).missing_in_words == ""  # all is in euros
    settings.REPORTING_CURRENCY = "USD"
    # S and T have an annual value in every month from April 2025 on: from June 2025 to June 2026 it is thirteen months.
    state = finance_state(LATER)
    assert len(state.missing) == 13
    assert state.missing_in_words == (
        "Exchange rates are missing for reports in one currency:"
        " EUR in Jun 2025, EUR in Jul 2025, EUR in Aug 2025, EUR in Sep 2025 and 9 more."
    )


def test_what_is_due_now_is_the_pipelines(catalogue):
    customer = world.make_customer()
    world.make_dongle("1", customer, [("VOL-VIS", "2026-06-30")])  # due in 30 days: 1,200.00 a year
    world.make_dongle("2", customer, [("OPL-FUL", "2026-05-31")])  # lapsed: 1,500.00
    world.make_dongle("3", customer, [("OPL-FUL", "2020-05-31")])  # lost
    found = due_now(ReportFilters(APRIL, APRIL), LATER)
    rows = {row[0].value: (row[1], row[2] and row[2].minor_units) for row in found.rows}
    assert rows["Due in 30 days"] == (1, 120_000)
    assert rows["Lapsed less than a year"] == (1, 150_000)
    assert (found.total, "Lost" in rows) == (2, False)
    assert found.rows[0][0].address == "/pipeline/?bucket=due_30"


def test_filters_go_on_to_the_pipeline_as_far_as_it_knows_them(sold):
    family = sold[0].customer.dongles.get().licences.get().product.family
    filters = ReportFilters(APRIL, APRIL, family=family.pk, country="DE", currency="EUR", segment="commercial")
    assert pipeline_address(filters, "lapsed") == "/pipeline/?bucket=lapsed&family=Volocity&country=DE&currency=EUR"
    assert due_now(filters, LATER).unfiltered == ["segment"]


def test_the_pipeline_stands_against_that_of_a_month_and_a_year_ago_by_what_was_sold_by_then(catalogue):
    # 15 Jun 2026: 1 is due on 30 Jun. 15 May: 2 was due too, on 31 May; it was renewed on 20 May for a year. 15 Jun
    # 2025: none was due within 90 days. Each costs 1,200.00 a year.
    customer = world.make_customer()
    world.make_dongle("1", customer, [("VOL-VIS", "2026-06-30")])
    world.sell(world.make_dongle("2", customer, [("VOL-VIS", "2026-05-31")]), "2026-05-20")
    compared = due_compared(ReportFilters(APRIL, APRIL), LATER)
    assert [column.head for column in compared.columns][:3] == ["What", "Today", "15 May 2026"]
    rows = {name: [plain(cell) for cell in cells] for name, *cells in compared.rows}
    assert rows["Due within 90 days, dongles"] == [1, 2, -1, Fraction(-1, 2), 0, 1, None]
    assert rows["Due within 90 days, EUR a year"] == [120_000, 240_000, -120_000, Fraction(-1, 2), 0, 120_000, None]
    assert rows["Lapsed, dongles"][:2] == [0, 0]


def test_what_came_or_was_withdrawn_later_stands_as_it_was(catalogue):
    dongle = world.make_dongle("1", world.make_customer(), [("VOL-VIS", "2026-06-30"), ("VOL-QNT", "2026-06-30")])
    first, second = dongle.licences.order_by("pk")
    type(first).objects.filter(pk=first.pk).update(withdrawn_on=date(2026, 6, 1), withdrawal_reason="Sold")
    type(first).objects.filter(pk=second.pk).update(acquired_on=date(2026, 6, 2))
    compared = due_compared(ReportFilters(APRIL, APRIL), LATER)
    rows = {name: [plain(cell) for cell in cells] for name, *cells in compared.rows}
    # VOL-QNT costs 900.00 a year; a month before, VOL-VIS alone was there
    assert rows["Due within 90 days, EUR a year"][:2] == [90_000, 120_000]


@pytest.mark.parametrize(
    ("day", "months", "same"),
    [
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2028, 2, 29), -12, date(2027, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
    ],
)
def test_the_same_day_of_a_shorter_month_is_its_last(day, months, same):
    assert same_day(day, months) == same

"""Recognised revenue, roll-forward and waterfall: each ties to the others, to the segments, and to its lines."""

from datetime import date
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.sheets import Amount
from renewals import recognition
from renewals.calendar import following, last_day
from renewals.forms.finance import LinesForm
from renewals.models import RevenueSegment
from renewals.overviews.finance import REPORTS, lines, recognised, roll_forward, waterfall
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Figure
from tests import world
from tests.overviews.books import Books, Sold

TODAY = date(2026, 6, 15)
YEAR = ReportFilters(date(2025, 7, 1), date(2026, 6, 1))
LINES = "/finance/lines/"


@pytest.fixture
def books(db):
    return Books()


def minor(cell):
    """An amount's minor units, of a figure or of an amount by itself."""
    value = cell.value if isinstance(cell, Figure) else cell
    assert isinstance(value, Amount)
    return value.minor_units


def table_of(report, currency="EUR", key=None):
    section = next(each for each in report.sections if each.currency == currency)
    return next(each for each in section.tables if key in (None, each.key))


def by_head(table, row):
    return {column.head: cell for column, cell in zip(table.columns, row, strict=True)}


def test_three_years_paid_ahead_are_deferred_as_the_rule_works_it_out_f2(books):
    # 2,970.00 over the 1,095 days of 1 Jul 2024 … 30 Jun 2027; 184 of them by 31 Dec 2024:
    # 297,000 × 184 ÷ 1,095 = 49,906.8 → 499.07; 2,970.00 − 499.07 = 2,470.93; through 31 Dec 2025 549 days:
    # 297,000 × 549 ÷ 1,095 = 148,906.8 → 1,489.07, so 990.00 of it is current and 1,480.93 is not.
    books.sell(Sold(297_000, date(2024, 7, 1), date(2027, 6, 30), date(2024, 7, 1)))
    books.summarise()
    table = table_of(roll_forward.read_report(ReportFilters(date(2024, 7, 1), date(2024, 12, 1)), TODAY))
    december, total = by_head(table, table.rows[-1]), by_head(table, table.total)
    assert minor(total["Booked"]) == 297_000
    assert minor(total["Recognised"]) == 49_907
    assert minor(december["Closing"]) == 247_093
    assert minor(december["Of it current"]) == 99_000
    assert minor(december["Non-current"]) == 148_093


def test_what_comes_late_is_caught_up_in_the_waterfalls_month_of_booking_f1(books):
    # 1,200.00 over 365 days from 1 Jan 2026, booked in March since January and February are closed:
    # 59 days before March, 120,000 × 59 ÷ 365 = 19,397.3 → 193.97 caught up; through 31 Mar 90 days, 295.89.
    books.close_through(date(2026, 2, 1))
    books.sell(Sold(120_000, date(2026, 1, 1), date(2026, 12, 31), date(2026, 1, 5)))
    books.summarise()
    filters = ReportFilters(date(2026, 1, 1), date(2026, 3, 1))
    table = table_of(waterfall.read_report(filters, TODAY))
    assert [row[0] for row in table.rows] == [date(2026, 3, 1)]
    row = by_head(table, table.rows[0])
    assert (row["Jan 2026"], row["Feb 2026"], minor(row["Mar 2026"])) == (None, None, 29_589)
    assert minor(row["Later"]) == 120_000 - 29_589
    assert minor(row["Total"]) == 120_000
    earned = by_head(months := table_of(recognised.read_report(filters, TODAY)), months.rows[2])
    assert [minor(earned[head]) for head in ("Volocity", "Caught up", "Total")] == [29_589 - 19_397, 19_397, 29_589]


def test_recognised_revenue_stands_beside_the_same_months_a_year_before(books):
    # 365.00 over the 365 days of each year, 500.00 over those of the second: June has 30 days.
    books.sell(Sold(36_500, date(2024, 7, 1), date(2025, 6, 30), date(2024, 7, 1)))
    books.sell(Sold(73_000, date(2025, 7, 1), date(2026, 6, 30), date(2025, 7, 1), product="OPL-FUL"))
    books.summarise()
    table = table_of(recognised.read_report(YEAR, TODAY))
    june = by_head(table, table.rows[-1])
    assert [minor(june[head]) for head in ("Openlab", "Total", "A year before", "Change")] == [6000, 6000, 3000, 3000]
    assert [minor(cell) for cell in list(table.total)[-3:]] == [73_000, 36_500, 36_500]


def test_where_a_family_is_chosen_its_products_stand_beside_each_other(books):
    for product in ("VOL-VIS", "VOL-QNT", "OPL-FUL"):
        books.sell(Sold(36_500, date(2025, 7, 1), date(2026, 6, 30), date(2025, 7, 1), product=product))
    books.summarise()
    volocity = books.products["VOL-VIS"].family_id
    report = recognised.read_report(YEAR._replace(family=volocity), TODAY)
    heads = [column.head for column in table_of(report).columns]
    assert heads[1:3] == ["Volocity Quantitation", "Volocity Visualisation"]
    assert [name for name, _ in report.sections[0].charts[0].spec.series] == heads[1:3]


def test_more_months_than_can_be_read_side_by_side_are_told_as_before(books):
    books.sell(Sold(120_000, date(2022, 1, 1), date(2026, 12, 31), date(2022, 1, 1)))
    books.summarise()
    filters = ReportFilters(date(2022, 1, 1), date(2026, 6, 1))
    report = waterfall.read_report(filters, TODAY)
    table = table_of(report)
    assert len(table.columns) == 1 + waterfall.MOST_COLUMNS + 2
    assert [row[0] for row in table.rows] == ["Before Jul 2024"]
    assert "last 24" in report.notes[0]


def test_without_anything_sold_each_report_says_so(db):
    for kind in (recognised.KIND, roll_forward.KIND, waterfall.KIND):
        report = kind.read(YEAR, TODAY)
        assert (report.sections, "Nothing has been sold yet" in report.lead) == ((), True)


days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
sales = st.builds(
    lambda amount, starts_on, length, booked_on, product, at_once: Sold(
        amount,
        starts_on,
        starts_on if at_once else date.fromordinal(starts_on.toordinal() + length),
        booked_on,
        product,
        at_once=at_once,
    ),
    st.integers(1, 1_000_000),
    days,
    st.integers(0, 1200),
    days,
    st.sampled_from(["VOL-VIS", "VOL-QNT", "OPL-FUL"]),
    st.booleans(),
)


def reported_through(row, month):
    """F1, F2 in Python: what of a segment is recognised by the end of a month as reported."""
    return recognition.recognised_through(row.segment, last_day(month)) if row.booked_month <= month else 0


@given(
    st.lists(st.tuples(sales, st.none() | st.tuples(days, st.booleans())), min_size=1, max_size=5),
    st.none() | st.dates(date(2025, 1, 1), date(2026, 3, 1)),
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_sold_and_cancelled_the_reports_tie_to_each_other_and_to_the_segments(books, events, closed):
    with transaction.atomic():
        if closed is not None:
            books.close_through(closed.replace(day=1))
        for sold, cancelled in events:
            row = books.sell(sold)
            if cancelled:
                day, is_whole = cancelled
                books.annul(row, day) if is_whole else books.cancel(row, day)
        books.summarise()
        _check_ties(YEAR)
        transaction.set_rollback(True)


def _check_ties(filters):
    rows = list(RevenueSegment.objects.all())
    rolled = table_of(roll_forward.read_report(filters, TODAY))
    fell = table_of(waterfall.read_report(filters, TODAY))
    earned = table_of(recognised.read_report(filters, TODAY))
    totals = by_head(fell, fell.total)
    for month, row, revenue in zip(filters.months(), rolled.rows, earned.rows, strict=True):
        said = {head: minor(cell) for head, cell in by_head(rolled, row).items() if head != "Month"}
        through = {each: [reported_through(one, each) for one in rows] for each in (following(month, -1), month)}
        recognised_in = sum(through[month]) - sum(through[following(month, -1)])
        assert said["Recognised"] + said["Caught up"] == recognised_in
        assert said["Opening"] + said["Booked"] + said["Credited"] - recognised_in == said["Closing"]
        assert said["Closing"] == sum(row.amount for row in rows if row.booked_month <= month) - sum(through[month])
        assert said["Of it current"] + said["Non-current"] == said["Closing"]
        assert minor(by_head(earned, revenue)["Total"]) == recognised_in
        said_below = totals[f"{month:%b %Y}"]
        assert (0 if said_below is None else minor(said_below)) == recognised_in
    assert minor(totals["Later"]) == minor(by_head(rolled, rolled.total)["Closing"])
    for row in fell.rows:
        cells = [minor(cell) for cell in row[1:] if cell is not None]
        assert sum(cells[:-1]) == cells[-1]
        if isinstance(row[0], date):
            booked = sum(one.amount for one in rows if one.booked_month == row[0])
            assert cells[-1] == booked


@pytest.fixture
def mixed(books):
    """Three currencies, two families, two countries and segments; cancelled, annulled, conceded and caught up."""
    other = world.make_customer("Aoba Optical", country="JP", currency="JPY")
    first = books.sell(Sold(297_000, date(2025, 7, 1), date(2028, 6, 30), date(2025, 6, 20)))
    books.sell(Sold(120_000, date(2025, 9, 15), date(2025, 9, 15), date(2025, 9, 15), at_once=True))
    second = books.sell(
        Sold(90_000, date(2025, 8, 1), date(2026, 7, 31), date(2025, 8, 1), "VOL-QNT", "FR", "academic")
    )
    books.sell(Sold(150_001, date(2025, 10, 1), date(2026, 9, 30), date(2025, 10, 1), "OPL-FUL", "US", currency="USD"))
    yen = Sold(98_765, date(2026, 1, 10), date(2027, 1, 9), date(2026, 1, 10), "OPL-FUL", "JP", currency="JPY")
    third = books.sell(yen, other)
    books.cancel(second, date(2026, 2, 1))
    books.annul(third, date(2026, 3, 3))
    books.close_through(date(2026, 3, 1))
    books.sell(Sold(60_000, date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 20), "VOL-QNT"))
    books.concede(first, 10_000, date(2026, 5, 5))
    books.summarise()
    return books


def opened_figures(report):
    """Every figure of a report that opens its lines, with where it stands."""
    for section in report.sections:
        for table in section.tables:
            for row in [*table.rows, *([table.total] if table.total else [])]:
                for column, cell in zip(table.columns, row, strict=True):
                    if isinstance(cell, Figure) and cell.address.startswith(LINES):
                        yield f"{section.currency} {table.key} {row[0]} {column.head}", cell


@pytest.mark.parametrize("key", ["recognised", "roll-forward", "waterfall", "forecast"])
@pytest.mark.parametrize("narrowed", ["", "family", "customer"])
def test_every_figure_opens_lines_that_sum_to_it(mixed, key, narrowed):
    filters = YEAR
    if narrowed == "family":
        filters = YEAR._replace(family=mixed.products["VOL-VIS"].family_id, segment="commercial")
    elif narrowed == "customer":
        filters = YEAR._replace(customer=mixed.customer.pk)
    seen = 0
    for where, figure in opened_figures(REPORTS[key].read(filters, TODAY)):
        form = LinesForm(QueryDict(urlsplit(figure.address).query), today=TODAY)
        assert form.is_valid(), (where, form.errors)
        found = list(lines.all_lines(form.asked))
        assert sum(line.amount for line in found) == figure.value.minor_units, where
        assert lines.total_of(form.asked, figure.value.currency) == figure.value.minor_units, where
        assert all(line.amount and line.segment.currency == figure.value.currency for line in found), where
        seen += 1
    assert seen >= 12


def test_the_annual_value_opens_the_lines_whose_period_contains_the_last_day(books):
    books.sell(Sold(297_000, date(2025, 7, 1), date(2028, 6, 30), date(2025, 6, 20)))
    year = books.sell(Sold(90_000, date(2025, 8, 1), date(2026, 7, 31), date(2025, 8, 1), "VOL-QNT"))
    books.sell(Sold(60_000, date(2025, 6, 1), date(2026, 5, 31), date(2025, 6, 1)))
    books.cancel(year, date(2026, 2, 1))
    books.summarise()
    asked = lines.LinesAsked("annual", YEAR._replace(currency="EUR"))
    found = list(lines.all_lines(asked))
    # 2,970.00 × 12 ÷ 36 = 990.00; of the 900.00 of a year and what cancelled them both are listed; 600.00 ended in May.
    assert sorted(line.amount for line in found) == [-90_000, 90_000, 99_000]
    assert lines.total_of(asked, "EUR") == 99_000


def test_lines_are_paged_without_a_gap_or_a_repetition_in_either_order(mixed):
    for figure in ("booked", "earned", "deferred"):
        asked = lines.LinesAsked(figure, YEAR)
        whole = lines.read_lines(asked, limit=100)
        paged, after = [], None
        while True:
            page = lines.read_lines(asked, after=after, limit=2)
            paged += page.lines
            if (after := page.next_after) is None:
                break
        assert whole.next_after is None
        assert [line.segment.pk for line in paged] == [line.segment.pk for line in whole.lines]
        assert len(paged) > 3

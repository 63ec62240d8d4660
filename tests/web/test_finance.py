"""The pages of finance: every report for everybody who works here, by each filter, as a page and as files."""

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from dongles.models import Product
from portal.sheets import Amount
from renewals.calendar import following
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.lines import LINES_A_PAGE
from renewals.overviews.finance.reports import Figure
from tests import world
from tests.overviews.books import Books, Sold
from tests.web.conftest import client_of

pytestmark = pytest.mark.database
HOSTILE = "=HYPERLINK(\"x\") <script>alert('x')</script>"
NONSENSE = (
    ("first_month", "yesterday", "“yesterday” is no month"),
    ("last_month", "0001-01", "The ledger has the months"),
    ("family", "999999", "is no product family here"),
    ("product", "Volocity", "is no product here"),
    ("customer", "Nobody at all", "No customer’s name has"),
    ("country", "XX", "is no country here"),
    ("segment", "pirates", "is no segment of customers here"),
    ("currency", "dubloons", "is no currency here"),
    ("customer", "a\x00b", ""),
)


@pytest.fixture
def sold(db, today):
    """Some years of it, in two currencies, one of them without decimals."""
    books, month = Books(), today.replace(day=1)
    since = following(month, -6)
    until = world.year_from(since)
    japanese = world.make_customer(HOSTILE, country="JP", currency="JPY")
    first = books.sell(Sold(297_000, since, world.year_from(following(since, 24)), since))
    books.sell(Sold(90_000, since, until, since, "VOL-QNT", "FR", "academic"))
    books.sell(Sold(98_765, since, until, since, "OPL-FUL", "JP", currency="JPY"), japanese)
    books.sell(Sold(240_000, following(month, -2), following(month, -2), following(month, -2), at_once=True))
    books.cancel(first, following(month, -1))
    books.summarise()
    books.japanese = japanese
    return books


def rows_of_csv(answer):
    head, *rows = csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    return head, rows


def said(page):
    return unescape(page.content.decode())


@pytest.mark.parametrize("role", ["sales", "finance", "administrator"])
def test_every_report_and_the_lines_are_there_for_all_who_work_here(sold, role):
    client = client_of(role)
    for key, kind in REPORTS.items():
        page = client.get(f"/finance/reports/{key}/")
        assert page.status_code == 200, key
        assert kind.name in said(page)
    assert client.get("/finance/lines/").status_code == 200
    assert client.get("/finance/", follow=True).status_code == 200


@pytest.mark.parametrize("key", list(REPORTS))
def test_a_report_knows_every_filter_alone_and_all_together(sold, finance, today, key):
    volocity = sold.products["VOL-VIS"]
    asked = {
        "first_month": f"{following(today.replace(day=1), -3):%Y-%m}",
        "last_month": f"{today:%Y-%m}",
        "family": volocity.family_id,
        "product": volocity.pk,
        "customer": sold.customer.name,
        "country": "DE",
        "segment": "commercial",
        "currency": "EUR",
    }
    for name, value in asked.items():
        assert finance.get(f"/finance/reports/{key}/", {name: value}).status_code == 200, name
    assert finance.get(f"/finance/reports/{key}/", asked).status_code == 200


@pytest.mark.parametrize(("name", "value", "words"), NONSENSE)
def test_what_can_not_be_filtered_is_said_and_left_out(sold, finance, name, value, words):
    for address in ("/finance/reports/recognised/", "/finance/lines/"):
        page = finance.get(address, {name: value})
        assert page.status_code == 422
        assert words in said(page)
    for address in ("/finance/reports/recognised/months.csv", "/finance/lines/lines.csv"):
        assert finance.get(address, {name: value}).status_code == 302


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"first_month": "2026-05", "last_month": "2026-04"}, "The last month lies before the first"),
        ({"first_month": "2010-01", "last_month": "2026-04"}, "A report spans 60 months at most"),
    ],
)
def test_a_span_that_can_not_be_shown_is_said(sold, finance, asked, words):
    page = finance.get("/finance/reports/waterfall/", asked)
    assert (page.status_code, words in said(page)) == (422, True)


def test_a_report_or_a_table_that_is_not_there_is_not_found(sold, finance):
    for address in ("nothing/", "recognised/nothing.csv", "nothing/report.xlsx", "nothing/months.csv"):
        assert finance.get(f"/finance/reports/{address}").status_code == 404


def shown_amounts(report):
    """The amounts of each table of a report, of all currencies one below the other, as numbers."""
    tables = {}
    for section in report.sections:
        for table in section.tables:
            for row in table.rows:
                values = [cell.value if isinstance(cell, Figure) else cell for cell in row]
                tables.setdefault(table.key, []).extend(value.value for value in values if isinstance(value, Amount))
    return tables


@pytest.mark.parametrize("key", ["recognised", "roll-forward", "waterfall"])
def test_the_files_have_the_figures_of_the_page(sold, finance, key):
    report = finance.get(f"/finance/reports/{key}/").context["report"]
    shown = shown_amounts(report)
    book = load_workbook(BytesIO(finance.get(f"/finance/reports/{key}/report.xlsx").content))
    assert book.sheetnames[-1] == "About"
    for sheet, (table, amounts) in zip(book.worksheets, shown.items(), strict=False):
        numbers = [cell for row in sheet.iter_rows(min_row=2, values_only=True) for cell in row]
        assert [each for each in numbers if isinstance(each, int | float)] == [float(each) for each in amounts]
        answer = finance.get(f"/finance/reports/{key}/{table}.csv")
        rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
        assert {row[0] for row in rows[1:]} == {"EUR", "JPY"}
        written = [cell for row in rows[1:] for cell in row if re.fullmatch(r"-?[0-9]+(\.[0-9]{2})?", cell)]
        assert written == [str(each) for each in amounts]


def test_one_currency_stands_open_and_the_others_are_folded(sold, finance, settings):
    page = said(finance.get("/finance/reports/roll-forward/"))
    fold = r'<details class="report-section report-fold"( open)?>\s*<summary><h2>(\w+)</h2> <span>(.+?)</span>'
    folds = re.findall(fold, page)
    assert [(is_open, currency) for is_open, currency, _ in folds] == [(" open", "EUR"), ("", "JPY")]
    assert "is deferred at the end of" in folds[1][2]
    settings.REPORTING_CURRENCY = "JPY"
    folds = re.findall(fold, said(finance.get("/finance/reports/roll-forward/")))
    assert [(is_open, currency) for is_open, currency, _ in folds] == [("", "EUR"), (" open", "JPY")]
    alone = said(finance.get("/finance/reports/roll-forward/", {"currency": "JPY"}))
    assert not re.search(fold, alone)
    assert '<h2 id="section-JPY">JPY</h2>' in alone


def test_what_fits_in_no_currency_or_in_some_only_is_said_without_tables_of_noughts(sold, finance):
    french = finance.get("/finance/reports/recognised/", {"country": "FR"})  # all of it was sold in euros
    assert "Nothing fits in JPY." in said(french)
    assert "JPY</h2>" not in said(french)
    nothing = said(finance.get("/finance/reports/recognised/", {"country": "FR", "currency": "JPY"}))
    assert "These months and filters have no figure." in nothing
    assert "report-table" not in nothing


def test_a_printed_sheet_is_as_wide_as_its_paper_with_the_head_on_each_page(sold, finance):
    book = load_workbook(BytesIO(finance.get("/finance/reports/waterfall/report.xlsx").content))
    sheet = book.worksheets[0]
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$1:$1"
    assert [sheet.cell(1, column).alignment.horizontal for column in (1, 3)] == ["left", "right"]


def test_yen_have_no_decimals_and_euros_two(sold, finance, today):
    page = finance.get("/finance/reports/roll-forward/", {"currency": "JPY"})
    assert "98,765" in said(page)
    assert "98,765.00" not in said(page)
    assert "€" not in said(finance.get("/finance/lines/", {"currency": "JPY", "figure": "deferred"}))


def test_hostile_names_do_nothing(sold, finance, today):
    since = f"{following(today.replace(day=1), -11):%Y-%m}"
    asked = {"figure": "booked", "customer": sold.japanese.pk, "first_month": since}
    for address in ("/finance/lines/", "/finance/reports/recognised/"):
        page = finance.get(address, asked)
        assert page.status_code == 200
        assert HOSTILE in said(page)
        assert "<script>alert" not in page.content.decode()
    answer = finance.get("/finance/lines/lines.csv", asked)
    (row,) = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))[1:]
    assert row[1] == f"'{HOSTILE}"


def test_a_figure_on_the_page_opens_its_lines_with_its_amount_on_top(sold, finance, today):
    page = finance.get("/finance/reports/roll-forward/", {"currency": "EUR"})
    addresses = re.findall(r'<a href="(/finance/lines/[^"]*figure=credited[^"]*)">([^<]*)<', said(page))
    address, amount = addresses[0]
    lines = finance.get(address)
    assert f"-€{amount.lstrip('-−')}" in said(lines).replace("−", "-")
    assert [line.amount for line in lines.context["page"].lines] == [lines.context["totals"][0][1]]
    order = lines.context["page"].lines[0].segment.order_line.order
    assert f'href="/orders/{order.pk}/' in said(lines)


def test_lines_come_fifty_at_a_time_with_as_many_queries_whatever_there_is(sold, finance, today):
    asked = {"figure": "booked", "currency": "EUR"}
    finance.get("/finance/lines/", asked)
    counts = []
    for _ in range(2):
        for address in ("/finance/lines/", *(f"/finance/reports/{key}/" for key in REPORTS)):
            with CaptureQueriesContext(
                connection,
            ) as caught:
                assert finance.get(address, asked).status_code == 200
            counts.append((address, len(caught)))
        if len(counts) == len(REPORTS) + 1:
            month = today.replace(day=1)
            for number in range(LINES_A_PAGE + 10):
                sold.sell(Sold(1_000 + number, month, world.year_from(month), today))
            sold.summarise()
    half = len(counts) // 2
    few, many = dict(counts[:half]), dict(counts[half:])
    assert {address: number for address, number in many.items() if number > few[address]} == {}
    first = finance.get("/finance/lines/", asked)
    assert len(first.context["page"].lines) == LINES_A_PAGE
    (further,) = re.findall(r'rel="next" href="([^"]*)"', said(first))
    second = finance.get(f"/finance/lines/{further}")
    keys = [line.segment.pk for page in (first, second) for line in page.context["page"].lines]
    assert len(keys) == len(set(keys)) > LINES_A_PAGE
    assert second.context["totals"] == first.context["totals"]


def test_lines_are_of_booking_months_where_some_are_named(sold, finance, today):
    month = f"{following(today.replace(day=1), -1):%Y-%m}"
    page = finance.get("/finance/lines/", {"figure": "earned", "booked_from": month, "booked_to": month})
    assert {f"{line.segment.booked_month:%Y-%m}" for line in page.context["page"].lines} == {month}
    refused = finance.get("/finance/lines/", {"figure": "annual", "booked_from": month})
    assert refused.status_code == 422
    assert "An annual value goes by the days of the SMA" in said(refused)


@pytest.mark.parametrize("after", ["", "x", "-1", "999999999999999999", "9" * 40])
def test_a_place_in_the_lines_that_is_none_is_harmless(sold, finance, after):
    page = finance.get("/finance/lines/", {"figure": "booked", "after": after})
    assert page.status_code == 200


def test_a_figure_that_is_not_known_is_said(sold, finance):
    page = finance.get("/finance/lines/", {"figure": "profit"})
    assert page.status_code == 422
    assert "“profit” is no figure whose lines are known" in said(page)


def test_an_order_tells_the_months_in_which_it_is_earned_catch_up_apart(dongle, finance, today):
    order = world.sell(dongle, today.isoformat())
    page = finance.get(f"/orders/{order.pk}/")
    months = page.context["months"]
    assert sum(each.recognised + each.caught_up for each in months) == 120_000 + 90_000
    assert months[0].month == date(months[0].month.year, months[0].month.month, 1)
    assert 'id="revenue"' in page.content.decode()


def test_products_called_alike_or_as_a_column_is_have_columns_of_their_own_in_files(sold, finance):
    sold.products["VOL-VIS"].family.products.update(name="Imaging")
    answer = finance.get("/finance/reports/recognised/months.csv", {"family": sold.products["VOL-VIS"].family_id})
    head, rows = rows_of_csv(answer)
    assert head[2:4] == ["Imaging (VOL-QNT)", "Imaging (VOL-VIS)"]
    euros = [row for row in rows if row[0] == "EUR"]
    assert all(sum(map(Decimal, row[2:5])) == Decimal(row[5]) for row in euros)  # with what is caught up, the total
    Product.objects.filter(code="VOL-QNT").update(name="Total")
    head, rows = rows_of_csv(
        finance.get("/finance/reports/recognised/months.csv", {"product": sold.products["VOL-QNT"].pk})
    )
    assert head[2:5] == ["Total", "Caught up", "Total"]

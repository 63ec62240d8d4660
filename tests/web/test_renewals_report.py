"""The report on renewals and the lists behind its figures, as staff see them.

Prices are those of the test world: VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00.
"""

import csv
import html
import io
import re
from datetime import date

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse

from portal.sheets import Amount, Rate
from renewals.models import DueDongle, Order
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance import renewal_figures as figures
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Figure
from renewals.services.quotes import decline_quote
from renewals.services.renewal_figures import update_renewal_figures
from tests import world

TODAY = date(2024, 6, 1)
YEAR = ReportFilters(date(2023, 6, 1), date(2024, 5, 1))
BY = {"actor": world.SALES}


def text_of(answer) -> str:
    """What a page says, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def make_renewals():
    """Four dongles with SMA from 1 Apr 2023 to 31 Mar 2024. Then one is renewed in time for two years, one comes
    back in May, and two, of which one has two licences, decline."""
    world.make_catalogue()
    owner, other = world.make_customer(), world.make_customer("Another", country="AT")
    both = [("VOL-VIS", "2023-03-31"), ("VOL-QNT", "2023-03-31")]
    dongles = [
        world.make_dongle("1001", owner, both[:1]),
        world.make_dongle("1002", owner, both[:1]),
        world.make_dongle("1003", other, both[:1]),
        world.make_dongle("1004", other, both),
    ]
    for dongle in dongles:
        world.sell(dongle, "2023-03-01")
    world.sell(dongles[0], "2024-03-01", renew_years=2)
    world.sell(dongles[1], "2024-05-10")
    for dongle, reason in zip(dongles[2:], ("No budget", "no budget "), strict=True):
        decline_quote(version=world.send(dongle, "2024-04-10"), reason=reason, at=world.at("2024-04-12"), **BY)
    update_renewal_figures()


@pytest.fixture(scope="module")
def all_renewals(django_db_setup, django_db_blocker, tmp_path_factory):
    """The renewals made once; nothing of them is kept."""
    place = tmp_path_factory.mktemp("renewals")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(OUTBOX_DISPATCH="none", SIGNER_LOG=place / "log", FILES_DIR=place / "files"):
            make_renewals()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def renewed(all_renewals):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def staff(renewed):
    """A browser of somebody of finance."""
    client = Client()
    world.log_in(client, world.make_user("finance"))
    return client


def table_of(key: str, filters: ReportFilters = YEAR, today: date = TODAY):
    """The rows of a table in euros, its figures as numbers."""
    [section] = REPORTS["renewals"].read(filters, today).sections
    assert section.currency == "EUR"
    [table] = [each for each in section.tables if each.key == key]
    return [[plain(cell) for cell in row] for row in table.rows]


def plain(cell):
    value = cell.value if isinstance(cell, Figure) else cell
    if isinstance(value, Amount):
        assert value.minor_units % 100 == 0
        return value.minor_units // 100
    if isinstance(value, Rate):
        return str(value.value)
    return f"{value:%Y-%m}" if isinstance(value, date) else value


def test_the_page_shows_one_currency_at_a_time_and_files_hold_all(staff, settings):
    kyoto = world.make_customer("Kyoto Optics", country="JP", currency="JPY", segment="academic")
    world.make_dongle("2001", kyoto, [("VOL-VIS", "2024-02-29")])
    update_renewal_figures()

    def shown(**asked):
        page = staff.get("/finance/reports/renewals/", {"first_month": "2023-06", "last_month": "2024-05", **asked})
        text = page.content.decode()
        [chooser] = re.findall(r'<nav class="currencies".+?</nav>', text, re.DOTALL)
        tabs = re.findall(r'currency=([A-Z]+)"( aria-current="true")?>', chooser)
        assert [code for code, _ in tabs] == ["EUR", "JPY"]
        return re.findall(r'<h2 id="section-([A-Z]+)">', text), [code for code, is_current in tabs if is_current]

    assert shown() == shown(currency="reporting") == (["EUR"], ["EUR"])
    assert shown(currency="JPY") == (["JPY"], ["JPY"])
    assert shown(segment="academic") == (["JPY"], [])  # nothing of theirs is in euros
    settings.REPORTING_CURRENCY = "JPY"
    assert shown() == (["JPY"], ["JPY"])
    file = staff.get("/finance/reports/renewals/due.csv", {"first_month": "2023-06", "last_month": "2024-05"})
    rows = list(csv.reader(io.StringIO(b"".join(file).decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {"EUR", "JPY"}


@pytest.mark.usefixtures("renewed")
def test_a_month_says_what_was_due_and_what_came_of_it_by_count_and_by_value():
    march = next(row for row in table_of("due") if row[0] == "2024-03")
    # Due 4 dongles worth 3 × 1,200 + 2,100 = 5,700. In time one, which keeps its 1,200; won back one; lost two.
    assert march == ["2024-03", "", 4, 1, 1, 2, 0, "1/4", 5_700, 1_200, "4/19", 3_300]


@pytest.mark.usefixtures("renewed")
def test_a_month_in_which_anything_is_open_is_unfinished_and_has_no_rate():
    [march] = table_of(
        "due", YEAR._replace(first_month=date(2024, 3, 1), last_month=date(2024, 3, 1)), date(2024, 3, 31)
    )
    assert march == ["2024-03", "unfinished", 4, 1, 1, 0, 2, None, 5_700, 1_200, None, 0]


@pytest.mark.usefixtures("renewed")
def test_the_rate_of_all_months_is_that_of_those_which_are_over():
    rate = figures.renewal_rate(YEAR._replace(last_month=date(2025, 5, 1)), "EUR", TODAY)
    assert (rate.by_count, rate.by_value, rate.unfinished) == (Rate(1, 4), Rate(120_000, 570_000), 12)


@pytest.mark.usefixtures("renewed")
def test_what_customers_keep_is_told_at_the_end_of_each_month_that_is_over():
    rows = {row[0]: row[1:] for row in table_of("retention")}
    assert list(rows)[-1] == "2024-05"
    # Institute of Cells 2,400, of which 1,200 stayed in April; the other 3,300 are gone.
    assert rows["2024-04"] == [5_700, 1_200, 3_300, 1_200, "4/19", 1_200, "4/19", 2, 1, 1_200]
    assert rows["2024-05"] == [5_700, 2_400, 3_300, 0, "8/19", 2_400, "8/19", 2, 1, 2_400]


@pytest.mark.usefixtures("renewed")
def test_cohorts_are_those_of_the_first_sma_on_record():
    assert table_of("cohort_customers") == [["2020", 2, 2, 2, 2, 1]]
    assert table_of("cohort_values")[0][-2:] == [5_700, 2_400]


@pytest.mark.usefixtures("renewed")
def test_products_and_customers_have_their_own_rows():
    products = {row[0]: row[1:] for row in table_of("products")}
    assert products["Volocity Quantitation"][:5] == [1, 0, 0, 1, 0]
    assert products["Volocity Visualisation"][:5] == [4, 1, 1, 2, 0]
    assert [row[:2] + row[-1:] for row in table_of("customers")] == [["Another", 2, 3_300]]


@pytest.mark.usefixtures("renewed")
def test_reasons_that_differ_in_case_and_spaces_alone_are_one():
    assert [row[1:] for row in table_of("declined")] == [[2, 1_200 + 2_100]]


@pytest.mark.usefixtures("renewed")
@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ({"country": "AT"}, 2),
        ({"segment": "academic"}, 0),
        ({"product": "VOL-QNT"}, 1),
        ({"family": "Volocity"}, 4),
        ({"customer": "Another"}, 2),
    ],
)
def test_every_filter_holds(asked, due):
    march = YEAR._replace(first_month=date(2024, 3, 1), last_month=date(2024, 3, 1))
    dongle = DueDongle.objects.filter(product__code="VOL-QNT").first()
    ids = {"VOL-QNT": dongle.product_id, "Volocity": dongle.family_id, "Another": dongle.customer_id}
    filters = march._replace(**{name: ids.get(value, value) for name, value in asked.items()})
    assert table_of("due", filters)[0][2] == due
    assert figures.due_dongles(filters, "EUR").count() == due


@pytest.mark.usefixtures("renewed")
def test_one_customer_s_figures_from_its_rows_are_those_of_the_sums():
    customers = set(DueDongle.objects.values_list("customer", flat=True))
    of_each = [YEAR._replace(customer=customer) for customer in customers]
    for read in (
        lambda asked: figures.due_by_month(asked, "EUR", TODAY)[date(2024, 3, 1)],
        lambda asked: figures.retention_by_month(asked, "EUR", TODAY)[date(2024, 5, 1)],
        lambda asked: figures.cohorts(asked, "EUR", 2023)[2020, 2023],
    ):
        assert [sum(amounts) for amounts in zip(*map(read, of_each), strict=True)] == list(read(YEAR))


def test_each_figure_opens_as_many_dongles_as_it_counts_or_those_whose_values_it_adds_up(staff):
    [section] = REPORTS["renewals"].read(YEAR, TODAY).sections
    opened = {"count": 0, "amount": 0}
    for table in section.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, Figure) and cell.address.startswith("/finance/due/"):
                    page = staff.get(cell.address).context["page"]
                    # The page is as of today, the report of a day long ago: what was open then is not any more.
                    if "outcome=open" not in cell.address:
                        assert counted(column, page) == cell.value, cell.address
                    opened[column.kind] += 1
    assert opened == {"count": 12, "amount": 10}


def counted(column, page):
    """What a column says of the dongles on a page."""
    if column.kind == "count":
        return page.paginator.count
    field = "kept_value" if column.head == "Value kept" else "old_value"
    return Amount(sum(getattr(due, field) for due in page.object_list), "EUR")


@pytest.mark.usefixtures("renewed")
def test_what_customers_keep_opens_the_customers_who_make_it():
    [section] = REPORTS["renewals"].read(YEAR, TODAY).sections
    [table] = [each for each in section.tables if each.key == "retention"]
    opened = [cell for cell in table.rows[-1] if isinstance(cell, Figure) and cell.address]
    # Of 5,700.00 a year before 2,400.00 are kept, and 3,300.00 lost with a customer; nothing has shrunk.
    assert [plain(cell) for cell in opened] == [5_700, 2_400, 3_300, 2_400]
    [filters] = {cell.address for cell in opened}
    assert filters == "/finance/kept/?first_month=2024-05&last_month=2024-05&currency=EUR"


def test_the_page_shows_the_report_and_its_definitions(staff):
    page = staff.get(reverse("renewals:report", args=["renewals"]), {"first_month": "2024-01", "last_month": "2024-04"})
    assert page.status_code == 200
    text = text_of(page)
    assert "Due and renewed, by month" in text
    assert "renewed in time ÷ due" in text


@pytest.mark.usefixtures("renewed")
def test_pictures_are_drawn_of_months_that_are_over_and_not_where_there_is_none(staff):
    [section] = REPORTS["renewals"].read(YEAR, TODAY).sections
    assert [(each.key, len(each.spec.labels)) for each in section.charts] == [("renewal-rate", 12), ("retention", 12)]
    rates = dict(section.charts[0].spec.series)
    assert rates["By count"][-3:] == [0.25, None, None]  # nothing was due in April and May
    ahead = ReportFilters(date(2024, 7, 1), date(2024, 8, 1))
    [section] = REPORTS["renewals"].read(ahead, TODAY).sections
    assert not section.charts
    page = staff.get(reverse("renewals:report", args=["renewals"]), {"first_month": "2023-06", "last_month": "2024-05"})
    [address, *_] = re.findall(r'src="(/finance/reports/renewals/[^"]+\.svg[^"]*)"', page.content.decode())
    assert staff.get(html.unescape(address)).content.startswith(b"<svg")


def test_without_anything_due_the_report_and_the_lists_say_so(catalogue, sales):
    assert "Nothing has been due yet." in text_of(sales.get(reverse("renewals:report", args=["renewals"])))
    assert "Nothing was due" in text_of(sales.get(reverse("renewals:due")))
    assert "No customers" in text_of(sales.get(reverse("renewals:kept")))


MARCH = {"first_month": "2024-03", "last_month": "2024-03"}


def test_the_list_of_dongles_says_what_came_of_each_with_its_order(staff):
    text = text_of(staff.get(reverse("renewals:due"), MARCH))
    assert "4 dongles due from Mar 2024 to Mar 2024" in text
    order = Order.objects.get(fulfilled_on=date(2024, 3, 1)).number
    told = f"1001 31 Mar 2024 Institute of Cells Renewed in time {order} 1 Apr 2024 €1,200.00 €1,200.00 €1,200.00"
    assert told in text


def test_the_list_as_csv_has_every_row(staff):
    answer = staff.get(reverse("renewals:due_csv"), {**MARCH, "outcome": "renewed"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [(row["Dongle"], row["What came of it"], row["Value before"], row["Currency"]) for row in rows] == [
        ("1001", "Renewed in time", "1200.00", "EUR")
    ]


def test_what_no_filter_knows_is_said_and_left_out(catalogue, sales):
    page = sales.get(reverse("renewals:due"), {"outcome": "stolen"})
    assert page.status_code == 422
    assert "“stolen” is nothing that comes of a renewal; it was left out." in text_of(page)
    assert sales.get(reverse("renewals:due_csv"), {"outcome": "stolen"}).status_code == 302


def test_what_customers_keep_is_listed_with_the_greatest_loss_first(staff):
    text = text_of(staff.get(reverse("renewals:kept"), {"last_month": "2024-05", "currency": "EUR"}))
    assert "2 customers had an annual value in EUR twelve months before the end of May 2024" in text
    assert "Another €3,300.00 €0.00 €0.00 €3,300.00 €0.00" in text
    assert text.index("Another €3,300.00") < text.index("Institute of Cells €2,400.00")


def test_lists_stand_in_the_currency_of_their_values_where_the_report_was_converted(staff):
    asked = {"last_month": "2024-05", "currency": "reporting"}
    for filters in (asked, {"last_month": "2024-05"}):
        kept = text_of(staff.get(reverse("renewals:kept"), filters))
        assert "2 customers had an annual value in EUR twelve months before the end of May 2024" in kept
    due = text_of(staff.get(reverse("renewals:due"), {**MARCH, "currency": "reporting"}))
    assert "4 dongles due from Mar 2024 to Mar 2024" in due


def test_the_report_says_that_changes_are_being_worked_in(catalogue, sales):
    world.sell(world.make_dongle(), "2026-03-01")
    page = text_of(sales.get(reverse("renewals:report", args=["renewals"])))
    assert "are being worked in: look again in a minute." in page


def test_customers_do_not_see_them(client):
    for name in ("renewals:due", "renewals:due_csv", "renewals:kept"):
        assert client.get(reverse(name)).status_code == 302

"""The page of exchange rates: the grid with its holes, entering one, taking many over."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from dongles.models import Product
from portal.audit import Actor
from renewals.models import ExchangeRate, PriceList, PriceListEntry
from renewals.services.rates import keep_rate
from renewals.services.summaries import summarise_all
from tests import world
from tests.web.reading import text_of

PAGE, IMPORT = "/finance/rates/", "/finance/rates/import/"


def enter(month, currency="USD", rate="0.9241"):
    by = {"actor": Actor("Fay"), "at": world.at(date(2030, 1, 1))}
    return keep_rate(month=month, currency=currency, rate=Decimal(rate), source="ECB", **by)


@pytest.fixture
def this_month(today):
    return today.replace(day=1)


def test_where_nothing_was_sold_in_another_currency_no_rates_are_needed(finance):
    assert "no rates are needed" in text_of(finance.get(PAGE))


def test_a_rate_is_entered_on_the_page_in_small_letters_too(finance, this_month):
    asked = {"month": f"{this_month:%Y-%m}", "currency": "usd", "rate": "0.92410", "source": "ECB"}
    page = finance.get(finance.post(PAGE, asked).url)
    assert f"The rate of USD in {this_month:%b %Y} is 0.9241 EUR." in text_of(page)
    assert ExchangeRate.objects.get().entered_by.role == "finance"


def test_a_cell_fills_the_form_with_what_stands_there(finance, this_month):
    rate = enter(this_month)
    page = finance.get(PAGE, {"month": f"{this_month:%Y-%m}", "currency": "USD"})
    assert f"Change the rate of {rate}" in text_of(page)
    assert 'value="0.9241"' in page.content.decode()
    assert finance.get(PAGE, {"month": "yesterday", "currency": "<b>"}).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("month", "03/2026", "is no month"),
        ("currency", "EUR", "EUR is the reporting currency itself"),
        ("rate", "0,92", "is no rate"),
        ("source", "", "Say where it is from"),
    ],
)
def test_what_can_be_no_rate_is_said_beside_its_field_and_not_written(finance, this_month, field, typed, sentence):
    asked = {"month": f"{this_month:%Y-%m}", "currency": "USD", "rate": "0.92", "source": "ECB", field: typed}
    answer = finance.post(PAGE, asked)
    assert answer.status_code == 422
    assert sentence in answer.context["form"].errors[field][0]
    assert not ExchangeRate.objects.exists()


def test_a_rate_is_taken_away(finance, this_month):
    rate = enter(this_month)
    answer = finance.post(reverse("renewals:remove_rate", args=[rate.pk]), follow=True)
    assert "is taken away" in text_of(answer)
    assert not ExchangeRate.objects.exists()


def test_rates_are_taken_over_from_a_paste_or_a_file(finance, this_month):
    month = f"{this_month:%Y-%m}"
    answer = finance.post(IMPORT, {"text": f"{month},USD,0.92", "source": "ECB"}, follow=True)
    assert "1 rate entered, 0 changed, 0 were there already." in text_of(answer)
    file = SimpleUploadedFile("rates.csv", f"\ufeffmonth;currency;rate\r\n{month};JPY;0.00612".encode())
    finance.post(IMPORT, {"file": file, "source": "ECB"})
    assert set(ExchangeRate.objects.values_list("currency", flat=True)) == {"USD", "JPY"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"text": ""}, "Choose a file or paste the rates: one of the two."),
        ({"text": "2026-03,USD,0.92\n2026-03,EUR,1"}, "Line 2: EUR is the reporting currency itself"),
        ({"text": "2999-03,USD,0.92"}, "Line 1: Choose a month from"),
        ({"file": b"\xff\xfe2026"}, "This is no CSV in UTF-8"),
        ({"file": b"2026-03,USD,0.92", "text": "2026-03,USD,0.92"}, "one of the two"),
        ({"file": b"x" * 300_000}, "larger than 256 KB"),
    ],
)
def test_what_can_not_be_taken_over_is_said_and_nothing_written(finance, asked, sentence):
    if "file" in asked:
        asked = {**asked, "file": SimpleUploadedFile("rates.csv", asked["file"])}
    answer = finance.post(IMPORT, {**asked, "source": "ECB"})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not ExchangeRate.objects.exists()


@pytest.mark.parametrize("address", [PAGE, IMPORT])
def test_rates_are_for_finance_and_administrators(client, sales, customer_user, administrator, address):
    assert client.get(address).url.startswith("/accounts/login/")
    assert [each.get(address).status_code for each in (sales, customer_user, administrator)] == [403, 403, 200]


def test_sales_can_neither_enter_nor_take_away(sales, this_month):
    rate = enter(this_month)
    asked = {"month": f"{this_month:%Y-%m}", "currency": "GBP", "rate": "1.15", "source": "ECB"}
    assert sales.post(PAGE, asked).status_code == 403
    assert sales.post(reverse("renewals:remove_rate", args=[rate.pk])).status_code == 403
    assert list(ExchangeRate.objects.all()) == [rate]


@pytest.fixture
def sold_in_dollars(catalogue, this_month):
    """A year of SMA for 1,200.00 dollars, booked this month."""
    about = {"currency": "USD", "segment": "commercial", "valid_from": world.DAY_ONE}
    prices = PriceList.objects.create(name="USD", **about)
    each = {"licence": 600_000, "sma_year": 120_000, "upgrade": 240_000}
    PriceListEntry.objects.create(price_list=prices, product=Product.objects.get(code="VOL-VIS"), **each)
    customer = world.make_customer(currency="USD")
    world.sell(world.make_dongle("1", customer, [("VOL-VIS", f"{this_month}")]), this_month)
    summarise_all()


REPORT = "/finance/reports/roll-forward/?currency=reporting"


def test_a_rate_that_reports_need_stands_in_the_grid_as_missing_until_it_is_entered(
    finance, sold_in_dollars, this_month
):
    page = text_of(finance.get(PAGE))
    assert "1 rate into EUR is missing." in page
    assert f"USD in {this_month:%b %Y}" in page
    enter(this_month)
    assert "Every rate into EUR that reports need is there." in text_of(finance.get(PAGE))


def test_a_report_without_its_rates_says_which_and_shows_each_currency_by_itself(finance, sales, sold_in_dollars):
    answer = finance.get(REPORT)
    assert answer.status_code == 422
    assert "Rates into EUR are missing: USD in" in text_of(answer)
    assert 'href="/finance/rates/"' in answer.content.decode()
    assert [section.currency for section in answer.context["report"].sections] == ["USD"]
    assert "Finance can enter the missing rates" in text_of(sales.get(REPORT))


def test_files_without_their_rates_are_refused(finance, sold_in_dollars):
    for file in ("report.xlsx", "months.csv"):
        answer = finance.get(REPORT.replace("?", f"{file}?"))
        assert answer.status_code == 409
        assert "Rates into EUR are missing" in text_of(answer)


def test_a_converted_report_and_its_files_say_their_rates(finance, sold_in_dollars, this_month):
    enter(this_month, rate="0.9241")
    page = text_of(finance.get(REPORT))
    assert "Rates used, in EUR" in page
    assert "keeps the rate of its booking month" in page
    lines = b"".join(finance.get(REPORT.replace("?", "rates-used.csv?"))).decode().splitlines()
    assert lines[1] == f"EUR,USD,{this_month:%Y-%m},0.9241,ECB"

"""Finance's first page, and the forecast, as whoever works with them sees them."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world
from tests.web.reading import text_of

HOME = "/finance/"
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 16  # of a page with one currency, those of the session, the user and the filters among them


@pytest.fixture
def sold(catalogue, today):
    """A year of VOL-VIS, 1,200.00, sold today and from tomorrow on."""
    order = world.sell(world.make_dongle("1", world.make_customer(), [("VOL-VIS", today.isoformat())]), str(today))
    summarise_all()
    update_renewal_figures()
    return order


def test_the_page_says_first_what_is_closed_and_then_the_figures(finance, sold, today):
    text = text_of(finance.get(HOME))
    state = text.index(f"No month is closed yet; {today:%b %Y} is not over, and can be closed after that.")
    assert state < text.index(f"{today:%B %Y} is not over: its figures so far") < text.index("€1,200.00 booked")


def test_who_may_enter_rates_is_led_to_those_that_are_missing(finance, sales, sold, settings):
    assert "Exchange rate" not in text_of(finance.get(HOME)).split("What the figures mean")[0].split("Overview")[-1]
    settings.REPORTING_CURRENCY = "USD"
    assert '<a href="/finance/rates/">Enter them</a>' in finance.get(HOME).content.decode()
    assert "Finance can enter them." in text_of(sales.get(HOME))


def test_filters_go_along_from_report_to_report_and_months_only_where_both_look_back(finance, sold, today):
    asked = {"first_month": "2026-01", "last_month": "2026-03", "country": "DE", "family": ""}
    page = finance.get(reverse("renewals:report", args=["recognised"]), asked).content.decode()
    links = [html.unescape(each) for each in re.findall(r'href="(/finance/reports/[a-z-]+/\?[^"]*)"', page)]
    assert "/finance/reports/roll-forward/?first_month=2026-01&last_month=2026-03&country=DE" in links
    assert "/finance/reports/overview/?last_month=2026-03&country=DE" in links
    assert "/finance/reports/forecast/?country=DE" in links


def test_what_is_booked_opens_its_lines_and_each_name_its_definition(finance, sold, today):
    page = finance.get(HOME).content.decode()
    asked = f"first_month={today:%Y-%m}&amp;last_month={today:%Y-%m}&amp;currency=EUR&amp;figure=booked"
    assert f'<a href="/finance/lines/?{asked}">1,200.00</a>' in page
    ids = set(re.findall(r' id="([^"]+)"', page))
    names = set(re.findall(r'<a href="#([^"]+)">', page)) - {"main"}
    assert "booked" in names
    assert names <= ids


def test_the_month_can_be_chosen_and_stays_in_files(finance, sold, today):
    ahead = (today.replace(day=1) + timedelta(days=40)).replace(day=1)
    page = finance.get(HOME, {"last_month": f"{ahead:%Y-%m}"})
    assert f"{ahead:%B %Y} has not begun" in text_of(page)
    assert "first_month" not in page.context["form"].fields
    file = finance.get(reverse("renewals:report_csv", args=["overview", "figures"]), {"last_month": f"{ahead:%Y-%m}"})
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[0].split(",")[:3] == ["\ufeffCurrency", "Figure", f"{ahead:%b %Y}"]
    assert [line for line in lines if line.startswith("EUR,Booked,0.00,1200.00,-1200.00,-1.000000")]


def test_a_month_that_is_none_is_refused_and_said(finance, sold):
    answer = finance.get(HOME, {"last_month": "2026-13"})
    assert answer.status_code == 422
    assert "“2026-13” is no month" in text_of(answer)


def test_what_is_due_is_asked_for_by_the_page_and_by_itself_is_the_pipeline(finance, sold, today):
    world.make_dongle("2", world.make_customer(), [("VOL-VIS", str(today + timedelta(days=10)))])
    part = finance.get("/finance/pipeline/?country=DE", headers=HTMX)
    assert re.search(r"Due in 30 days\s+1\s+1,200\.00", text_of(part))
    assert "/pipeline/?bucket=due_30&amp;country=DE" in part.content.decode()
    assert "/finance/pipeline/?country=DE&amp;compared=1" in part.content.decode()
    compared = text_of(finance.get("/finance/pipeline/?country=DE&compared=1", headers=HTMX))
    assert re.search(r"Due within 90 days, EUR a year\s+1,200\.00\s+", compared)
    assert finance.get("/finance/pipeline/?country=DE").url == "/pipeline/?country=DE"
    assert '<a href="/pipeline/?country=DE">' in finance.get(HOME, {"country": "DE"}).content.decode()


@pytest.mark.parametrize("page", [HOME, "/finance/reports/forecast/"])
def test_the_number_of_queries_does_not_grow_with_what_was_sold(
    finance, catalogue, today, page, django_assert_max_num_queries
):
    for number in range(3):
        dongle = world.make_dongle(str(number), world.make_customer(), [("VOL-VIS", today.isoformat())])
        world.sell(dongle, str(today))
    summarise_all()
    update_renewal_figures()
    with django_assert_max_num_queries(MOST_QUERIES):
        assert finance.get(page).status_code == 200


def test_the_forecast_begins_with_the_next_month(finance, sold, today):
    page = finance.get("/finance/reports/forecast/")
    ahead = (today.replace(day=1) + timedelta(days=40)).replace(day=1)
    (section,) = page.context["report"].sections
    rows = section.tables[0].rows
    assert (rows[0][0], len(rows)) == (ahead, 12)

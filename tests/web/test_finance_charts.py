"""Charts on the pages of reports: kept under a mark, by browsers too, under a policy that lets their style count."""

import re
from datetime import date
from html import unescape

import pytest
from django.core.cache import cache

from renewals.charts import STYLE_SOURCE, ChartSpec, chart_size
from renewals.services.summaries import summarise_all
from renewals.web.finance.charts import keep_chart, kept_chart, mark_of
from tests import world

SPEC = ChartSpec("bars", (date(2026, 1, 1), date(2026, 2, 1)), (("Net", (100, 200)),), "EUR")
SHOWN = (SPEC, "Bookings", "Bookings by month.")
PAGE = "/finance/reports/roll-forward/"
PICTURE = f"{PAGE}EUR/deferred.svg"


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def sold(dongle, today):
    """A year for two licences, 1,200.00 and 900.00."""
    world.sell(dongle, today.isoformat())
    summarise_all()


def pictures_of(page):
    """The addresses of the pictures of a page, for a phone and for a desk in turn."""
    return [unescape(address) for address in re.findall(r'(?:srcset|src)="([^"]*\.svg[^"]*)"', page.content.decode())]


def test_a_chart_is_kept_under_a_mark_of_what_it_shows():
    mark = keep_chart(*SHOWN)
    assert kept_chart(mark) == SHOWN
    assert mark_of(SPEC, "Bookings", "Other words.") != mark
    assert mark_of(SPEC._replace(unit="USD"), *SHOWN[1:]) != mark


@pytest.mark.parametrize("mark", ["", "0" * 64, "0" * 63 + " ", "x" * 5000])
def test_an_unknown_mark_is_as_good_as_none(mark):
    assert kept_chart(mark) is None


@pytest.mark.database
def test_a_page_shows_the_picture_for_its_width_and_the_way_to_the_table(sold, finance):
    page = finance.get(PAGE)
    narrow, wide = pictures_of(page)
    assert narrow == f"{wide}&size=narrow"
    assert wide.startswith(f"{PICTURE}?mark=")
    assert 'href="#EUR-months"' in page.content.decode()
    assert 'id="EUR-months"' in page.content.decode()
    spec = next(iter(page.context["report"].sections)).charts[0].spec
    for address, is_narrow in ((narrow, True), (wide, False)):
        picture = finance.get(address)
        assert picture["Content-Type"] == "image/svg+xml"
        width, height = chart_size(spec, narrow=is_narrow)
        assert f'width="{width}" height="{height}"'.encode() in picture.content
        assert picture["Cache-Control"] == "private, max-age=86400, immutable"
        assert f"style-src {STYLE_SOURCE}" in picture["Content-Security-Policy"]
        assert "default-src 'none'" in picture["Content-Security-Policy"]


@pytest.mark.database
def test_a_picture_whose_mark_is_forgotten_is_drawn_from_the_report_as_it_is_now(sold, finance):
    (_, wide) = pictures_of(finance.get(PAGE))
    marked = finance.get(wide)
    cache.clear()
    assert finance.get(wide).content == marked.content
    unmarked = finance.get(PICTURE)
    assert unmarked.content == marked.content
    assert unmarked["Cache-Control"] == "private, no-cache"


@pytest.mark.database
@pytest.mark.parametrize(
    "address",
    ["/finance/reports/nothing/EUR/deferred.svg", f"{PAGE}EUR/nothing.svg", f"{PAGE}USD/deferred.svg",
     f"{PICTURE}?first_month=nonsense"],
)  # fmt: skip
def test_a_picture_that_is_none_is_not_found(sold, finance, address):
    assert finance.get(address).status_code == 404

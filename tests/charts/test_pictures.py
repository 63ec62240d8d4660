"""Charts as pictures: kept under a mark, kept by browsers too, under a policy that lets their style count."""

from datetime import date

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory

from renewals.charts import STYLE_SOURCE, ChartSpec, chart_size
from renewals.web.charts import chart_picture, keep_chart, kept_chart

SPEC = ChartSpec("bars", (date(2026, 1, 1), date(2026, 2, 1)), (("Net", (100, 200)),), "EUR")
SHOWN = (SPEC, "Bookings", "Bookings by month.")


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()
    yield
    cache.clear()


def asked(mark, /, **query):
    return chart_picture(RequestFactory().get("/chart.svg", query), SHOWN, mark)


def test_a_chart_is_kept_under_a_mark_of_what_it_shows():
    mark = keep_chart(*SHOWN)
    assert kept_chart(mark) == SHOWN
    assert keep_chart(SPEC, "Bookings", "Other words.") != mark
    assert keep_chart(SPEC._replace(unit="USD"), *SHOWN[1:]) != mark


@pytest.mark.parametrize("mark", ["", "0" * 64, "0" * 63 + " ", "x" * 5000])
def test_an_unknown_mark_is_as_good_as_none(mark):
    assert kept_chart(mark) is None


def test_a_picture_with_its_mark_may_be_kept_by_the_browser_and_others_not():
    mark = keep_chart(*SHOWN)
    assert asked(mark, mark=mark)["Cache-Control"] == "private, max-age=86400, immutable"
    assert asked(mark)["Cache-Control"] == asked(mark, mark="0" * 64)["Cache-Control"] == "private, no-cache"


def test_a_picture_is_svg_in_the_size_asked_for_with_its_style_let_be():
    mark = keep_chart(*SHOWN)
    wide, narrow = asked(mark), asked(mark, size="narrow")
    assert wide["Content-Type"] == "image/svg+xml"
    assert f'width="{chart_size(SPEC, narrow=False).width}"'.encode() in wide.content
    assert f'width="{chart_size(SPEC, narrow=True).width}"'.encode() in narrow.content
    assert wide._csp_replace["style-src"] == [STYLE_SOURCE]


def test_a_page_shows_the_picture_for_its_width_and_the_way_to_the_table():
    request = RequestFactory().get("/finance/reports/x/", {"currency": "EUR"})
    chart = {"spec": SPEC, "title": "Bookings <b>", "description": 'Two "months".'}
    context = {"chart": chart, "address": "/chart.svg", "table": "table-EUR-months"}
    part = HttpResponse(render_to_string("renewals/finance/parts/chart.html", context, request)).content.decode()
    mark = keep_chart(SPEC, chart["title"], chart["description"])
    assert f'srcset="/chart.svg?currency=EUR&amp;mark={mark}&amp;size=narrow" width="360"' in part
    assert f'src="/chart.svg?currency=EUR&amp;mark={mark}" alt="Two &quot;months&quot;."' in part
    assert 'href="#table-EUR-months"' in part
    assert "Bookings &lt;b&gt;" in part

"""Charts as pictures of their own address, so that a page need not wait for them.

A page keeps what its chart shows in the cache, under the SHA-256 of it, and puts that mark into the picture's address:
whoever asks for the picture need not read the figures again. A mark that is no longer known is as good as none.
"""

import hashlib

from csp.constants import NONE
from csp.decorators import csp_replace
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access import staff_page
from renewals.charts import STYLE_SOURCE, ChartSpec, draw_chart
from renewals.forms.finance import ReportForm
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.reports import Chart

A_DAY = 86_400  # seconds for which a chart is kept
NO_CURRENCY = "all"  # the name in an address of a section that is of no currency
Shown = tuple[ChartSpec, str, str]  # with title and description


@require_GET
@staff_page()
@csp_replace({"default-src": [NONE], "style-src": [STYLE_SOURCE]})
def report_chart(request: HttpRequest, key: str, section: str, chart: str) -> HttpResponse:
    """A chart of a report as SVG, narrow where `size` asks for it. A browser may keep what it asked for by mark."""
    shown = kept_chart(request.GET.get("mark", ""))
    if shown is None:
        found = _chart(request, key, section, chart)
        shown = (found.spec, found.title, found.description)
    picture = draw_chart(*shown, narrow=request.GET.get("size") == "narrow")
    answer = HttpResponse(picture, content_type="image/svg+xml")
    is_marked = request.GET.get("mark") == mark_of(*shown)
    answer["Cache-Control"] = f"private, max-age={A_DAY}, immutable" if is_marked else "private, no-cache"
    return answer


def _chart(request: HttpRequest, key: str, section: str, chart: str) -> Chart:
    """The chart of the report as it is now."""
    today = timezone.localdate()
    if key not in REPORTS:
        raise Http404
    form = ReportForm(request.GET, today=today, kind=REPORTS[key])
    if not form.is_valid():
        raise Http404
    for part in REPORTS[key].read(form.filters, today).sections:
        for each in part.charts:
            if (part.currency or NO_CURRENCY, each.key) == (section, chart):
                return each
    raise Http404


def mark_of(spec: ChartSpec, title: str, description: str) -> str:
    """The SHA-256 of what a chart shows and of its looks."""
    return hashlib.sha256(repr((STYLE_SOURCE, spec, title, description)).encode(errors="backslashreplace")).hexdigest()


def keep_chart(spec: ChartSpec, title: str, description: str) -> str:
    """Keep what a chart shows for the request for its picture; the mark to ask with."""
    mark = mark_of(spec, title, description)
    cache.set(f"chart-{mark}", (spec, title, description), A_DAY)
    return mark


def kept_chart(mark: str) -> Shown | None:
    """What was kept under a mark, if it still is."""
    shown: Shown | None = cache.get(f"chart-{mark}") if len(mark) == 64 and mark.isalnum() else None
    return shown

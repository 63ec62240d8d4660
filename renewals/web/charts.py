"""Charts as pictures of their own address, so that a page need not wait for them.

A page keeps what its chart shows in the cache, under the SHA-256 of it, and puts that mark into the picture's address:
whoever asks for the picture need not read the figures again. A mark that is no longer known is as good as none.
"""

import hashlib

from csp.constants import NONE
from csp.decorators import csp_replace
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from renewals.charts import STYLE_SOURCE, ChartSpec, draw_chart

A_DAY = 86_400  # seconds for which a chart is kept
Shown = tuple[ChartSpec, str, str]  # with title and description


def keep_chart(spec: ChartSpec, title: str, description: str) -> str:
    """Keep what a chart shows for the request for its picture; the mark to ask with."""
    shown = (spec, title, description)
    mark = hashlib.sha256(repr((STYLE_SOURCE, *shown)).encode(errors="backslashreplace")).hexdigest()
    cache.add(f"chart-{mark}", shown, A_DAY)
    return mark


def kept_chart(mark: str) -> Shown | None:
    """What was kept under a mark, if it still is."""
    shown: Shown | None = cache.get(f"chart-{mark}") if len(mark) == 64 and mark.isalnum() else None
    return shown


@csp_replace({"default-src": [NONE], "style-src": [STYLE_SOURCE]})
def chart_picture(request: HttpRequest, shown: Shown, mark: str) -> HttpResponse:
    """A chart as SVG, narrow where `size` asks for it. With its mark in the address a browser may keep it."""
    picture = draw_chart(*shown, narrow=request.GET.get("size") == "narrow")
    answer = HttpResponse(picture, content_type="image/svg+xml")
    is_marked = request.GET.get("mark") == mark
    answer["Cache-Control"] = f"private, max-age={A_DAY}, immutable" if is_marked else "private, no-cache"
    return answer

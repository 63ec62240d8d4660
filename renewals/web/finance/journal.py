"""The journal of a closed month: what was posted, its files, and the segments behind it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from portal import sheets
from portal.access import staff_page
from portal.web import by
from portal.web.files import csv_file
from renewals.models import JournalExport, JournalFile, MonthClose
from renewals.overviews.finance import REPORTS, detail
from renewals.overviews.finance import journal as overview
from renewals.services.journal import export_journal
from renewals.web.finance.months import month_at

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": sheets.ZIP_OF_XLSX}
DATEV_TYPE = "text/csv; charset=windows-1252"


@require_GET
@staff_page("settle")
def journal_page(request: HttpRequest, month: str) -> HttpResponse:
    """What each close of a month posted, to which accounts, and its files."""
    asked = month_at(month)
    context = {
        "kinds": REPORTS.values(),
        "month": asked,
        "journals": overview.journals_of(asked),
        "is_open_again": overview.is_open_again(asked),
        "datev": overview.datev_details(),
    }
    return render(request, "renewals/finance/journal.html", context)


@require_POST
@staff_page("settle")
def export(request: HttpRequest, month: str, revision: int) -> HttpResponse:
    """Make the files of a layout."""
    close, layout = _close(month, revision), request.POST.get("layout", "")
    if layout not in JournalExport.Layout.values:
        raise Http404
    export_journal(close=close, layout=layout, **by(request))
    messages.success(request, "The files are made; they stay as they are.")
    return redirect("renewals:journal", month)


@require_GET
@staff_page("settle")
def journal_file(request: HttpRequest, month: str, revision: int, name: str) -> HttpResponse:
    """A file as it was exported."""
    close = _close(month, revision)
    file = get_object_or_404(JournalFile.objects.select_related("export"), export__close=close, name=name)
    is_datev = file.export.layout == JournalExport.Layout.DATEV
    kind = DATEV_TYPE if is_datev else CONTENT_TYPES[file.name.rpartition(".")[2]]
    answer = HttpResponse(bytes(file.content), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer


@require_GET
@staff_page("settle")
def detail_file(request: HttpRequest, month: str, revision: int) -> StreamingHttpResponse:
    """Every segment of a month as it was closed, written while it is sent."""
    close = _close(month, revision)
    lines = sheets.csv_lines(detail.COLUMNS, detail.detail_rows(close))
    return csv_file(lines, f"segments_{month}_r{revision}")


def _close(month: str, revision: int) -> MonthClose:
    """A close; refuses `month_not_closed` where the month has none."""
    closes = {each.revision: each for each in overview.closes_of(month_at(month))}
    if revision not in closes:
        raise Http404
    return closes[revision]

"""The part of finance's first page that takes longer than the rest."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access import staff_page
from renewals.forms.finance import ReportForm
from renewals.overviews.finance import overview
from renewals.overviews.finance.due_now import due_compared, due_now, pipeline_address


@require_GET
@staff_page()
def pipeline_part(request: HttpRequest) -> HttpResponse:
    """What of the pipeline is due or has lapsed, which that page asks for; by itself it leads to the pipeline.

    With `compared` it is today against a month and a year ago, which takes three times as long.
    """
    today = timezone.localdate()
    filters = ReportForm(request.GET, today=today, kind=overview.KIND).filters
    if not request.htmx:
        return redirect(pipeline_address(filters))
    if "compared" in request.GET:
        return render(request, "renewals/finance/parts/due_table.html", {"due": due_compared(filters, today)})
    return render(request, "renewals/finance/parts/due_now.html", {"due": due_now(filters, today), "today": today})

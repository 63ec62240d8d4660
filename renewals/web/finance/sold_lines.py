"""The lines behind the figures of what was given away and what lapses cost."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access import staff_page
from portal.web import PAGE_LENGTH
from renewals.forms.finance import ReportForm
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.filters import REPORTING
from renewals.overviews.finance.sale_facts import facts_asked, kinds_named


@require_GET
@staff_page()
def sold_lines(request: HttpRequest) -> HttpResponse:
    """Each fact that a figure counts, with its order and line; what they add up to, each currency by itself."""
    form = ReportForm(request.GET, today=timezone.localdate())
    filters, kinds = form.filters, kinds_named(request.GET.get("kind", ""))
    asked = facts_asked(filters, kinds, request.GET.get("approved_by", ""))
    context = {
        "kinds": REPORTS.values(),
        "form": form,
        "filters": filters,
        "filters_in_words": form.in_words,
        "named": [kind.label for kind in kinds],
        "totals": asked.totals if request.GET.get("kind") else [],  # of all kinds, what was given and brought, is none
        "page": Paginator(asked.facts, PAGE_LENGTH).get_page(request.GET.get("page")),
        "is_converted": filters.currency == REPORTING,
    }
    return render(request, "renewals/finance/sold_lines.html", context, status=422 if form.errors else 200)

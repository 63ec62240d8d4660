"""What the figures of renewals are made of: the dongles that were due, and the customers whose values were kept."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import sheets
from portal.access import staff_page
from portal.web import PAGE_LENGTH
from portal.web.files import csv_file
from renewals.forms.renewal_lists import DueForm, KeptForm
from renewals.models import DueDongle
from renewals.overviews.finance import REPORTS, due_list
from renewals.overviews.finance import renewal_figures as figures

CHUNK = 2000  # rows of a file that are read at once


@require_GET
@staff_page()
def due_page(request: HttpRequest) -> HttpResponse:
    """The dongles that were due in the months asked for, and what came of each."""
    today = timezone.localdate()
    form = DueForm(request.GET, today=today)
    page = Paginator(_asked(form), PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {
        **_frame(form),
        "page": page,
        "rows": due_list.shown(page.object_list.select_related("dongle", "customer", "order"), today),
    }
    return render(request, "renewals/finance/due.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def due_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The same as CSV, all of them."""
    today = timezone.localdate()
    form = DueForm(request.GET, today=today)
    if not form.is_valid():
        return redirect(f"{reverse('renewals:due')}?{request.GET.urlencode()}")
    rows = _asked(form).select_related("dongle", "customer", "order").iterator(chunk_size=CHUNK)
    lines = sheets.csv_lines(due_list.COLUMNS, due_list.cells(rows, today))
    return csv_file(lines, f"due-{today.isoformat()}")


@require_GET
@staff_page()
def kept_page(request: HttpRequest) -> HttpResponse:
    """What each customer kept of its annual value at the end of a month, the greatest loss first."""
    today = timezone.localdate()
    form = KeptForm(request.GET, today=today)
    filters, currency = form.filters, form.currency_asked
    found = figures.kept_by_customer(filters, currency, filters.last_month)
    paginator = Paginator(found, PAGE_LENGTH)
    paginator.count = figures.customers_compared(filters, currency, filters.last_month)
    page = paginator.get_page(request.GET.get("page"))
    context = {**_frame(form), "page": page, "rows": due_list.kept_rows(page.object_list, currency)}
    context["currency"] = currency
    return render(request, "renewals/finance/kept.html", context, status=422 if form.errors else 200)


def _asked(form: DueForm) -> QuerySet[DueDongle]:
    filters = form.filters  # judges the form
    return due_list.due_rows(filters, form.cleaned_data.get("outcome", ""), timezone.localdate())


def _frame(form: DueForm) -> dict[str, Any]:
    return {
        "form": form,
        "filters": form.filters,
        "filters_in_words": form.in_words,
        "kinds": REPORTS.values(),
        "kind": REPORTS["renewals"],
    }

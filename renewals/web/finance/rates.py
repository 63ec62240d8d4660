"""Exchange rates: the grid of months and currencies, entering one, taking many over, and taking one away."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import staff_page
from portal.errors import DomainError
from portal.web import attempt, by
from portal.wording import count
from renewals import rates
from renewals.forms.rates import ImportForm, RateForm
from renewals.models import ExchangeRate
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.rates import rate_grid, rate_of
from renewals.services.rates import import_rates, keep_rate, remove_rate

MONTHS_ON_A_PAGE = 24
HOLES_SHOWN = 12


@require_http_methods(["GET", "POST"])
@staff_page("settle")
def rates_page(request: HttpRequest) -> HttpResponse:
    """The grid, and a form for one rate; a cell's link fills the form with what stands there."""
    month, currency = request.GET.get("month", ""), request.GET.get("currency", "")
    initial = _initial(month, currency)
    chosen = initial.get("present")
    form = RateForm(request.POST or None, initial=initial, reporting_currency=settings.REPORTING_CURRENCY)
    if request.method == "POST" and form.is_valid():
        kept = attempt(form, keep_rate, **form.cleaned_data, **by(request))
        if kept:
            messages.success(request, f"The rate of {kept} is {kept.written} {kept.reporting_currency}.")
            return redirect("renewals:rates")
    grid = rate_grid(timezone.localdate())
    page = Paginator(grid.months, MONTHS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "kinds": REPORTS.values(),
        "grid": grid,
        "page": page,
        "form": form,
        "chosen": chosen,
        "holes": grid.holes[:HOLES_SHOWN],
        "more_holes": max(len(grid.holes) - HOLES_SHOWN, 0),
    }
    return render(request, "renewals/finance/rates.html", context, status=422 if form.errors else 200)


def _initial(month: str, currency: str) -> dict[str, object]:
    """What the address names, and the rate that stands there; nothing of what can't be read."""
    try:
        present = rate_of(rates.read_month(month), currency)
    except DomainError:
        return {}
    found = {"month": month, "currency": currency[:3]}
    if present:
        found |= {"rate": present.written, "source": present.source, "present": present}
    return found


@require_http_methods(["GET", "POST"])
@staff_page("settle")
def import_page(request: HttpRequest) -> HttpResponse:
    """Take over the rates of a file or of pasted lines: all of them or none."""
    form = ImportForm(request.POST or None, request.FILES or None, reporting_currency=settings.REPORTING_CURRENCY)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, import_rates, lines=form.lines, source=form.cleaned_data["source"], **by(request))
        if done:
            told = f"{count(done.entered, 'rate')} entered, {done.changed} changed, {done.same} were there already."
            messages.success(request, told)
            return redirect("renewals:rates")
    context = {"form": form, "reporting_currency": settings.REPORTING_CURRENCY}
    return render(request, "renewals/finance/import_rates.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("settle")
def remove(request: HttpRequest, rate_id: int) -> HttpResponse:
    """Take away a rate that was entered by mistake."""
    rate = get_object_or_404(ExchangeRate, pk=rate_id)
    told = str(rate)
    remove_rate(rate=rate, **by(request))
    messages.success(request, f"The rate of {told} is taken away.")
    return redirect("renewals:rates")

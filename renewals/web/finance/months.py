"""The months of the ledger: their list, a month's checklist or what it was closed as, and the deeds on it."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.access import is_able, staff_page
from portal.jobs import start_job
from portal.web import PAGE_LENGTH, attempt, by
from portal.wording import write_month
from renewals.forms.finance import read_month
from renewals.forms.months import CloseForm, DecisionForm, ProofForm, ReopeningForm
from renewals.models import MonthClose, MonthReopening
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.months import close_of, entries_of, month_list, month_overview, prove_close
from renewals.services.closing import ask_reopening, close_month, decide_reopening

MONTHS_ON_A_PAGE = 12
PROVEN_AT_ONCE = 20_000  # segments; more are long work


@require_GET
@staff_page()
def months_page(request: HttpRequest) -> HttpResponse:
    """All months: which are closed, what they came to, and which is next."""
    months = month_list(timezone.localdate())
    page = Paginator(months.rows, MONTHS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"months": months, "page": page, "kinds": REPORTS.values(), "here": "months"}
    return render(request, "renewals/finance/months.html", context)


@require_GET
@staff_page()
def month_page(request: HttpRequest, month: str) -> HttpResponse:
    """A month with its checklist, or what it was closed as, and what changed since."""
    return _render(request, month_at(month))


@require_POST
@staff_page("settle")
def close(request: HttpRequest, month: str) -> HttpResponse:
    """Close the month, once that is confirmed."""
    asked, form = month_at(month), CloseForm(request.POST)
    if form.is_valid() and attempt(form, close_month, month=asked, **by(request)):
        messages.success(request, f"{write_month(asked)} is closed.")
        return redirect("renewals:month", month)
    return _render(request, asked, close_form=form)


@require_POST
@staff_page("settle")
def ask(request: HttpRequest, month: str) -> HttpResponse:
    """Ask that the month be opened again."""
    asked, form = month_at(month), ReopeningForm(request.POST)
    newest = _close(asked)
    if form.is_valid() and attempt(
        form, ask_reopening, close=newest, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, f"Another person decides now whether {write_month(asked)} is opened.")
        return redirect("renewals:month", month)
    return _render(request, asked, reopening_form=form)


@require_POST
@staff_page("settle")
def decide(request: HttpRequest, month: str, reopening_id: int) -> HttpResponse:
    """Open the month again, or leave it closed."""
    asked, form = month_at(month), DecisionForm(request.POST)
    reopening = get_object_or_404(MonthReopening, pk=reopening_id, close__month=asked)
    if form.is_valid() and (
        done := attempt(
            form, decide_reopening, reopening=reopening, is_granted=form.cleaned_data["is_granted"], **by(request)
        )
    ):
        messages.success(request, f"{write_month(asked)} is {'open again' if done.is_granted else 'left closed'}.")
        return redirect("renewals:month", month)
    return _render(request, asked, decision_form=form)


@require_POST
@staff_page()
def prove(request: HttpRequest, month: str) -> HttpResponse:
    """Derive a close again from its segments alone: at once, or where it is large as long work."""
    asked, form = month_at(month), ProofForm(request.POST)
    found = _close(asked, form.cleaned_data["revision"]) if form.is_valid() else None
    if found is None:
        return _render(request, asked, proof_form=form)
    if found.segments <= PROVEN_AT_ONCE:
        return _render(request, asked, proof=prove_close(found))
    title = f"Proof of {write_month(asked)}, revision {found.revision}"
    job = start_job(kind="proof", title=title, params={"close": found.pk}, unit="segment", **by(request))
    return redirect("job", job.pk)


@require_GET
@staff_page()
def entries_page(request: HttpRequest, month: str, revision: int) -> HttpResponse:
    """What a close posted, entry by entry."""
    found = _close(month_at(month), revision)
    page = Paginator(entries_of(found), PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"close": found, "page": page, "kinds": REPORTS.values(), "here": "months"}
    return render(request, "renewals/finance/entries.html", context)


def month_at(text: str) -> date:
    """The month of an address, or 404."""
    try:
        return read_month(text)
    except ValidationError:
        raise Http404 from None


def _close(month: date, revision: int | None = None) -> MonthClose:
    found = close_of(month, revision)
    if found is None:
        raise Http404
    return found


def _render(request: HttpRequest, month: date, **shown: Any) -> HttpResponse:
    """The month's page; a form of it that was refused comes back as it was typed."""
    forms = [each for each in shown.values() if isinstance(each, Form)]
    refused = next((form for form in forms if form.errors), None)
    overview = month_overview(month, timezone.localdate(), is_checked="check" in request.GET)
    context = {
        "overview": overview,
        "kinds": REPORTS.values(),
        "here": "months",
        "close_form": CloseForm(),
        "reopening_form": ReopeningForm(),
        "refused": refused,
        "may_decide": overview.reopening is not None and overview.reopening.asked_by_id != request.user.pk,
        "may_settle": is_able(request.user, "settle"),
        **shown,
    }
    return render(request, "renewals/finance/month.html", context, status=422 if refused else 200)

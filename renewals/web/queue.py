"""The work queue, where staff begin; and requests for a quote."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import staff_page
from portal.web import PAGE_LENGTH, attempt, by, done_once
from renewals import overviews
from renewals.forms.staff import ReasonForm, RequestForm
from renewals.models import RenewalRequest
from renewals.services import requests
from renewals.web.customers import asked_customer


@require_GET
@staff_page()
def work_queue(request: HttpRequest) -> HttpResponse:
    """What waits for somebody, for who looks first; of one kind with `?kind=`."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in overviews.KINDS else ""
    today = timezone.localdate()
    queue = overviews.work_queue(request.user, today, kind=kind)
    kinds = [(name, title, queue.counts[name]) for name, title in overviews.KINDS.items() if queue.counts[name]]
    return render(request, "renewals/queue.html", {"queue": queue, "kinds": kinds, "kind": kind, "today": today})


@require_GET
@staff_page()
def request_list(request: HttpRequest) -> HttpResponse:
    """All requests, the newest first, or those about one customer's dongles (`?customer=`)."""
    found, customer = overviews.requests_newest_first(), asked_customer(request)
    if customer:
        found = found.filter(dongles__dongle__customer=customer).distinct()
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/requests.html", {"page": page, "customer": customer})


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def new_request(request: HttpRequest) -> HttpResponse:
    """Record a request that came by telephone or mail."""
    form = RequestForm(request.POST or None)

    def record() -> str | None:
        found = attempt(form, requests.record_request, **form.cleaned_data, **by(request))
        return found and reverse("renewals:request", args=[found.pk])

    if request.method == "POST" and form.is_valid() and (address := done_once(request, record)):
        return redirect(address)
    context = {"form": form, "once": request.POST.get("once") or uuid4().hex}
    return render(request, "renewals/new_request.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def request_page(request: HttpRequest, request_id: int) -> HttpResponse:
    """A request: what is asked, what is on record for its serial, and the next step."""
    return _request_page(request, _request(request_id), {})


@require_POST
@staff_page("sell")
def close(request: HttpRequest, request_id: int) -> HttpResponse:
    """Close a request without a quote, with a reason."""
    found, form = _request(request_id), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, requests.close_request, request=found, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, f"Request {found.number} is closed.")
        return redirect("renewals:request", request_id)
    return _request_page(request, found, {"close_form": form}, status=422)


def _request(request_id: int) -> RenewalRequest:
    return get_object_or_404(overviews.requests_newest_first(), pk=request_id)


def _request_page(
    request: HttpRequest, found: RenewalRequest, forms: dict[str, Any], status: int = 200
) -> HttpResponse:
    refused = next(iter(forms.values()), None)
    context = {**overviews.request_overview(found), "close_form": ReasonForm(), "refused": refused, **forms}
    return render(request, "renewals/request.html", context, status=status)

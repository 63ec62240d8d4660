"""Quotes: the list, a version's page, and the steps that it can take."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.access import staff_page
from portal.web import PAGE_LENGTH, attempt, by
from renewals import overviews
from renewals.forms import AcceptForm, ReasonForm
from renewals.models import QuoteVersion
from renewals.services import orders, quotes


@require_GET
@staff_page()
def quote_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(overviews.newest_versions(), PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/quotes.html", {"page": page})


@require_GET
@staff_page()
def quote_page(request: HttpRequest, quote_id: int, number: int | None = None) -> HttpResponse:
    """A version of a quote (the newest unless named), its lines with their arithmetic, its history, the next step."""
    return _quote_page(request, _version(quote_id, number), {})


def _version(quote_id: int, number: int | None) -> QuoteVersion:
    versions = overviews.versions_with_quote().filter(quote_id=quote_id)
    return (
        get_object_or_404(versions.filter(number=number))
        if number
        else get_object_or_404(versions.order_by("-number")[:1])
    )


def _quote_page(request: HttpRequest, version: QuoteVersion, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    """The quote's page; a form of it that was refused comes back as it was typed."""
    context = {
        **overviews.quote_overview(version, timezone.localdate()),
        "accept_form": AcceptForm(customer=version.quote.customer),
        "approve_form": ReasonForm(),
        "decline_form": ReasonForm(),
        **forms,
    }
    return render(request, "renewals/quote.html", context, status=status)


@require_POST
@staff_page("sell")
def send(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version = quotes.send_quote(version=_version(quote_id, number), **by(request))
    messages.success(request, f"Quote {version.quote.number} is on its way to {version.quote.customer}.")
    return redirect("renewals:quote_version", quote_id, number)


@require_POST
@staff_page("sell")
def approve(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.approve_quote, version=version, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, "Approved: the quote can be sent.")
        return redirect("renewals:quote_version", quote_id, number)
    return _quote_page(request, version, {"approve_form": form}, status=422)


@require_POST
@staff_page("sell")
def decline(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.decline_quote, version=version, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, "Recorded as declined.")
        return redirect("renewals:quote_version", quote_id, number)
    return _quote_page(request, version, {"decline_form": form}, status=422)


@require_POST
@staff_page("sell")
def accept(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """Record the purchase order: the order is made and, unless the customer pays first, fulfilled."""
    version = _version(quote_id, number)
    form = AcceptForm(request.POST, customer=version.quote.customer)
    if form.is_valid():
        order = attempt(form, orders.accept_quote, version=version, **form.cleaned_data, **by(request))
        if order:
            return redirect("renewals:order", order.pk)
    return _quote_page(request, version, {"accept_form": form}, status=422)

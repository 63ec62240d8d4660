"""Lost, broken or handed on: what happened to a dongle, what follows from it, and what it costs (rule Q8)."""

from collections.abc import Callable
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from dongles import queries as dongle_queries
from dongles.forms import TransferForm, WhatHappenedForm
from dongles.models import Dongle, Replacement
from dongles.services import find_dongle_again, lose_dongle
from portal.access import staff_page
from portal.models import Customer
from portal.web import attempt, by, done_once
from renewals import overviews
from renewals.forms.staff import ReasonForm, ReplacementForm
from renewals.queries import Concessions, DongleRequest, ReplacementRequest
from renewals.services import quotes
from renewals.services.replacements import replace_dongle, transfer_dongle
from renewals.web.builder import revised_quote

MOST_CUSTOMERS = 20


@require_GET
@staff_page("sell")
def what_happened(request: HttpRequest, serial: str) -> HttpResponse:
    """The question; the answer leads to the page that does it. Below, what became of the dongle so far."""
    dongle = dongle_queries.dongle_by_serial(serial)
    form = WhatHappenedForm(request.GET or None, dongle=dongle)
    if form.is_bound and form.is_valid():
        step, _, cause = form.cleaned_data["happened"].partition("-")
        query = f"?cause={cause}" if cause else ""
        return redirect(reverse(f"renewals:{step}", args=[dongle.serial]) + query)
    context = {**overviews.what_happened_overview(dongle), "form": form}
    return render(request, "renewals/what_happened.html", context)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def lose_page(request: HttpRequest, serial: str) -> HttpResponse:
    """Record a dongle as lost; it can be found again or replaced later."""
    return _record(request, serial, lose_dongle, "What happened", "recorded as lost", "renewals/lose.html")


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def find_page(request: HttpRequest, serial: str) -> HttpResponse:
    """A lost dongle has turned up."""
    return _record(request, serial, find_dongle_again, "Where it was", "active again", "renewals/find_again.html")


def _record(
    request: HttpRequest, serial: str, service: Callable[..., Dongle], label: str, outcome: str, template: str
) -> HttpResponse:
    dongle = dongle_queries.dongle_by_serial(serial)
    form = ReasonForm(request.POST or None)
    form.fields["reason"].label = label
    if request.method == "POST" and form.is_valid():
        done = attempt(form, service, dongle=dongle, reason=form.cleaned_data["reason"], **by(request))
        if done:
            messages.success(request, f"Dongle {dongle} is {outcome}.")
            return redirect("renewals:dongle", dongle.serial)
    context = {**overviews.handover_overview(dongle, timezone.localdate()), "form": form}
    return render(request, template, context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def replace_page(request: HttpRequest, serial: str) -> HttpResponse:
    """Q8: let another dongle take this one's place, at once where it is free, else by a quote that is drafted here.

    With `?revises=` the next version of such a quote is drafted.
    """
    dongle = dongle_queries.dongle_by_serial(serial)
    cause = request.GET.get("cause", "")
    if cause not in Replacement.Cause.values:
        return redirect("renewals:what_happened", dongle.serial)
    shown = overviews.replacement_overview(dongle, cause, timezone.localdate())
    asked = {name: request.GET[name] for name in ("serial", "reason", "discount") if name in request.GET}
    form = ReplacementForm(request.POST or None, initial=asked, is_free="is_free" in shown)
    carry_out = _replace if "is_free" in shown else _draft
    if request.method == "POST" and form.is_valid():
        done = done_once(request, lambda: carry_out(request, dongle, cause, form))
        if done:
            return redirect(done)
    context = {**shown, "form": form, "once": request.POST.get("once") or uuid4().hex}
    return render(request, "renewals/replace.html", context, status=422 if form.errors else 200)


def _replace(request: HttpRequest, dongle: Dongle, cause: str, form: ReplacementForm) -> str | None:
    """Replace for nothing; the address of the new dongle, or none where it is refused."""
    values = form.cleaned_data
    done = attempt(
        form,
        replace_dongle,
        dongle=dongle,
        serial=values["serial"],
        cause=cause,
        reason=values["reason"],
        **by(request),
    )
    if done is None:
        return None
    messages.success(request, f"Dongle {done.successor} has taken the place of {dongle}; its code is on its way.")
    return reverse("renewals:dongle", args=[done.successor.serial])


def _draft(request: HttpRequest, dongle: Dongle, cause: str, form: ReplacementForm) -> str | None:
    """Draft the quote for a replacement; its address, or none where it is refused."""
    values = form.cleaned_data
    wanted = attempt(form, dongle_queries.serial_in, values["serial"])
    version = wanted and attempt(
        form,
        quotes.draft_quote,
        customer=dongle.customer,
        requests=[DongleRequest(dongle, replacement=ReplacementRequest(wanted, cause, values["reason"]))],
        concessions=Concessions(values["discount"] / 100),
        discount_reason=values["discount_reason"],
        revises=revised_quote(request, dongle),
        **by(request),
    )
    return version and reverse("renewals:quote_version", args=[version.quote_id, version.number])


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def transfer_page(request: HttpRequest, serial: str) -> HttpResponse:
    """Hand a dongle on to another customer, found by a part of the name."""
    dongle = dongle_queries.dongle_by_serial(serial)
    words = request.GET.get("whom", "").strip()
    found = Customer.objects.filter(name__icontains=words).exclude(pk=dongle.customer_id) if words else ()
    customers = list(found.order_by("name", "pk")[:MOST_CUSTOMERS]) if found else []
    form = TransferForm(request.POST or None, customers=customers)
    if request.method == "POST" and form.is_valid():
        customer = get_object_or_404(Customer, pk=form.cleaned_data["customer"])
        reason = form.cleaned_data["reason"]
        done = attempt(form, transfer_dongle, dongle=dongle, customer=customer, reason=reason, **by(request))
        if done:
            messages.success(request, f"Dongle {dongle} is {customer.name}’s now.")
            return redirect("renewals:dongle", dongle.serial)
    context = {
        **overviews.handover_overview(dongle, timezone.localdate()),
        "form": form,
        "words": words,
        "customers": customers,
        "most": MOST_CUSTOMERS,
    }
    return render(request, "renewals/transfer.html", context, status=422 if form.errors else 200)

"""The quote builder: what is asked stands in the address, the price beside it lives; posting keeps a draft."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import replace_url

from dongles import queries as dongle_queries
from dongles.models import Dongle
from portal.access import staff_page
from portal.errors import DomainError
from portal.web import attempt, by, done_once
from renewals import overviews, queries
from renewals.forms import QuoteForm
from renewals.models import Quote
from renewals.services import quotes

LONGEST_NUMBER = 18  # what a database's number holds


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def quote_builder(request: HttpRequest, serial: str) -> HttpResponse:
    """Make a quote: what is asked stands in the address, the arithmetic beside it lives; posting keeps a draft.

    With `?revises=` it makes the next version of a quote.
    """
    dongle = dongle_queries.dongle_by_serial(serial)
    revises = _revised_quote(request, dongle)
    address = request.path + (f"?revises={revises.pk}" if revises else "")
    form = QuoteForm(
        _asked(request, dongle, revises),
        products=dongle_queries.products_for(dongle),
        max_years=queries.policy_on(timezone.localdate()).max_years,
    )
    if request.htmx and form.is_half_typed:
        return HttpResponse(status=204)
    preview = None
    if dongle.customer is None:
        form.add_error(None, f"Dongle {dongle.serial} has no owner on record: say first whose it is.")
    elif form.is_valid():
        priced = attempt(
            form,
            queries.price_quote,
            dongle.customer,
            [form.request_for(dongle)],
            on=timezone.localdate(),
            concessions=form.concessions,
        )
        is_kept = request.method == "POST" and "work_it_out" not in request.POST
        if priced and is_kept and (drafted := done_once(request, lambda: _draft(request, form, dongle, revises))):
            return redirect(drafted)
        preview = priced and overviews.preview_of(priced)
    context = {
        "dongle": dongle,
        "form": form,
        "preview": preview,
        "revises": revises,
        "address": address,
        "once": request.POST.get("once") or uuid4().hex,
    }
    if request.htmx:
        response = render(request, "renewals/parts/quote_preview_answer.html", context)
        return replace_url(response, f"{address}{'&' if revises else '?'}{form.asked}")
    is_refused = request.method == "POST" and bool(form.errors)
    return render(request, "renewals/quote_builder.html", context, status=422 if is_refused else 200)


def _draft(request: HttpRequest, form: QuoteForm, dongle: Dongle, revises: Quote | None) -> str | None:
    """Draft what the form asks; the address of the draft, or none where it is refused."""
    assert dongle.customer is not None
    version = attempt(
        form,
        quotes.draft_quote,
        customer=dongle.customer,
        requests=[form.request_for(dongle)],
        concessions=form.concessions,
        discount_reason=form.cleaned_data["discount_reason"],
        note=form.cleaned_data["note"],
        revises=revises,
        **by(request),
    )
    return version and reverse("renewals:quote_version", args=[version.quote_id, version.number])


def _asked(request: HttpRequest, dongle: Dongle, revises: Quote | None) -> Mapping[str, Any]:
    """What is posted, or what the address asks; the bare page starts with one year, where there is what to renew.

    The next version of a quote starts with the words of the one before.
    """
    if request.method == "POST":
        return request.POST
    asked = request.GET.dict()
    if not asked.keys() - {"revises"} and dongle_queries.licences_of([dongle]).exists():
        asked["renew_years"] = "1"
    words = revises and revises.versions.order_by("-number").values("discount_reason", "note").first()
    return {**(words or {}), **asked}


def _revised_quote(request: HttpRequest, dongle: Dongle) -> Quote | None:
    number = request.GET.get("revises", "")
    if not number.isdecimal() or len(number) > LONGEST_NUMBER:
        return None
    quote = get_object_or_404(Quote, pk=int(number), customer=dongle.customer)
    newest = quote.versions.order_by("-number").first()
    if newest is None or list(newest.dongles.values_list("dongle_id", flat=True)) != [dongle.pk]:
        raise DomainError(
            "quote_of_other_dongles",
            f"This page makes quotes of one dongle, and {quote.number} is not one of dongle {dongle.serial} alone.",
            {"quote": quote.number},
        )
    return quote

"""The sales desk's pages: dongle → quote → order. Each checks access and form, calls one service or query, renders."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import replace_url

from dongles import queries as dongle_queries
from dongles.models import Dongle, Licence
from dongles.services import withdraw_licence
from portal.access import staff_page
from portal.audit import Actor
from portal.errors import DomainError
from portal.web import attempt, done_once
from portal.wording import write_day
from renewals import overviews, queries
from renewals.forms import AcceptForm, CancelForm, PaymentForm, QuoteForm, ReasonForm
from renewals.models import Order, Quote, QuoteVersion
from renewals.services import orders, quotes
from renewals.services.cancellations import cancel_order

PAGE_LENGTH = 50
LONGEST_NUMBER = 18  # what a database's number holds


@require_GET
@staff_page()
def dongle_page(request: HttpRequest, serial: str) -> HttpResponse:
    """What the dongle is, carries and runs, what was quoted and sold for it, and what to do next."""
    dongle = dongle_queries.dongle_by_serial(serial)
    if dongle.serial != serial:
        return redirect("renewals:dongle", dongle.serial)
    return render(request, "renewals/dongle.html", overviews.dongle_overview(dongle, timezone.localdate()))


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def withdraw_page(request: HttpRequest, serial: str, licence_id: int) -> HttpResponse:
    """C6: take a licence off the dongle, with a reason."""
    licence = get_object_or_404(
        Licence.objects.select_related("dongle", "product"), pk=licence_id, dongle__serial=serial
    )
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, withdraw_licence, licence=licence, reason=form.cleaned_data["reason"], **_by(request))
        if done:
            messages.success(request, f"{licence.product} was withdrawn from dongle {serial}.")
            return redirect("renewals:dongle", serial)
    context = {"licence": licence, "dongle": licence.dongle, "form": form}
    return render(request, "renewals/withdraw.html", context, status=422 if form.errors else 200)


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
            discount=form.discount_rate,
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
        discount=form.discount_rate,
        discount_reason=form.cleaned_data["discount_reason"],
        note=form.cleaned_data["note"],
        revises=revises,
        **_by(request),
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
    version = quotes.send_quote(version=_version(quote_id, number), **_by(request))
    messages.success(request, f"Quote {version.quote.number} is on its way to {version.quote.customer}.")
    return redirect("renewals:quote_version", quote_id, number)


@require_POST
@staff_page("sell")
def approve(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.approve_quote, version=version, reason=form.cleaned_data["reason"], **_by(request)
    ):
        messages.success(request, "Approved: the quote can be sent.")
        return redirect("renewals:quote_version", quote_id, number)
    return _quote_page(request, version, {"approve_form": form}, status=422)


@require_POST
@staff_page("sell")
def decline(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.decline_quote, version=version, reason=form.cleaned_data["reason"], **_by(request)
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
        order = attempt(form, orders.accept_quote, version=version, **form.cleaned_data, **_by(request))
        if order:
            return redirect("renewals:order", order.pk)
    return _quote_page(request, version, {"accept_form": form}, status=422)


@require_GET
@staff_page()
def order_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(overviews.orders_newest_first(), PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/orders.html", {"page": page})


@require_GET
@staff_page()
def order_page(request: HttpRequest, order_id: int) -> HttpResponse:
    """An order with what was fulfilled, its codes, its revenue in time and its history."""
    return _order_page(request, _order(order_id), {})


def _order(order_id: int) -> Order:
    return get_object_or_404(Order.objects.select_related("quote", "version", "customer"), pk=order_id)


def _order_page(request: HttpRequest, order: Order, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    context = {
        **overviews.order_overview(order, today),
        "payment_form": PaymentForm(today=today, initial={"paid_on": today}),
        **forms,
    }
    return render(request, "renewals/order.html", context, status=status)


@require_POST
@staff_page("settle")
def pay(request: HttpRequest, order_id: int) -> HttpResponse:
    """Record the payment of an order that waits for it: that fulfils it."""
    order, form = _order(order_id), PaymentForm(request.POST, today=timezone.localdate())
    if form.is_valid() and attempt(
        form, orders.fulfil_order, order=order, paid_on=form.cleaned_data["paid_on"], **_by(request)
    ):
        messages.success(request, f"Order {order.number} is paid and fulfilled.")
        return redirect("renewals:order", order_id)
    return _order_page(request, order, {"payment_form": form}, status=422)


@require_http_methods(["GET", "POST"])
@staff_page("cancel")
def cancel_page(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order from a day on, saying beforehand what that does."""
    order = _order(order_id)
    form = CancelForm(request.POST or None, initial={"from_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        done = attempt(form, cancel_order, order=order, **form.cleaned_data, **_by(request))
        if done:
            messages.success(request, f"Order {order.number} is cancelled from {write_day(done.cancelled_from)} on.")
            return redirect("renewals:order", order_id)
    status = 422 if form.errors else 200
    return render(request, "renewals/cancel.html", {"order": order, "form": form}, status=status)


def _by(request: HttpRequest) -> dict[str, Any]:
    """Who acts and when: the clock is read here, not in the services."""
    return {"actor": Actor.of(request.user), "at": timezone.now()}

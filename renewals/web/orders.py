"""Orders: the list, an order's page, its payment, its cancellation and credits that are concessions."""

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
from portal.wording import write_day, write_money
from renewals import overviews
from renewals.forms.credits import CreditForm
from renewals.forms.staff import CancelForm, PaymentForm, PurchaseOrderFileForm
from renewals.models import Order, OrderLine
from renewals.services import orders
from renewals.services.cancellations import cancel_order
from renewals.services.credits import credit_line
from renewals.web.customers import asked_customer


@require_GET
@staff_page()
def order_list(request: HttpRequest) -> HttpResponse:
    """All orders, the newest first, or those of one customer (`?customer=`)."""
    found, customer = overviews.orders_newest_first(), asked_customer(request)
    if customer:
        found = found.filter(customer=customer)
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/orders.html", {"page": page, "customer": customer})


@require_GET
@staff_page()
def order_page(request: HttpRequest, order_id: int) -> HttpResponse:
    """An order with what was fulfilled, its codes, its revenue in time and its history."""
    return render_order(request, order_at(order_id), {})


def order_at(order_id: int) -> Order:
    """The order of an address, or 404."""
    return get_object_or_404(Order.objects.select_related("quote", "version", "customer"), pk=order_id)


def render_order(request: HttpRequest, order: Order, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    """The order's page; a form of it that was refused comes back as it was typed."""
    today = timezone.localdate()
    context = {
        **overviews.order_overview(order, today),
        "payment_form": PaymentForm(today=today, initial={"paid_on": today}),
        "file_form": PurchaseOrderFileForm(),
        "refused": next(iter(forms.values()), None),
        **forms,
    }
    return render(request, "renewals/order.html", context, status=status)


@require_POST
@staff_page("settle")
def pay(request: HttpRequest, order_id: int) -> HttpResponse:
    """Record the payment of an order that waits for it: that fulfils it."""
    order, form = order_at(order_id), PaymentForm(request.POST, today=timezone.localdate())
    if form.is_valid() and attempt(
        form, orders.fulfil_order, order=order, paid_on=form.cleaned_data["paid_on"], **by(request)
    ):
        messages.success(request, f"Order {order.number} is paid and fulfilled.")
        return redirect("renewals:order", order_id)
    return render_order(request, order, {"payment_form": form}, status=422)


@require_http_methods(["GET", "POST"])
@staff_page("cancel")
def cancel_page(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order from a day on, saying beforehand what that does."""
    order = order_at(order_id)
    form = CancelForm(request.POST or None, initial={"from_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        done = attempt(form, cancel_order, order=order, **form.cleaned_data, **by(request))
        if done:
            messages.success(request, f"Order {order.number} is cancelled from {write_day(done.cancelled_from)} on.")
            return redirect("renewals:order", order_id)
    status = 422 if form.errors else 200
    return render(request, "renewals/cancel.html", {"order": order, "form": form}, status=status)


@require_http_methods(["GET", "POST"])
@staff_page("settle")
def credit_page(request: HttpRequest, order_id: int, line_id: int) -> HttpResponse:
    """Credit a part of a line as a concession, saying beforehand what that does; the same form twice credits once."""
    order = order_at(order_id)
    line = get_object_or_404(OrderLine.objects.select_related("licence__product", "period"), pk=line_id, order=order_id)
    earned = overviews.earned_of(line, timezone.localdate())
    form = CreditForm(request.POST or None, currency=order.version.currency, left=earned.left)

    def credit() -> str | None:
        if not attempt(form, credit_line, order_line=line, **form.cleaned_data, **by(request)):
            return None
        amount = write_money(form.cleaned_data["amount"], order.version.currency)
        messages.success(request, f"{amount} of order {order.number} are credited.")
        return reverse("renewals:order", args=[order_id])

    if request.method == "POST" and form.is_valid() and (address := done_once(request, credit)):
        return redirect(address)
    context = {"order": order, "earned": earned, "form": form, "once": request.POST.get("once") or uuid4().hex}
    return render(request, "renewals/credit.html", context, status=422 if form.errors else 200)

"""A customer's page of an order of theirs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access import customer_page
from portal.models import Customer
from renewals.models import Order
from renewals.overviews import my


@require_GET
@customer_page
def order_page(request: HttpRequest, customer: Customer, order_id: int) -> HttpResponse:
    """What was ordered, how the order stands, and the codes that came of it."""
    orders = Order.objects.select_related("quote", "version")
    order = get_object_or_404(orders, pk=order_id, customer=customer)
    return render(request, "renewals/my/order.html", my.own_order_overview(order, customer, timezone.localdate()))

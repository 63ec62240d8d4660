"""Orders: their lines with their revenue and their codes; payment and cancellation. The same services as the pages."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dongles.api import CodeSerializer
from portal.api.fields import AmountField, DayField, FlagField, RequestSerializer, TextField
from portal.api.schema import operation
from portal.api.views import StaffView
from renewals import overviews
from renewals.api.lines import CustomerSerializer
from renewals.models import Order
from renewals.services import orders
from renewals.services.cancellations import cancel_order
from renewals.states import OrderState


class OrderLineSerializer(serializers.Serializer[overviews.EarnedLine]):
    """A line as fulfilled. One without a `kind` extends, for nothing, a licence that was covered when quoted (Q1)."""

    kind = serializers.CharField(source="line.quote_line.kind", allow_null=True)
    serial = serializers.CharField(source="line.licence.dongle.serial")
    licence = serializers.IntegerField(source="line.licence_id")
    product = serializers.CharField(source="line.licence.product.code")
    seats = serializers.IntegerField(source="line.licence.seats")
    starts_on = serializers.DateField(source="line.period.starts_on", allow_null=True)
    ends_on = serializers.DateField(source="line.period.ends_on", allow_null=True)
    is_cancelled = serializers.BooleanField(source="line.period.is_cancelled", allow_null=True)
    free_days = serializers.IntegerField(source="line.free_days")
    net = AmountField(source="line.net")
    sold = AmountField(help_text="Net less what a cancellation took back and what was credited as a concession (F4).")
    recognised = AmountField(help_text="Of what is sold, earned through today (F2–F4).")
    deferred = AmountField()


class OrderSerializer(serializers.Serializer[dict[str, Any]]):
    """An accepted quote. Lines and codes come with its fulfilment."""

    id = serializers.IntegerField(source="order.pk")
    number = serializers.CharField(source="order.number")
    state = serializers.ChoiceField(source="order.state", choices=OrderState.choices())
    standing = serializers.CharField(help_text="How it stands, in a sentence.")
    quote = serializers.IntegerField(source="order.quote_id")
    version = serializers.IntegerField(source="version.number")
    customer = CustomerSerializer()
    purchase_order_number = serializers.CharField(source="order.purchase_order_number", allow_blank=True)
    accepted_by = serializers.CharField(source="order.accepted_by")
    accepted_on = serializers.DateField(source="order.accepted_on")
    paid_on = serializers.DateField(source="order.paid_on", allow_null=True)
    fulfilled_on = serializers.DateField(source="order.fulfilled_on", allow_null=True)
    cancelled_from = serializers.DateField(source="order.cancelled_from", allow_null=True)
    currency = serializers.CharField(source="version.currency")
    net = AmountField(source="version.net")
    tax = AmountField(source="version.tax")
    total = AmountField(source="version.total")
    serials = serializers.SerializerMethodField()
    lines = OrderLineSerializer(source="earned", many=True)
    codes = CodeSerializer(many=True)

    def get_serials(self, overview: dict[str, Any]) -> list[str]:
        return [dongle.serial for dongle in overview["dongles"]]


class PaymentRequest(RequestSerializer):
    paid_on = DayField()


class CancelRequest(RequestSerializer):
    from_on = DayField(help_text="The first day that is no longer covered.")
    reason = TextField(max_length=500, allow_blank=True)
    is_mistake = FlagField(required=False, help_text="Annul it whole, as if it had not been sold (F4).")


def order_at(order_id: int) -> Order:
    return get_object_or_404(Order.objects.select_related("quote", "version", "customer"), pk=order_id)


def presented_order(order_id: int) -> Response:
    """The order as it is now, with what its page shows."""
    order = order_at(order_id)
    overview = overviews.order_overview(order, timezone.localdate())
    return Response(OrderSerializer(overview, context={"currency": order.version.currency}).data)


class OrderView(StaffView):
    @operation("order", "An order", answer=OrderSerializer, missing="not_found")
    def get(self, request: Request, order_id: int) -> Response:
        return presented_order(order_id)


class PayView(StaffView):
    ability = "settle"

    @operation(
        "fulfil_order",
        "Record the payment of an order that waits for it",
        request=PaymentRequest,
        answer=OrderSerializer,
        refusals="paid_in_future order_cancelled dongle_changed serial_taken code_numbers_used_up",
        missing="not_found",
        examples={"A day": {"paid_on": "2026-01-30"}},
    )
    def post(self, request: Request, order_id: int) -> Response:
        """That fulfils it: periods, revenue and unlock codes (Q6). Paid again, nothing happens."""
        body = self.values_of(PaymentRequest)
        return presented_order(orders.fulfil_order(order=order_at(order_id), **body, **self.by()).pk)


class CancelView(StaffView):
    ability = "cancel"

    @operation(
        "cancel_order",
        "Cancel an order from a day on",
        request=CancelRequest,
        answer=OrderSerializer,
        refusals="cancellation_reason_missing cancel_before_fulfilment nothing_to_cancel order_built_upon"
        " code_numbers_used_up",
        missing="not_found",
        examples={"From a day on": {"from_on": "2026-10-01", "reason": "The laboratory closes"}},
    )
    def post(self, request: Request, order_id: int) -> Response:
        """Periods end the day before, unearned revenue is reversed, a code states the date that is right then (Q6)."""
        body = self.values_of(CancelRequest)
        return presented_order(cancel_order(order=order_at(order_id), **body, **self.by()).pk)

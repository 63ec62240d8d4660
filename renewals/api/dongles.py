"""A dongle with its licences, coverage, status, dates, codes, quotes and orders."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dongles.api import CodeSerializer, ProductSerializer, WithdrawnLicenceSerializer, dongle_at
from dongles.models import Dongle
from portal.api.fields import AmountField
from portal.api.schema import operation
from portal.api.views import StaffView
from renewals import overviews
from renewals.api.lines import CustomerSerializer
from renewals.models import Order, QuoteVersion

SMA_STATUS = ["valid", "expiring", "lapsed", "lapsed_over_major", "empty"]


class PeriodSerializer(serializers.Serializer[Any]):
    """An SMA period, both days included."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class ReleaseSerializer(serializers.Serializer[Any]):
    family = serializers.CharField()
    version = serializers.CharField()
    build_on = serializers.DateField()
    is_major = serializers.BooleanField()


class LicenceSerializer(serializers.Serializer[overviews.LicenceStanding]):
    """A licence that the dongle carries and how its SMA stands today (rules C1, C4, C5)."""

    id = serializers.IntegerField(source="licence.pk")
    product = ProductSerializer(source="licence.product")
    seats = serializers.IntegerField(source="licence.seats")
    acquired_on = serializers.DateField(source="licence.acquired_on")
    status = serializers.ChoiceField(choices=SMA_STATUS)
    covered_through = serializers.DateField()
    periods = PeriodSerializer(source="covered.periods", many=True)
    missed_majors = ReleaseSerializer(source="missed", many=True)


class QuoteSummarySerializer(serializers.ModelSerializer[QuoteVersion]):
    number = serializers.CharField(source="quote.number")
    version = serializers.IntegerField(source="number")
    state = serializers.CharField(help_text="As in a quote's version.")
    total = AmountField(currency="currency")

    class Meta:
        model = QuoteVersion
        fields = ("quote", "number", "version", "state", "valid_until", "currency", "total")


class OrderSummarySerializer(serializers.ModelSerializer[Order]):
    number = serializers.CharField()
    state = serializers.CharField(help_text="As in an order.")
    currency = serializers.CharField(source="version.currency")
    total = AmountField(source="version.total", currency="version.currency")

    class Meta:
        model = Order
        fields = ("id", "number", "state", "accepted_on", "fulfilled_on", "cancelled_from", "currency", "total")


class DongleSerializer(serializers.Serializer[dict[str, Any]]):
    """A dongle. Of each family, `newest_running` is the newest release that runs on it (C2), `newest` that of all."""

    serial = serializers.CharField(source="dongle.serial")
    kind = serializers.ChoiceField(source="dongle.kind", choices=Dongle.Kind.choices)
    state = serializers.ChoiceField(source="dongle.state", choices=Dongle.State.choices)
    customer = CustomerSerializer(source="dongle.customer", allow_null=True)
    replaced_by = serializers.CharField(
        source="replaced_by.successor.serial", allow_null=True, help_text="The dongle that took its place (Q8)."
    )
    replaces = serializers.CharField(source="replaces.predecessor.serial", allow_null=True)
    status = serializers.ChoiceField(choices=SMA_STATUS)
    standing = serializers.CharField(help_text="How its SMA stands, in a sentence or two.")
    issued_expiry_on = serializers.DateField(
        source="dongle.issued_expiry_on", allow_null=True, help_text="The SMA expiry date of the newest code."
    )
    confirmed_expiry_on = serializers.DateField(
        source="dongle.confirmed_expiry_on", allow_null=True, help_text="The date that it is known to hold."
    )
    paid_through = serializers.DateField(allow_null=True, help_text="The rulebook's E (C4).")
    generation = serializers.IntegerField(source="dongle.generation")
    sequence = serializers.IntegerField(source="dongle.sequence")
    licences = LicenceSerializer(source="standings", many=True)
    withdrawn = WithdrawnLicenceSerializer(many=True)
    newest_running = ReleaseSerializer(many=True)
    newest = ReleaseSerializer(many=True)
    codes = CodeSerializer(many=True, help_text="The newest twenty, newest first.")
    quotes = QuoteSummarySerializer(
        source="versions", many=True, help_text="The newest twenty in their newest version."
    )
    orders = OrderSummarySerializer(many=True, help_text="The newest twenty.")


def presented_dongle(serial: str) -> Response:
    """The dongle as it is now, with what its page shows."""
    dongle = dongle_at(serial)
    overview = overviews.dongle_overview(dongle, timezone.localdate())
    overview["orders"] = overviews.orders_newest_first().filter(version__dongles__dongle=dongle)[:20]
    for name in ("newest_running", "newest"):
        overview[name] = list(overview[name].values())
    return Response(DongleSerializer(overview).data)


class DongleView(StaffView):
    @operation(
        "dongle",
        "A dongle by its serial number in any spelling",
        answer=DongleSerializer,
        refusals="no_policy",
        missing="unknown_serial not_a_serial",
    )
    def get(self, request: Request, serial: str) -> Response:
        """Its licences with their coverage today, what runs, its codes, quotes and orders."""
        return presented_dongle(serial)

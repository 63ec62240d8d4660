"""The priced lines of quotes as JSON: the keys of `manage.py price`, and more."""

from typing import Any

from rest_framework import serializers

from dongles.models import Replacement
from portal.api.fields import AmountField, RateField
from portal.models import Customer
from renewals.models import QuoteLine
from renewals.overviews import ShownDongle
from renewals.pricing.explain import explain_step
from renewals.pricing.steps import steps_from_json


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields = ("id", "name", "segment", "country", "currency", "tax_status", "fulfil_on")


class DiscountSerializer(serializers.Serializer[Any]):
    """A discount on a line (rule P8); its amount is negative."""

    reason = serializers.CharField()
    rate = RateField()
    amount = AmountField()


class StepSerializer(serializers.Serializer[Any]):
    """One step of a line's arithmetic with its rule, written out so that a person can check it."""

    rule = serializers.CharField()
    what = serializers.CharField()
    result = AmountField()
    text = serializers.CharField()


class LineSerializer(serializers.ModelSerializer[QuoteLine]):
    """A priced line. `licence` counts the dongle's licences in order, added ones after; `months` is D2's triple."""

    licence = serializers.IntegerField(source="licence_index")
    product = serializers.CharField(source="product.code")
    months = serializers.ListField(child=serializers.IntegerField(min_value=0), min_length=3, max_length=3)
    list = AmountField(source="list_amount")
    discounts = DiscountSerializer(many=True)
    net = AmountField()
    steps = serializers.SerializerMethodField()

    class Meta:
        model = QuoteLine
        fields = (
            "kind",
            "licence",
            "product",
            "seats",
            "starts_on",
            "ends_on",
            "months",
            "list",
            "discounts",
            "net",
            "rules",
            "steps",
        )

    def get_steps(self, line: QuoteLine) -> StepSerializer(many=True):
        currency = self.context["currency"]
        steps = [{**step._asdict(), "text": explain_step(step, currency)} for step in steps_from_json(line.steps)]
        return StepSerializer(steps, many=True, context=self.context).data


class AddedSerializer(serializers.Serializer[Any]):
    product = serializers.CharField()
    seats = serializers.IntegerField(min_value=1, max_value=65535)


class ReplacingSerializer(serializers.Serializer[Any]):
    serial = serializers.CharField()
    cause = serializers.ChoiceField(choices=Replacement.Cause.choices)
    reason = serializers.CharField(allow_blank=True)


class QuotedDongleSerializer(serializers.Serializer[ShownDongle]):
    """What a quote asks for a dongle, and its price. The rulebook's E is `paid_through`, its T `covered_through`."""

    serial = serializers.CharField(source="quoted.dongle.serial")
    renew_years = serializers.IntegerField(source="quoted.renew_years", allow_null=True)
    align_to = serializers.DateField(source="quoted.align_to", allow_null=True)
    add = AddedSerializer(source="quoted.added", many=True)
    replacement = serializers.SerializerMethodField(
        help_text="Which dongle takes its place, and why (Q8); null in every other quote."
    )
    paid_through = serializers.DateField(source="quoted.paid_through", allow_null=True)
    covered_through = serializers.DateField(source="quoted.covered_through")
    lines = serializers.SerializerMethodField()
    missed_majors = serializers.SerializerMethodField(
        help_text="By the index of a lapsed licence, the versions that it missed."
    )
    net = AmountField(source="quoted.net")

    def get_replacement(self, shown: ShownDongle) -> ReplacingSerializer(allow_null=True):
        return shown.quoted.replacement or None

    def get_lines(self, shown: ShownDongle) -> LineSerializer(many=True):
        lines = [line for group in shown.groups for line in group.lines]
        return LineSerializer(lines, many=True, context=self.context).data

    def get_missed_majors(self, shown: ShownDongle) -> dict[str, list[str]]:
        return {
            str(index): [version for version, _ in facts["missed"]]
            for index, facts in enumerate(shown.quoted.licences)
            if facts["missed"]
        }


class PricedSerializer(serializers.Serializer[dict[str, Any]]):
    """What a quote says, saved or not."""

    currency = serializers.CharField(source="version.currency")
    on = serializers.DateField(source="version.priced_on", help_text="The day as of which it is priced.")
    discount = RateField(source="version.discount", read_only=True)
    tax_rate = RateField(source="version.tax_rate", read_only=True)
    dongles = QuotedDongleSerializer(source="shown", many=True)
    net = AmountField(source="version.net")
    tax = AmountField(source="version.tax")
    total = AmountField(source="version.total")

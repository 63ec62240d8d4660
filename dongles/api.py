"""The API of what is out there: unlock codes and their receipts, licences to withdraw."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dongles import queries
from dongles.forms import plain_text
from dongles.models import Dongle, Licence, Product, UnlockCode
from dongles.services import confirm_receipt, withdraw_licence
from dongles.unlock import printed_rows
from portal.api.fields import RequestSerializer, TextField
from portal.api.schema import operation
from portal.api.views import StaffView


class ProductSerializer(serializers.ModelSerializer[Product]):
    family = serializers.CharField(source="family.name")

    class Meta:
        model = Product
        fields = ("code", "number", "name", "family")


class StatedLicenceSerializer(serializers.Serializer[Any]):
    """A product that a code states, with all its seats on the dongle together."""

    number = serializers.IntegerField(min_value=1, max_value=65535)
    seats = serializers.IntegerField(min_value=1, max_value=65535)


class CodeSerializer(serializers.ModelSerializer[UnlockCode]):
    """An unlock code: `letters` without separators, `rows` as they are printed and typed, with check letters."""

    serial = serializers.CharField(source="dongle.serial")
    licences = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField()
    confirmed_at = serializers.SerializerMethodField()

    class Meta:
        model = UnlockCode
        fields = (
            "id",
            "serial",
            "cause",
            "generation",
            "sequence",
            "key_slot",
            "expiry_on",
            "previous_expiry_on",
            "issued_on",
            "issued_at",
            "licences",
            "letters",
            "rows",
            "confirmed_at",
        )

    def get_licences(self, code: UnlockCode) -> StatedLicenceSerializer(many=True):
        return [{"number": number, "seats": seats} for number, seats in code.licences]

    def get_rows(self, code: UnlockCode) -> list[str]:
        return list(printed_rows(code.letters))

    def get_confirmed_at(self, code: UnlockCode) -> serializers.DateTimeField(allow_null=True):
        return code.receipt.confirmed_at if hasattr(code, "receipt") else None


class WithdrawnLicenceSerializer(serializers.ModelSerializer[Licence]):
    """A licence that the dongle carries no more (rule C6)."""

    product = ProductSerializer()

    class Meta:
        model = Licence
        fields = ("id", "product", "seats", "acquired_on", "withdrawn_on", "withdrawal_reason")


class ReceiptRequest(RequestSerializer):
    receipt = TextField(max_length=40, help_text="Eight letters and digits that the dongle shows, in any spelling.")


class WithdrawalRequest(RequestSerializer):
    reason = TextField(max_length=250, allow_blank=True)


def dongle_at(serial: str) -> Dongle:
    """The dongle that the address names, in any spelling."""
    return queries.dongle_by_serial(plain_text(serial))


class CodeView(StaffView):
    @operation("code", "An unlock code", answer=CodeSerializer, missing="not_found")
    def get(self, request: Request, code_id: int) -> Response:
        """Its letters, what it states, and whether the dongle is known to have applied it."""
        codes = UnlockCode.objects.select_related("dongle", "receipt")
        return Response(CodeSerializer(get_object_or_404(codes, pk=code_id)).data)


class ReceiptView(StaffView):
    ability = "sell"

    @operation(
        "confirm_receipt",
        "Confirm the receipt of a code",
        request=ReceiptRequest,
        answer=CodeSerializer,
        refusals="receipt_mismatch",
        missing="unknown_serial not_a_serial",
        examples={"A receipt": {"receipt": "7K3M-9QXA"}},
    )
    def post(self, request: Request, serial: str) -> Response:
        """Marks the code whose receipt the dongle shows as applied. Confirmed again, nothing happens."""
        code = confirm_receipt(dongle=dongle_at(serial), **self.values_of(ReceiptRequest), **self.by())
        return Response(CodeSerializer(code).data)


class WithdrawView(StaffView):
    ability = "sell"

    @operation(
        "withdraw_licence",
        "Withdraw a licence from its dongle",
        request=WithdrawalRequest,
        answer=WithdrawnLicenceSerializer,
        refusals="withdrawal_reason_missing",
        missing="unknown_serial not_a_serial not_found",
        examples={"A reason": {"reason": "Moved to another instrument"}},
    )
    def post(self, request: Request, serial: str, licence_id: int) -> Response:
        """From now on it is neither priced nor programmed (C6). Withdrawn again, nothing happens."""
        licence = get_object_or_404(Licence.objects.filter(dongle=dongle_at(serial)), pk=licence_id)
        withdrawn = withdraw_licence(licence=licence, **self.values_of(WithdrawalRequest), **self.by())
        return Response(WithdrawnLicenceSerializer(withdrawn).data)

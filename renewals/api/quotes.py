"""Quotes: preview, draft, revise, approve, send, decline, accept. The same services as the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dongles import queries as dongle_queries
from dongles.forms import plain_text
from dongles.models import Replacement
from portal.api.fields import DayField, FlagField, RateField, RequestSerializer, TextField, WholeNumberField
from portal.api.schema import operation
from portal.api.views import StaffView
from portal.models import Customer
from renewals import overviews, queries
from renewals.api.lines import CustomerSerializer, PricedSerializer
from renewals.api.orders import OrderSerializer, presented_order
from renewals.models import PolicySettings, Quote, QuoteVersion
from renewals.pricing import AddedLicence
from renewals.queries import Concessions, DongleRequest, ReplacementRequest
from renewals.services import orders, quotes
from renewals.states import QuoteState

PRICING_REFUSALS = (
    "not_a_serial unknown_serial dongle_without_owner dongle_of_other_customer dongle_not_active dongle_twice"
    " nothing_requested renew_or_align years_out_of_range no_licences no_price upgrade_not_above_sma align_too_early"
    " too_far_ahead nothing_to_buy no_price_list no_policy unknown_product wrong_family too_many_products"
    " too_many_seats free_months_out_of_range replacement_alone"
)
DRAFTING_REFUSALS = PRICING_REFUSALS + " discount_reason_missing replacement_reason_missing serial_taken"
ASKED = {"dongles": [{"serial": "104-233", "renew_years": 1}]}
ASKED_MORE = {
    "dongles": [
        {"serial": "104233", "align_to": "2027-12-31", "add": [{"product": "VOL-QNT", "seats": 2}]},
        {"serial": "ILS 2008 A", "renew_years": 3},
    ],
    "discount": "0.05",
}


class AddedRequest(RequestSerializer):
    product = TextField(max_length=20, help_text="The product's code.")
    seats = WholeNumberField(min_value=1, max_value=65535)


class ReplacementAsked(RequestSerializer):
    """Q8: which dongle takes the place of a lost or broken one. `broken` says that it is handed back."""

    serial = TextField(max_length=80, help_text="Of the new dongle, in any spelling.")
    cause = serializers.ChoiceField(choices=Replacement.Cause.choices)
    reason = TextField(max_length=250, allow_blank=True, help_text="What happened.")


class DongleAsked(RequestSerializer):
    """For one dongle: renewal for years or alignment to a date, and/or added licences (rules P1–P7).

    Or that another takes its place (rule Q8), in a quote of its own.
    """

    serial = TextField(max_length=80, help_text="In any spelling.")
    renew_years = WholeNumberField(required=False, allow_null=True)
    align_to = DayField(required=False, allow_null=True)
    add = serializers.ListField(child=AddedRequest(), required=False, allow_null=True, max_length=200)
    replacement = ReplacementAsked(required=False, allow_null=True)


class PreviewRequest(RequestSerializer):
    """One or several dongles of a customer, the first one's owner."""

    dongles = serializers.ListField(child=DongleAsked(), min_length=1, max_length=100)
    discount = RateField(required=False, help_text="The negotiated rate, on every line.")
    waives_upgrades = FlagField(
        required=False, help_text="Missed major releases are not charged; takes somebody else's approval (Q3)."
    )
    free_months = WholeNumberField(
        required=False, min_value=0, max_value=12, help_text="On top of what is bought; takes approval (Q3)."
    )
    part_month = serializers.ChoiceField(
        required=False,
        choices=PolicySettings.PartMonth.choices,
        help_text="How a part of a year is counted, instead of the policy's way (P3).",
    )


class DraftRequest(PreviewRequest):
    discount_reason = TextField(required=False, allow_blank=True, max_length=250)
    note = TextField(required=False, allow_blank=True, max_length=2000, help_text="To the customer.")


class ReviseRequest(DraftRequest):
    newest_known = WholeNumberField(
        required=False, min_value=1, help_text="The newest version that you know; a newer one is not overwritten."
    )


class ReasonRequest(RequestSerializer):
    reason = TextField(max_length=500, allow_blank=True)


class AcceptRequest(RequestSerializer):
    accepted_by = TextField(max_length=200, help_text="Name and role of who placed the order.")
    purchase_order_number = TextField(
        max_length=80, required=False, allow_blank=True, help_text="Needed unless the customer pays first."
    )


class QuoteVersionSerializer(PricedSerializer):
    """A version of a quote: an offer with its prices as they were stored."""

    quote = serializers.IntegerField(source="version.quote_id")
    number = serializers.CharField(source="version.quote.number")
    version = serializers.IntegerField(source="version.number")
    newest_version = serializers.IntegerField(source="newest.number")
    state = serializers.ChoiceField(source="version.state", choices=QuoteState.choices())
    standing = serializers.CharField(help_text="How it stands, in a sentence.")
    valid_until = serializers.DateField(source="version.valid_until", allow_null=True)
    is_expired = serializers.BooleanField()
    is_outdated = serializers.BooleanField(help_text="A draft of an earlier day, to be priced again before it is sent.")
    customer = CustomerSerializer()
    discount_reason = serializers.CharField(source="version.discount_reason", allow_blank=True)
    note = serializers.CharField(source="version.note", allow_blank=True)
    waives_upgrades = serializers.BooleanField(source="version.waives_upgrades")
    free_months = serializers.IntegerField(source="version.free_months")
    part_month = serializers.CharField(source="version.part_month", allow_blank=True)
    needs_approval = serializers.BooleanField(source="version.needs_approval")
    is_approved = serializers.SerializerMethodField()
    order = serializers.IntegerField(source="order.pk", allow_null=True)

    def get_is_approved(self, overview: dict[str, Any]) -> bool:
        return overview["version"].approved_by_id is not None


def asked_of(body: dict[str, Any]) -> tuple[Customer, list[DongleRequest]]:
    """The requests as the services take them, and whose they are: the first dongle's owner."""
    requests = [
        DongleRequest(
            dongle_queries.dongle_by_serial(plain_text(asked["serial"])),
            asked.get("renew_years"),
            asked.get("align_to"),
            tuple(AddedLicence(**added) for added in asked.get("add") or ()),
            replacement_of(asked.get("replacement")),
        )
        for asked in body.pop("dongles")
    ]
    body["concessions"] = Concessions(**{key: body.pop(key) for key in Concessions._fields if key in body})
    return dongle_queries.owner_of(requests[0].dongle), requests


def replacement_of(asked: dict[str, Any] | None) -> ReplacementRequest | None:
    """The dongle that is to take another's place, its serial in the canonical form."""
    if not asked:
        return None
    return ReplacementRequest(**{**asked, "serial": dongle_queries.serial_in(plain_text(asked["serial"]))})


def versions_of(quote_id: int) -> QuerySet[QuoteVersion]:
    return overviews.versions_with_quote().filter(quote_id=quote_id)


def version_at(quote_id: int, number: int) -> QuoteVersion:
    return get_object_or_404(versions_of(quote_id), number=number)


def presented_version(version: QuoteVersion, *, status: int = 200) -> Response:
    """The version as it is now, with what its page shows."""
    overview = overviews.quote_overview(version_at(version.quote_id, version.number), timezone.localdate())
    answer = QuoteVersionSerializer(overview, context={"currency": version.currency}).data
    address = f"/api/v1/quotes/{version.quote_id}/versions/{version.number}/"
    return Response(answer, status=status, headers={"Location": address} if status == 201 else None)


class PreviewView(StaffView):
    @operation(
        "preview_quote",
        "Price dongles as of today",
        request=PreviewRequest,
        answer=PricedSerializer,
        refusals=PRICING_REFUSALS,
        examples={"A year more": ASKED, "Several dongles": ASKED_MORE},
    )
    def post(self, request: Request) -> Response:
        """Each line with its arithmetic and rules; nothing is saved."""
        body = self.values_of(PreviewRequest)
        customer, requests = asked_of(body)
        priced = queries.price_quote(customer, requests, on=timezone.localdate(), **body)
        context = {"currency": priced.currency}
        return Response(PricedSerializer(overviews.preview_of(priced), context=context).data)


class QuotesView(StaffView):
    ability = "sell"

    @operation(
        "draft_quote",
        "Draft a quote",
        request=DraftRequest,
        answer=QuoteVersionSerializer,
        status=201,
        refusals=DRAFTING_REFUSALS,
        examples={"A year more": ASKED, "Several dongles": {**ASKED_MORE, "discount_reason": "Framework contract"}},
    )
    def post(self, request: Request) -> Response:
        """Prices as of today and keeps the result as version 1 of a new quote."""
        body = self.values_of(DraftRequest)
        customer, requests = asked_of(body)
        version = quotes.draft_quote(customer=customer, requests=requests, **body, **self.by())
        return presented_version(version, status=201)


class QuoteView(StaffView):
    @operation("quote", "A quote in its newest version", answer=QuoteVersionSerializer, missing="not_found")
    def get(self, request: Request, quote_id: int) -> Response:
        return presented_version(get_object_or_404(versions_of(quote_id).order_by("-number")[:1]))


class VersionsView(StaffView):
    ability = "sell"

    @operation(
        "revise_quote",
        "Draft the next version of a quote",
        request=ReviseRequest,
        answer=QuoteVersionSerializer,
        status=201,
        refusals=DRAFTING_REFUSALS + " quote_accepted quote_changed",
        missing="not_found",
        examples={"Three years instead": {"dongles": [{"serial": "104233", "renew_years": 3}]}},
    )
    def post(self, request: Request, quote_id: int) -> Response:
        """A draft that it revises is superseded at once, a sent version when the new one is sent (Q2)."""
        quote = get_object_or_404(Quote.objects.select_related("customer"), pk=quote_id)
        body = self.values_of(ReviseRequest)
        _, requests = asked_of(body)
        version = quotes.draft_quote(customer=quote.customer, requests=requests, revises=quote, **body, **self.by())
        return presented_version(version, status=201)


class VersionView(StaffView):
    @operation("quote_version", "A version of a quote", answer=QuoteVersionSerializer, missing="not_found")
    def get(self, request: Request, quote_id: int, number: int) -> Response:
        return presented_version(version_at(quote_id, number))


class ApproveView(StaffView):
    ability = "sell"

    @operation(
        "approve_quote",
        "Approve a draft's discount",
        request=ReasonRequest,
        answer=QuoteVersionSerializer,
        refusals="approval_own approval_over_limit approval_reason_missing quote_already_sent quote_accepted"
        " quote_declined quote_superseded",
        missing="not_found",
        examples={"A reason": {"reason": "A framework contract is being signed"}},
    )
    def post(self, request: Request, quote_id: int, number: int) -> Response:
        """By somebody else than who drafted it, within the limit of their role (Q3)."""
        body = self.values_of(ReasonRequest)
        return presented_version(quotes.approve_quote(version=version_at(quote_id, number), **body, **self.by()))


class SendView(StaffView):
    ability = "sell"

    @operation(
        "send_quote",
        "Send a draft to the customer",
        answer=QuoteVersionSerializer,
        refusals="approval_needed quote_outdated no_contact quote_accepted quote_declined quote_superseded",
        missing="not_found",
    )
    def post(self, request: Request, quote_id: int, number: int) -> Response:
        """It is a promise then, through its last valid day (Q1). Sent again, nothing happens."""
        return presented_version(quotes.send_quote(version=version_at(quote_id, number), **self.by()))


class DeclineView(StaffView):
    ability = "sell"

    @operation(
        "decline_quote",
        "Record that the customer says no",
        request=ReasonRequest,
        answer=QuoteVersionSerializer,
        refusals="decline_reason_missing quote_not_sent quote_accepted quote_superseded",
        missing="not_found",
        examples={"A reason": {"reason": "The instrument is out of use"}},
    )
    def post(self, request: Request, quote_id: int, number: int) -> Response:
        """Declined again, nothing happens."""
        body = self.values_of(ReasonRequest)
        return presented_version(quotes.decline_quote(version=version_at(quote_id, number), **body, **self.by()))


class AcceptView(StaffView):
    ability = "sell"

    @operation(
        "accept_quote",
        "Turn a sent quote into an order",
        request=AcceptRequest,
        answer=OrderSerializer,
        refusals="purchase_order_missing quote_not_sent quote_declined quote_superseded quote_expired quote_straddled"
        " dongle_changed serial_taken code_numbers_used_up",
        missing="not_found",
        examples={
            "A purchase order": {"purchase_order_number": "PO-77", "accepted_by": "Ada Lenz, laboratory manager"}
        },
    )
    def post(self, request: Request, quote_id: int, number: int) -> Response:
        """It is fulfilled at once unless the customer pays first (Q6). Accepted again, the same order is answered."""
        body = self.values_of(AcceptRequest)
        order = orders.accept_quote(version=version_at(quote_id, number), **body, **self.by())
        return presented_order(order.pk)

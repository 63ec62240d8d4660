"""Lost, broken and handed on dongles (rule Q8). A replacement that costs something is a quote: see `quotes/`."""

from rest_framework.request import Request
from rest_framework.response import Response

from dongles.api import dongle_at
from dongles.forms import plain_text
from dongles.services import find_dongle_again, lose_dongle
from portal.api.fields import RequestSerializer, TextField, WholeNumberField
from portal.api.schema import operation
from portal.api.views import StaffView
from portal.errors import DomainError
from portal.models import Customer
from renewals.api.dongles import DongleSerializer, presented_dongle
from renewals.api.quotes import ReplacementAsked
from renewals.services.replacements import replace_dongle, transfer_dongle

NO_SUCH_DONGLE = "unknown_serial not_a_serial"
LARGEST_ID = 2**63 - 1


class WhyRequest(RequestSerializer):
    reason = TextField(max_length=250, allow_blank=True)


class TransferRequest(RequestSerializer):
    customer = WholeNumberField(min_value=1, max_value=LARGEST_ID, help_text="The new owner, by id.")
    reason = TextField(max_length=250, required=False, allow_blank=True, default="")


class LoseView(StaffView):
    ability = "sell"

    @operation(
        "lose_dongle",
        "Record that a dongle is lost",
        request=WhyRequest,
        answer=DongleSerializer,
        refusals="loss_reason_missing dongle_not_active no_policy",
        missing=NO_SUCH_DONGLE,
        examples={"A reason": {"reason": "Not back from the repair of the microscope"}},
    )
    def post(self, request: Request, serial: str) -> Response:
        """Nothing is sold for it until it is found or replaced. Told again, nothing happens."""
        lose_dongle(dongle=dongle_at(serial), **self.values_of(WhyRequest), **self.by())
        return presented_dongle(serial)


class FindView(StaffView):
    ability = "sell"

    @operation(
        "find_dongle_again",
        "Record that a lost dongle was found",
        request=WhyRequest,
        answer=DongleSerializer,
        refusals="dongle_not_active no_policy",
        missing=NO_SUCH_DONGLE,
        examples={"Where": {"reason": "In the pocket of a laboratory coat"}},
    )
    def post(self, request: Request, serial: str) -> Response:
        """It is active as before. One that was replaced stays retired."""
        find_dongle_again(dongle=dongle_at(serial), **self.values_of(WhyRequest), **self.by())
        return presented_dongle(serial)


class ReplaceView(StaffView):
    ability = "sell"

    @operation(
        "replace_dongle",
        "Let another dongle take a dongle's place, where that is free",
        request=ReplacementAsked,
        answer=DongleSerializer,
        refusals="replacement_to_be_quoted replacement_reason_missing dongle_not_active dongle_without_owner"
        " order_waits no_licences serial_taken not_a_serial code_numbers_used_up no_policy",
        missing=NO_SUCH_DONGLE,
        examples={"Broken": {"serial": "109-001", "cause": "broken", "reason": "The plug is bent"}},
    )
    def post(self, request: Request, serial: str) -> Response:
        """Its licences and SMA go to the new dongle, which is answered; it is retired. Told again, nothing happens."""
        asked = self.values_of(ReplacementAsked)
        asked["serial"] = plain_text(asked["serial"])
        done = replace_dongle(dongle=dongle_at(serial), **asked, **self.by())
        return presented_dongle(done.successor.serial)


class TransferView(StaffView):
    ability = "sell"

    @operation(
        "transfer_dongle",
        "Hand a dongle on to another customer",
        request=TransferRequest,
        answer=DongleSerializer,
        refusals="unknown_customer dongle_not_active order_waits no_policy",
        missing=NO_SUCH_DONGLE,
        examples={"To another": {"customer": 2, "reason": "The group moved to another institute"}},
    )
    def post(self, request: Request, serial: str) -> Response:
        """Licences, SMA and date stay; orders stay with who bought. Told again, nothing happens."""
        asked = self.values_of(TransferRequest)
        customer = Customer.objects.filter(pk=asked.pop("customer")).first()
        if customer is None:
            raise DomainError("unknown_customer", "There is no such customer.", {"field": "customer"})
        transfer_dongle(dongle=dongle_at(serial), customer=customer, **asked, **self.by())
        return presented_dongle(serial)

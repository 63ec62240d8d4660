"""Another dongle takes the place of a lost or broken one (rule Q8).

The dongle 104233 carries VOL-VIS (licence 6,000.00, an SMA year 1,200.00) and VOL-QNT (4,500.00, 900.00), both covered
through 31 Mar 2026; tax is 19 %.
"""

import pytest
from django.db import transaction

from dongles.keys import public_keys
from dongles.models import Dongle, Licence, Replacement, SmaPeriod, UnlockCode
from dongles.unlock import Outcome, factory_state
from dongles.unlock import apply as apply_letters
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage
from renewals.models import Order, OrderLine, Quote, QuoteVersion, RevenueSegment
from renewals.services.replacements import replace_dongle
from tests import world

DAY = "2026-02-01"
WRITTEN = (
    *(Dongle, Licence, SmaPeriod, Replacement, UnlockCode, Quote, QuoteVersion, Order, OrderLine, RevenueSegment),
    *(AuditEvent, OutboxMessage),
)


def replace(dongle, serial="109001", *, cause="broken", on=DAY, **options):
    options = {"reason": "The plug is bent", "actor": world.SALES, **options}
    return replace_dongle(dongle=dongle, serial=serial, cause=cause, at=world.at(on), **options)


def state_of(dongle):
    return Dongle.objects.get(pk=dongle.pk).state


def counts():
    return [model.objects.count() for model in WRITTEN]


def refusal_of(deed, *args, **options) -> DomainError:
    """What the deed is refused with; nothing was written by it."""
    before, states = counts(), list(Dongle.objects.order_by("pk").values_list("state", "customer", "sequence"))
    with pytest.raises(DomainError) as refused, transaction.atomic():
        deed(*args, **options)
    assert before == counts()
    assert states == list(Dongle.objects.order_by("pk").values_list("state", "customer", "sequence"))
    return refused.value


class Hardware:
    """A dongle as the customer holds it: the simulated one, fresh from the factory, that applies codes."""

    def __init__(self, serial: str) -> None:
        self.state = factory_state(serial, public_keys().root, public_keys().slots)

    def apply(self, code: UnlockCode) -> Outcome:
        outcome, self.state = apply_letters(self.state, code.letters)
        return outcome

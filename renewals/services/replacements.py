"""Replacing a dongle for nothing (rule Q8), and handing one on to another customer. Each is one transaction.

A replacement that costs something is quoted and ordered: `accept_quote` and `fulfil_order` carry it out.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from dongles import queries as dongle_queries
from dongles import services as dongle_services
from dongles.models import Dongle, Replacement
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Customer
from renewals.models import Order
from renewals.pricing.replacement import replacement_charge
from renewals.queries import policy_on, terms_of
from renewals.services.orders import post_exchange
from renewals.states import OrderState


@transaction.atomic
def replace_dongle(*, dongle: Dongle, serial: str, cause: str, reason: str, actor: Actor, at: datetime) -> Replacement:
    """Q8: let the dongle with that serial, in any spelling, take this one's place, where the policy takes no money.

    Told again with the same serial, nothing happens. Refuses `replacement_reason_missing`, `replacement_to_be_quoted`
    (it costs something), `dongle_without_owner`, `order_waits` (an order for one of the two is not paid yet),
    and what `exchange_dongle` refuses.
    """
    check_ability(actor, "sell")
    serial = dongle_queries.serial_in(serial)
    on_record = Dongle.objects.filter(serial=serial).values_list("pk", flat=True)
    locked = dongle_services.lock_dongles([dongle.pk, *on_record])
    dongle = locked[dongle.pk]
    if done := Replacement.objects.filter(predecessor=dongle, successor__serial=serial).first():
        return done
    if not reason.strip():
        raise DomainError("replacement_reason_missing", "Say what happened to the dongle.", {"field": "reason"})
    if replacement_charge(terms_of(policy_on(timezone.localdate(at))), cause) != "free":
        raise DomainError(
            "replacement_to_be_quoted", "This replacement costs something: make a quote for it, and take the order."
        )
    dongle_queries.owner_of(dongle)
    for each in locked.values():
        check_nothing_waits(each)
    exchange = dongle_services.exchange_dongle(
        dongle=dongle,
        serial=serial,
        cause=cause,
        reason=reason.strip(),
        issued_for=f"replacement of {dongle.serial}",
        actor=actor,
        at=at,
    )
    post_exchange(exchange, at)
    return exchange.replacement


@transaction.atomic
def transfer_dongle(*, dongle: Dongle, customer: Customer, reason: str, actor: Actor, at: datetime) -> Dongle:
    """Hand a dongle on to another customer: licences, periods and date stay as they are; from now on it is priced by
    the new owner's list. Orders stay with who bought; quotes of the owner before can't be accepted any more (Q1), and
    the addresses of its update feed that they know end (S2).

    Told again, nothing happens. Refuses `dongle_not_active` for a retired one and `order_waits` (an order for it is not
    paid yet).
    """
    check_ability(actor, "sell")
    dongle = dongle_services.lock_dongle(dongle.pk)
    if dongle.customer_id == customer.pk:
        return dongle
    if dongle.state == Dongle.State.RETIRED:
        raise DomainError("dongle_not_active", f"Dongle {dongle.serial} is retired: it stays where it is.")
    check_nothing_waits(dongle)
    before = dongle.customer
    generation = dongle.feed_generation
    dongle.customer, dongle.feed_generation = customer, generation + 1
    dongle.save(update_fields=["customer", "feed_generation"])
    handed = Deed(
        "transfer",
        dongle,
        {"customer": before and before.pk, "name": before.name if before else "", "feed_generation": generation},
        {"customer": customer.pk, "name": customer.name, "feed_generation": generation + 1},
        reason.strip(),
    )
    audit.record(actor, at, handed)
    return dongle


def check_nothing_waits(dongle: Dongle) -> None:
    """Refuse `order_waits`: what was ordered for this dongle could not be fulfilled any more."""
    waiting = Order.objects.filter(state=OrderState.ACCEPTED, version__dongles__dongle=dongle).first()
    if waiting is not None:
        raise DomainError(
            "order_waits",
            f"Order {waiting.number} for dongle {dongle.serial} waits for its payment: settle or cancel it first.",
            {"order": waiting.number},
        )

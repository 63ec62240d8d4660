"""Dongles that are lost and found, and those that go to another customer (Q8)."""

from datetime import date

import pytest

from dongles.models import Dongle, SmaPeriod
from dongles.services import find_dongle_again, lose_dongle
from portal import outbox
from portal.models import AuditEvent, SentMail
from renewals.pricing import AddedLicence
from renewals.services.cancellations import cancel_order
from renewals.services.replacements import transfer_dongle
from tests import world
from tests.services.replacements.replacing import DAY, refusal_of, replace

pytestmark = pytest.mark.django_db


def test_nothing_is_sold_for_a_lost_dongle_until_it_is_found(dongle):
    lost = lose_dongle(dongle=dongle, reason="Gone since the move", actor=world.SALES, at=world.at(DAY))
    assert refusal_of(world.draft, lost, DAY).code == "dongle_not_active"
    find_dongle_again(dongle=dongle, reason="In a drawer", actor=world.SALES, at=world.at(DAY))
    assert world.sell(dongle, DAY).state == "fulfilled"
    told = AuditEvent.objects.filter(subject_kind="dongle").order_by("pk")
    assert [(event.action, event.reason) for event in told] == [
        ("lose", "Gone since the move"),
        ("find", "In a drawer"),
    ]


def test_told_twice_it_is_lost_or_found_once(dongle):
    for deed in (lose_dongle, find_dongle_again):
        for _ in range(2):
            deed(dongle=dongle, reason="So it is", actor=world.SALES, at=world.at(DAY))
    assert AuditEvent.objects.count() == 2


def test_refusals_of_losing_and_finding(dongle):
    options = {"dongle": dongle, "actor": world.SALES, "at": world.at(DAY)}
    assert refusal_of(lose_dongle, reason=" ", **options).code == "loss_reason_missing"
    replace(dongle)
    assert refusal_of(lose_dongle, reason="Gone", **options).code == "dongle_not_active"
    assert refusal_of(find_dongle_again, reason="There", **options).code == "dongle_not_active"


def test_an_order_for_a_lost_dongle_can_be_cancelled_with_its_code(dongle):
    order = world.sell(dongle, DAY)
    lose_dongle(dongle=dongle, reason="Gone", actor=world.SALES, at=world.at(DAY))
    cancel_order(order=order, from_on=date(2026, 10, 1), reason="Budget", actor=world.SALES, at=world.at("2026-10-01"))
    assert Dongle.objects.get().issued_expiry_on == date(2026, 9, 30)


def test_a_dongle_goes_to_another_customer_as_it_is(dongle):
    other = world.make_customer("Institute of Plants")
    before = list(SmaPeriod.objects.values()), dongle.issued_expiry_on
    transfer_dongle(dongle=dongle, customer=other, reason="The group moved", actor=world.SALES, at=world.at(DAY))
    dongle.refresh_from_db()
    assert dongle.customer == other
    assert (list(SmaPeriod.objects.values()), dongle.issued_expiry_on) == before
    event = AuditEvent.objects.get(subject_kind="dongle")
    assert (event.action, event.before["name"], event.after["name"]) == (
        "transfer",
        "Institute of Cells",
        "Institute of Plants",
    )


def test_it_is_then_priced_by_the_new_owners_list(dongle):
    other = world.make_customer("Institute of Plants", currency="JPY")
    transfer_dongle(dongle=dongle, customer=other, reason="", actor=world.SALES, at=world.at(DAY))
    dongle.refresh_from_db()
    assert refusal_of(world.draft, dongle, DAY).code == "no_price_list"


def test_a_quote_of_the_owner_before_is_not_accepted_any_more_q1(dongle):
    version = world.send(dongle, DAY)
    other = world.make_customer("Institute of Plants")
    transfer_dongle(dongle=dongle, customer=other, reason="", actor=world.SALES, at=world.at(DAY))
    assert refusal_of(world.accept, version, DAY).code == "dongle_of_other_customer"


def test_a_cancellations_code_goes_to_who_has_the_dongle_now(dongle):
    order = world.sell(dongle, DAY)
    other = world.make_customer("Institute of Plants")
    transfer_dongle(dongle=dongle, customer=other, reason="", actor=world.SALES, at=world.at(DAY))
    cancel_order(order=order, from_on=date(2026, 10, 1), reason="Budget", actor=world.SALES, at=world.at("2026-10-01"))
    outbox.drain()
    last = SentMail.objects.order_by("pk").last()
    assert last.recipients == [other.contacts.get().email]
    assert order.customer == dongle.customer


def test_refusals_of_a_transfer(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    other = world.make_customer("Institute of Plants")
    options = {"dongle": dongle, "customer": other, "reason": "", "actor": world.SALES, "at": world.at(DAY)}
    order = world.sell(dongle, DAY)
    assert refusal_of(transfer_dongle, **options).code == "order_waits"
    cancel_order(order=order, from_on=date(2026, 2, 1), reason="No", actor=world.SALES, at=world.at(DAY))
    replace(dongle)
    assert refusal_of(transfer_dongle, **options).code == "dongle_not_active"


def test_handed_on_twice_it_is_handed_on_once(dongle):
    other = world.make_customer("Institute of Plants")
    for _ in range(2):
        transfer_dongle(dongle=dongle, customer=other, reason="", actor=world.SALES, at=world.at(DAY))
    assert AuditEvent.objects.count() == 1


def test_an_added_licence_can_go_over_too(dongle):
    world.sell(dongle, DAY, added=(AddedLicence("VOL-VIS", 2),))
    new = replace(dongle, on="2026-02-02").successor
    assert new.codes.get().licences == [[101, 3], [102, 1]]

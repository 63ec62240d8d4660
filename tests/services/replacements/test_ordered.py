"""A replacement that costs something, and what its order does (Q8)."""

from datetime import date

import pytest

from dongles.models import Dongle, Licence, SmaPeriod, UnlockCode
from dongles.services import confirm_receipt, issue_unlock_code, lose_dongle
from dongles.unlock import Outcome, receipt_of
from portal import outbox
from portal.errors import DomainError
from portal.models import SentMail
from renewals.models import PolicySettings, PriceList, RevenueSegment
from renewals.queries import ReplacementRequest
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.orders import fulfil_order
from tests import world
from tests.services.replacements.replacing import DAY, Hardware, refusal_of, replace, state_of

pytestmark = pytest.mark.django_db


def asked(serial="109001", cause="lost", reason="Lost on a train"):
    return {"replacement": ReplacementRequest(serial, cause, reason)}


def charge(price: str, fee: int | None = None) -> None:
    """Make the policy charge so, and the price list name the fee."""
    PolicySettings.objects.update(replacement_price=price)
    PriceList.objects.update(replacement_fee=fee)


def test_lost_under_free_costs_the_licences_again_q8(dongle):
    version = world.draft(dongle, DAY, **asked())
    # 6,000.00 + 4,500.00 = 10,500.00; 19 % of it 1,995.00
    assert (version.net, version.tax, version.total) == (1_050_000, 199_500, 1_249_500)
    lines = [line for quoted in version.dongles.all() for line in quoted.lines.all()]
    assert [(line.kind, line.net, line.sma_net, line.starts_on, line.rules) for line in lines] == [
        ("replacement", 600_000, 0, None, ["Q8"]),
        ("replacement", 450_000, 0, None, ["Q8"]),
    ]
    assert lines[0].arithmetic == ["Q8  6,000.00 × 1 seat = 6,000.00, the licence again, without SMA"]


def test_seats_multiply_where_the_licence_is_charged_again_q8_p10(dongle):
    charge("licence")
    Licence.objects.filter(product__code="VOL-QNT").update(seats=3)
    version = world.draft(dongle, DAY, **asked(cause="broken"))
    assert version.net == 600_000 + 3 * 450_000


def test_a_fee_is_charged_once_a_dongle_q8(dongle):
    charge("fee", 8_000)
    for cause in ("lost", "broken"):
        version = world.draft(dongle, DAY, **asked(cause=cause))
        # 80.00; 19 % of it 15.20
        assert (version.net, version.tax, version.total) == (8_000, 1_520, 9_520)


def test_a_discount_is_taken_off_and_over_the_limit_needs_approval(dongle):
    version = world.draft(dongle, DAY, **asked(), discount=1, discount_reason="Stolen from our booth")
    assert (version.net, version.needs_approval) == (0, True)


def test_free_months_are_not_given_with_a_replacement(dongle):
    version = world.draft(dongle, DAY, **asked(), free_months=3, discount_reason="For the trouble")
    assert (version.free_months, version.needs_approval) == (0, False)


def test_refusals_of_a_quote_for_a_replacement(dongle):
    assert refusal_of(world.draft, dongle, DAY, **asked(cause="broken")).code == "nothing_to_buy"
    assert refusal_of(world.draft, dongle, DAY, **asked(reason=" ")).code == "replacement_reason_missing"
    assert refusal_of(world.draft, dongle, DAY, **asked(serial="104233")).code == "serial_taken"
    assert refusal_of(world.draft, dongle, DAY, **asked(), renew_years=1).code == "replacement_alone"
    charge("fee")
    assert refusal_of(world.draft, dongle, DAY, **asked()).code == "no_price"
    Licence.objects.all().update(withdrawn_on=date(2026, 1, 1), withdrawal_reason="Gone")
    assert refusal_of(world.draft, dongle, DAY, **asked()).code == "no_licences"


def test_the_order_moves_everything_and_earns_the_money_at_once_q8_f1(dongle):
    order = world.sell(dongle, DAY, **asked())
    new = Dongle.objects.get(serial="109001")
    assert (order.state, state_of(dongle)) == ("fulfilled", "retired")
    assert [line.licence.dongle for line in order.lines.all()] == [new, new]
    assert list(RevenueSegment.objects.order_by("pk").values_list("amount", "method", "starts_on", "ends_on")) == [
        (600_000, "at_once", date(2026, 2, 1), date(2026, 2, 1)),
        (450_000, "at_once", date(2026, 2, 1), date(2026, 2, 1)),
    ]
    assert not SmaPeriod.objects.filter(source="order").exists()
    assert set(new.licences.values_list("periods__ends_on", flat=True)) == {date(2026, 3, 31)}


def test_one_that_may_still_live_is_emptied_by_its_newest_code_q8(dongle):
    earlier = UnlockCode.objects.get(cause=f"order {world.sell(dongle, DAY).number}")
    order = world.sell(dongle, "2026-02-02", **asked())
    emptying = dongle.codes.get(cause=f"order {order.number}")
    old = Hardware("104233")
    assert old.apply(earlier) == Outcome.APPLIED
    assert old.apply(emptying) == Outcome.APPLIED
    assert old.state.licences == ()
    assert old.apply(earlier) == Outcome.SUPERSEDED
    outbox.drain()
    assert "Should dongle 104233 turn up" in SentMail.objects.order_by("pk").last().text


def test_receipts_of_the_old_ones_codes_can_still_be_entered(dongle):
    world.sell(dongle, DAY)
    code = UnlockCode.objects.get()
    replace(dongle, on="2026-02-02")
    receipt = receipt_of("104233", code.generation, code.sequence, code.expiry_on)
    assert confirm_receipt(dongle=dongle, receipt=receipt, actor=world.SALES, at=world.at("2026-02-03")) == code


def test_every_other_code_for_the_old_one_is_refused(dongle):
    replace(dongle)
    dongle.refresh_from_db()
    licence = Licence.objects.select_related("product").first()
    options = {"expiry_on": date(2026, 3, 31), "actor": world.SALES, "at": world.at(DAY)}
    refusal = refusal_of(issue_unlock_code, dongle=dongle, cause="any", licences=[(licence, None)], **options)
    assert refusal.code == "dongle_not_active"


def test_who_pays_first_gets_the_dongle_when_it_is_paid_q6_q8(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.sell(dongle, DAY, **asked())
    assert (order.state, state_of(dongle)) == ("accepted", "active")
    assert not UnlockCode.objects.exists()
    paid = fulfil_order(order=order, actor=world.SALES, at=world.at("2026-02-10"), paid_on=date(2026, 2, 10))
    assert (paid.state, state_of(dongle)) == ("fulfilled", "retired")
    assert RevenueSegment.objects.first().starts_on == date(2026, 2, 10)


def test_a_late_order_creates_no_free_days(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])  # lapsed
    version = world.send(dongle, DAY, **asked())
    world.accept(version, "2026-02-20")
    assert list(SmaPeriod.objects.values_list("source", flat=True)) == ["record"]
    assert Dongle.objects.get(serial="109001").issued_expiry_on == date(2025, 12, 31)


def test_a_release_since_the_quote_changes_nothing_about_a_replacement(catalogue):
    PolicySettings.objects.update(straddle="requote")
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    version = world.send(dongle, DAY, **asked())
    world.make_release("8.0", "2026-02-05")
    assert world.accept(version, "2026-02-20").state == "fulfilled"


def test_a_lost_dongle_can_be_replaced_by_an_order(dongle):
    version = world.send(dongle, DAY, **asked())
    lose_dongle(dongle=dongle, reason="Gone", actor=world.SALES, at=world.at(DAY))
    assert world.accept(version, DAY).state == "fulfilled"


def test_a_new_dongle_taken_meanwhile_is_refused_and_nothing_is_sold(dongle):
    version = world.send(dongle, DAY, **asked())
    world.make_dongle("109001", customer=dongle.customer)
    assert refusal_of(world.accept, version, DAY).code == "serial_taken"


def test_a_quote_of_the_old_one_is_drafted_anew_for_the_new_one_q1(dongle):
    version = world.send(dongle, DAY)
    replace(dongle)
    with pytest.raises(DomainError) as refused:
        world.accept(version, DAY)
    assert (refused.value.code, refused.value.data) == ("dongle_changed", {"version": 2})
    newer = version.quote.versions.get(number=2)
    assert [quoted.dongle.serial for quoted in newer.dongles.all()] == ["109001"]
    assert newer.total == version.total


def test_an_annulled_order_gives_the_money_back_and_the_dongle_stays_replaced(dongle):
    order = world.sell(dongle, DAY, **asked())
    codes = UnlockCode.objects.count()
    options = {"reason": "Charged by mistake", "actor": world.SALES, "at": world.at("2026-02-05")}
    assert refusal_of(cancel_order, order=order, from_on=date(2026, 2, 5), **options).code == "nothing_to_cancel"
    assert cancel_order(order=order, from_on=date(2026, 2, 5), is_mistake=True, **options).state == "cancelled"
    assert sum(RevenueSegment.objects.values_list("amount", flat=True)) == 0
    assert (state_of(dongle), UnlockCode.objects.count()) == ("retired", codes)


def test_an_order_made_before_is_cancelled_on_the_new_dongle_q6_q8(dongle):
    order = world.sell(dongle, DAY)
    world.sell(dongle, "2026-02-02", **asked())
    cancel_order(order=order, from_on=date(2026, 2, 5), reason="Budget", actor=world.SALES, at=world.at("2026-02-05"))
    code = UnlockCode.objects.get(cause=f"cancellation of order {order.number}")
    assert (code.dongle.serial, code.expiry_on) == ("109001", date(2026, 3, 31))
    new = Hardware("109001")
    assert [new.apply(each) for each in code.dongle.codes.all()] == [Outcome.APPLIED] * 2
    assert new.state.expiry_on == date(2026, 3, 31)


def test_so_it_is_after_two_replacements(dongle):
    order = world.sell(dongle, DAY)
    replace(replace(dongle, "109001", on="2026-02-02").successor, "109002", on="2026-02-03")
    cancel_order(order=order, from_on=date(2026, 10, 1), reason="Budget", actor=world.SALES, at=world.at("2026-10-01"))
    code = UnlockCode.objects.get(cause=f"cancellation of order {order.number}")
    assert (code.dongle.serial, code.expiry_on) == ("109002", date(2026, 9, 30))


def test_the_new_dongle_is_renewed_like_any_other(dongle):
    new = replace(dongle).successor
    # 1,200.00 + 900.00, from 1 Apr 2026 to 31 Mar 2027
    assert world.sell(new, "2026-02-02").version.net == 210_000
    assert Dongle.objects.get(serial="109001").issued_expiry_on == date(2027, 3, 31)


def test_a_bridge_ends_and_the_new_one_gets_the_paid_date_q7(dongle):
    version = world.send(dongle, "2026-03-20")
    grant_bridge(
        version=version, until=date(2026, 4, 20), reason="Under way", actor=world.SALES, at=world.at("2026-03-25")
    )
    replace(dongle, on="2026-03-26")
    assert UnlockCode.objects.get(cause="replacement of 104233").expiry_on == date(2026, 3, 31)


def test_cancelling_looks_past_a_bridge_before_the_replacement(dongle):
    version = world.send(dongle, "2026-03-20")
    grant_bridge(
        version=version, until=date(2026, 4, 20), reason="Under way", actor=world.SALES, at=world.at("2026-03-25")
    )
    order = world.accept(version, "2026-03-26")
    replace(dongle, on="2026-03-27")
    cancel_order(order=order, from_on=date(2026, 3, 28), reason="Budget", actor=world.SALES, at=world.at("2026-03-28"))
    assert Dongle.objects.get(serial="109001").issued_expiry_on == date(2026, 3, 31)

"""Another dongle takes the place of a lost or broken one (rule Q8).

The dongle 104233 carries VOL-VIS (licence 6,000.00, an SMA year 1,200.00) and VOL-QNT (4,500.00, 900.00), both covered
through 31 Mar 2026; tax is 19 %.
"""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from dongles.keys import public_keys
from dongles.models import Dongle, Licence, Replacement, SmaPeriod, UnlockCode
from dongles.services import confirm_receipt, find_dongle_again, issue_unlock_code, lose_dongle, withdraw_licence
from dongles.unlock import Outcome, factory_state, receipt_of
from dongles.unlock import apply as apply_letters
from portal import outbox
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage, SentMail
from renewals.models import Order, OrderLine, PolicySettings, PriceList, Quote, QuoteVersion, RevenueSegment
from renewals.pricing import AddedLicence
from renewals.queries import ReplacementRequest
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.orders import fulfil_order
from renewals.services.replacements import replace_dongle, transfer_dongle
from tests import world

pytestmark = pytest.mark.django_db

DAY = "2026-02-01"
WRITTEN = (
    *(Dongle, Licence, SmaPeriod, Replacement, UnlockCode, Quote, QuoteVersion, Order, OrderLine, RevenueSegment),
    *(AuditEvent, OutboxMessage),
)


@pytest.fixture
def dongle(catalogue):
    return world.make_dongle()


def replace(dongle, serial="109001", *, cause="broken", on=DAY, **options):
    options = {"reason": "The plug is bent", "actor": world.SALES, **options}
    return replace_dongle(dongle=dongle, serial=serial, cause=cause, at=world.at(on), **options)


def asked(serial="109001", cause="lost", reason="Lost on a train"):
    return {"replacement": ReplacementRequest(serial, cause, reason)}


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


def charge(price: str, fee: int | None = None) -> None:
    """Make the policy charge so, and the price list name the fee."""
    PolicySettings.objects.update(replacement_price=price)
    PriceList.objects.update(replacement_fee=fee)


class Hardware:
    """A dongle as the customer holds it: the simulated one, fresh from the factory, that applies codes."""

    def __init__(self, serial: str) -> None:
        self.state = factory_state(serial, public_keys().root, public_keys().slots)

    def apply(self, code: UnlockCode) -> Outcome:
        outcome, self.state = apply_letters(self.state, code.letters)
        return outcome


# Free against return


def test_licences_and_paid_time_move_with_their_ids_and_the_old_one_is_retired_q8(dongle):
    licences = list(Licence.objects.values_list("pk", flat=True))
    periods = list(SmaPeriod.objects.values())
    done = replace(dongle)
    assert (done.predecessor, done.successor.serial, done.replaced_on) == (dongle, "109001", date(2026, 2, 1))
    assert list(done.successor.licences.values_list("pk", flat=True)) == licences
    assert list(done.licences.values_list("pk", flat=True)) == licences
    assert list(SmaPeriod.objects.values()) == periods
    assert (done.successor.kind, done.successor.customer, done.successor.state) == ("dongle", dongle.customer, "active")
    assert state_of(dongle) == "retired"
    assert not dongle.licences.exists()
    assert not Quote.objects.exists()


def test_the_new_dongle_accepts_its_code_which_states_everything_q8(dongle):
    done = replace(dongle)
    code = UnlockCode.objects.get()
    assert (code.dongle, code.cause, code.sequence) == (done.successor, "replacement of 104233", 1)
    new = Hardware("109001")
    assert new.apply(code) == Outcome.APPLIED
    assert (new.state.expiry_on, new.state.licences) == (date(2026, 3, 31), ((101, 1), (102, 1)))
    assert Hardware("104233").apply(code) == Outcome.WRONG_DONGLE


def test_one_that_was_handed_back_gets_no_code(dongle):
    replace(dongle)
    assert not dongle.codes.exists()


def test_its_code_is_mailed_to_the_owner(dongle):
    replace(dongle)
    outbox.drain()
    mail = SentMail.objects.get()
    assert mail.subject == "Unlock code for dongle 109001, which replaces 104233"
    assert "Volocity Visualisation, 1 seat" in mail.text
    assert "Should dongle 104233 turn up" not in mail.text


def test_a_code_of_the_old_one_that_was_not_mailed_yet_stays_unsent(dongle):
    world.sell(dongle, DAY)
    replace(dongle, on="2026-02-02")
    outbox.drain()
    subjects = list(SentMail.objects.order_by("pk").values_list("subject", flat=True))
    assert [subject for subject in subjects if "Unlock code" in subject] == [
        "Unlock code for dongle 109001, which replaces 104233"
    ]


def test_both_dongles_keep_it_in_their_history(dongle):
    done = replace(dongle)
    told = {(event.action, event.subject_id): event for event in AuditEvent.objects.filter(subject_kind="dongle")}
    old, new = told["replace", dongle.pk], told["take_over", done.successor.pk]
    assert (old.before, old.after["state"], old.after["replaced_by"]) == ({"state": "active"}, "retired", "109001")
    assert (new.after["replaces"], new.reason) == ("104233", "The plug is bent")
    assert old.after["licences"] == ["Volocity Visualisation", "Volocity Quantitation"]


def test_replaced_again_by_the_same_one_it_is_replaced_once(dongle):
    first = replace(dongle)
    before = counts()
    assert replace(dongle, "109-001") == first
    assert counts() == before


def test_a_retired_dongle_is_not_replaced_again(dongle):
    replace(dongle)
    assert refusal_of(replace, dongle, "109002").code == "dongle_not_active"


def test_the_record_of_a_replacement_only_grows(dongle):
    done = replace(dongle)
    for write in (
        lambda: Replacement.objects.update(reason="Another"),
        lambda: Replacement.objects.all().delete(),
        lambda: done.licences.clear(),
    ):
        with pytest.raises(IntegrityError, match=r"only grows|refused"), transaction.atomic():
            write()


@pytest.mark.parametrize(
    ("ends", "issued", "stated"),
    [
        (("2026-03-31", "2026-06-30"), "2026-06-30", "2026-06-30"),  # ragged: the date that it had was paid
        (("2026-03-31", "2026-06-30"), "2026-03-31", "2026-03-31"),  # never beyond what it had either
        (("2024-12-31", "2024-12-31"), "2024-12-31", "2024-12-31"),  # lapsed: no paid time is created
    ],
)
def test_ragged_and_lapsed_dongles_keep_their_date_q8(catalogue, ends, issued, stated):
    dongle = world.make_dongle(
        licences=list(zip(("VOL-VIS", "VOL-QNT"), ends, strict=True)), issued_expiry_on=date.fromisoformat(issued)
    )
    replace(dongle)
    assert UnlockCode.objects.get().expiry_on == date.fromisoformat(stated)


def test_a_dongle_that_never_had_an_sma_can_be_replaced(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", None)])
    replace(dongle)
    assert UnlockCode.objects.get().expiry_on == world.DAY_ONE


def test_withdrawn_licences_stay_where_they_were(dongle):
    gone, kept = Licence.objects.order_by("pk")
    withdraw_licence(licence=gone, reason="Not used", actor=world.SALES, at=world.at(DAY))
    done = replace(dongle)
    assert (list(dongle.licences.all()), list(done.successor.licences.all())) == ([gone], [kept])


def test_an_empty_dongle_on_record_can_take_the_place_and_goes_on_with_its_numbers(dongle):
    spare = world.make_dongle(
        "109001", customer=dongle.customer, licences=[], sequence=7, issued_expiry_on=date(2030, 1, 1)
    )
    replace(dongle)
    code = UnlockCode.objects.get()
    assert (code.dongle, code.sequence, code.expiry_on) == (spare, 8, date(2026, 3, 31))


def test_one_without_owner_becomes_the_owners(dongle):
    Dongle.objects.create(serial="109001")
    assert replace(dongle).successor.customer == dongle.customer


@pytest.mark.parametrize(
    "taken",
    [
        lambda dongle: world.make_dongle("109001", customer=dongle.customer),  # carries licences
        lambda dongle: world.make_dongle("109001", licences=[]),  # somebody else's
        lambda dongle: world.make_dongle("109001", customer=dongle.customer, licences=[], kind="key"),
        lambda dongle: world.make_dongle("109001", customer=dongle.customer, licences=[], state="lost"),
    ],
)
def test_a_dongle_that_is_not_free_takes_nobodys_place(dongle, taken):
    taken(dongle)
    refusal = refusal_of(replace, dongle)
    assert (refusal.code, refusal.data["field"]) == ("serial_taken", "serial")


def test_one_that_took_a_place_takes_no_other(dongle):
    other = world.make_dongle("104234", customer=dongle.customer)
    new = replace(dongle).successor
    for licence in new.licences.all():
        withdraw_licence(licence=licence, reason="Not used", actor=world.SALES, at=world.at(DAY))
    assert refusal_of(replace, other).code == "serial_taken"


def test_a_dongle_does_not_take_its_own_place(dongle):
    assert refusal_of(replace, dongle, "104 233").code == "serial_taken"


def test_other_refusals_of_a_replacement(dongle, catalogue):
    assert refusal_of(replace, dongle, "no serial!").code == "not_a_serial"
    assert refusal_of(replace, dongle, reason=" ").code == "replacement_reason_missing"
    assert refusal_of(replace, dongle, actor=Actor("Somebody", None, "finance")).code == "not_allowed"
    assert refusal_of(replace, dongle, cause="lost").code == "replacement_to_be_quoted"
    assert refusal_of(replace, world.make_dongle("104234", licences=[]), "109002").code == "no_licences"
    Dongle.objects.filter(pk=dongle.pk).update(customer=None)
    assert refusal_of(replace, dongle).code == "dongle_without_owner"


def test_not_while_an_order_waits_for_its_payment(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.sell(dongle, DAY)
    refusal = refusal_of(replace, dongle)
    assert (refusal.code, refusal.data) == ("order_waits", {"order": order.number})


# What it costs


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


# Ordered


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


# Lost and found


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


# Handed on


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

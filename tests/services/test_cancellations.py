"""Cancelled orders (rules Q6, F1, F4). VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00."""

from datetime import date, timedelta

import pytest

from dongles.coverage import LicenceCoverage, Period
from dongles.models import Dongle, Licence, SmaPeriod, UnlockCode
from dongles.services import withdraw_licence
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage
from renewals import recognition
from renewals.invariants import revenue
from renewals.models import Order, PriceListEntry, RevenueSegment
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest
from renewals.services import quotes
from renewals.services.cancellations import cancel_order, date_after_cancellation
from renewals.services.replacements import replace_dongle
from renewals.states import OrderState
from tests import world

pytestmark = pytest.mark.django_db


def cancel(order, from_on: str, *, on: str | None = None, **options):
    options = {"reason": "Budget cut", "actor": world.SALES, **options}
    return cancel_order(order=order, from_on=date.fromisoformat(from_on), at=world.at(on or from_on), **options)


def recognised(order, day: date) -> int:
    rows = RevenueSegment.objects.filter(order_line__order=order)
    return sum(recognition.recognised_through(row.segment, day) for row in rows)


def refusal_of(order, *args, **options) -> DomainError:
    before = (Order.objects.get(pk=order.pk).state, RevenueSegment.objects.count(), AuditEvent.objects.count())
    with pytest.raises(DomainError) as refused:
        cancel(order, *args, **options)
    assert before == (Order.objects.get(pk=order.pk).state, RevenueSegment.objects.count(), AuditEvent.objects.count())
    return refused.value


def test_its_periods_end_on_the_day_before_q6(dongle):
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-10-01")
    periods = SmaPeriod.objects.filter(source="order")
    assert {(period.starts_on, period.ends_on, period.is_cancelled) for period in periods} == {
        (date(2026, 4, 1), date(2026, 9, 30), False)
    }


def test_later_periods_are_cancelled_and_the_code_gives_back_what_stood_before_q6(dongle):
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-02-10")
    assert all(SmaPeriod.objects.filter(source="order").values_list("is_cancelled", flat=True))
    first, second = UnlockCode.objects.order_by("pk")
    assert (first.expiry_on, second.expiry_on, second.sequence) == (date(2027, 3, 31), date(2026, 3, 31), 2)
    assert Dongle.objects.get().issued_expiry_on == date(2026, 3, 31)


def test_of_two_dongles_quoted_together_one_that_took_the_other_s_place_is_told_once_q8(catalogue):
    customer = world.make_customer()
    broken = world.make_dongle("104233", customer, [("VOL-VIS", "2026-03-31")])
    spare = world.make_dongle("104234", customer, [("VOL-QNT", "2026-06-30")])
    asked = {"customer": customer, "actor": world.SALES, "at": world.at("2026-02-01")}
    drafted = quotes.draft_quote(requests=[DongleRequest(each, 1) for each in (broken, spare)], **asked)
    sent = quotes.send_quote(version=drafted, actor=world.SALES, at=world.at("2026-02-01"))
    order = world.accept(sent, "2026-02-01")
    by = {"actor": world.SALES, "at": world.at("2026-02-10")}
    withdraw_licence(licence=spare.licences.get(), reason="Not used", **by)
    replace_dongle(dongle=broken, serial="104234", cause="broken", reason="The plug is bent", **by)
    cancel(order, "2026-02-20")
    codes = UnlockCode.objects.filter(cause=f"cancellation of order {order.number}")
    # Its own licence was withdrawn: the date is that of the licence which went over.
    assert [(code.dongle.serial, code.expiry_on) for code in codes] == [("104234", date(2026, 3, 31))]


def test_the_annual_value_of_a_cent_ends_with_its_period_though_nothing_is_left_to_take_back_f5(dongle):
    PriceListEntry.objects.update(sma_year=1)  # a cent, which is earned by half of the year
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-12-15")
    values = RevenueSegment.objects.values_list("reason", "amount", "starts_on", "annual_amount")
    assert set(values) == {
        ("sale", 1, date(2026, 4, 1), 1),
        ("cancellation", 0, date(2026, 12, 15), -1),
    }
    assert [finding for batch in revenue.check(world.at("2027-01-01")) for finding in batch.findings] == []


def test_the_code_states_the_last_covered_day_q6(dongle):
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-10-01")
    assert UnlockCode.objects.order_by("pk").last().expiry_on == date(2026, 9, 30)
    assert OutboxMessage.objects.filter(kind="code_issued").count() == 2


def test_revenue_from_that_day_on_is_taken_back_and_none_before_f4(dongle):
    order = world.sell(dongle, "2026-02-01")
    by_then = recognised(order, date(2026, 9, 30))
    cancel(order, "2026-10-01")
    # 1 Apr … 30 Sep are 183 of 365 days: 120,000 × 183 / 365 = 60,164.4 and 90,000 × 183 / 365 = 45,123.3
    assert by_then == 60_164 + 45_123
    for day in (date(2026, 9, 30), date(2026, 10, 1), date(2027, 3, 31)):
        assert recognised(order, day) == by_then
    reasons = list(RevenueSegment.objects.order_by("pk").values_list("reason", flat=True))
    assert reasons == ["sale", "sale", "cancellation", "cancellation"]


def test_every_month_is_undone_exactly_f1(dongle):
    order = world.sell(dongle, "2026-02-01")
    sold = [row.segment for row in RevenueSegment.objects.filter(reason="sale")]
    cancel(order, "2026-10-17")
    undone = [row.segment for row in RevenueSegment.objects.filter(reason="cancellation").order_by("pk")]
    for sale, credit in zip(sold, undone, strict=True):
        by_month = dict(recognition.months_of(sale))
        for month, amount in recognition.months_of(credit):
            if month > date(2026, 10, 1):
                assert amount == -by_month[month]


def test_an_upgrade_stays_and_so_does_what_it_earned_q6_f4(catalogue):
    world.make_release("7.0", "2026-01-15")
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-02-01")
    assert recognised(order, date(2030, 1, 1)) == 120_000  # of 2,400.00 the year of SMA is taken back
    assert Licence.objects.get().withdrawn_on is None


def test_cancelled_from_its_first_day_an_upgrade_still_runs_the_release_that_it_is_for_q6(catalogue):
    world.make_release("7.0", "2026-01-15")
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    cancel(world.sell(dongle, "2026-02-01"), "2026-02-01")
    assert UnlockCode.objects.order_by("pk").last().expiry_on == date(2026, 2, 1)
    # a year later no upgrade is due again
    assert [line.kind for line in world.draft(dongle, "2026-02-02").dongles.get().lines.all()] == ["sma_year"]


def test_licences_that_it_added_are_not_withdrawn_ahead_of_time_q6(dongle):
    order = world.sell(dongle, "2026-02-01", added=(AddedLicence("VOL-VIS", 2),))
    assert refusal_of(order, "2026-12-01", on="2026-03-01").code == "withdrawal_in_future"


def test_a_licence_withdrawn_by_hand_keeps_its_reason_q6(dongle):
    order = world.sell(dongle, "2026-02-01", added=(AddedLicence("VOL-VIS", 2),))
    added = Licence.objects.order_by("pk").last()
    withdraw_licence(licence=added, reason="Moved", actor=world.SALES, at=world.at("2026-02-10"))
    cancel(order, "2026-03-01")
    added.refresh_from_db()
    assert (added.withdrawn_on, added.withdrawal_reason) == (date(2026, 2, 10), "Moved")


def test_an_annulled_order_is_cancelled_from_its_first_day_whatever_day_is_typed_f4(dongle):
    order = world.sell(dongle, "2026-02-01")
    assert cancel(order, "9999-12-31", on="2026-02-20", is_mistake=True).cancelled_from == date(2026, 2, 1)


def test_licences_that_it_added_are_withdrawn_q6(dongle):
    order = world.sell(dongle, "2026-02-01", added=(AddedLicence("VOL-VIS", 2),))
    cancel(order, "2026-03-01")
    added = Licence.objects.order_by("pk").last()
    assert (added.withdrawn_on, added.withdrawal_reason) == (date(2026, 3, 1), f"Order {order.number} was cancelled")
    assert UnlockCode.objects.order_by("pk").last().licences == [[101, 1], [102, 1]]


def test_a_mistaken_order_is_annulled_whole_f4(catalogue):
    world.make_release("7.0", "2026-01-15")
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-02-20", is_mistake=True)
    assert recognised(order, date(2026, 2, 28)) == 0
    assert recognised(order, date(2030, 1, 1)) == 0
    assert sum(RevenueSegment.objects.values_list("amount", flat=True)) == 0
    assert SmaPeriod.objects.get(source="order").is_cancelled
    assert set(RevenueSegment.objects.values_list("reason", flat=True)) == {"sale", "annulment"}


def test_cancelled_twice_is_cancelled_once(dongle):
    order = world.sell(dongle, "2026-02-01")
    cancel(order, "2026-10-01")
    before = RevenueSegment.objects.count(), UnlockCode.objects.count(), AuditEvent.objects.count()
    assert cancel(order, "2026-11-01").cancelled_from == date(2026, 10, 1)
    assert before == (RevenueSegment.objects.count(), UnlockCode.objects.count(), AuditEvent.objects.count())


def test_an_order_that_waits_for_its_payment_is_cancelled_without_a_code(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.accept(world.send(dongle, "2026-02-01"), "2026-02-01")
    assert cancel(order, "2026-02-05").state == OrderState.CANCELLED
    assert not UnlockCode.objects.exists()
    world.sell(dongle, "2026-02-06")  # the dongle is free again


def test_a_cancellation_wants_a_reason(dongle):
    order = world.sell(dongle, "2026-02-01")
    assert refusal_of(order, "2026-10-01", reason=" ").code == "cancellation_reason_missing"


def test_not_before_it_was_fulfilled(dongle):
    order = world.sell(dongle, "2026-02-01")
    assert refusal_of(order, "2026-01-31").code == "cancel_before_fulfilment"


def test_not_after_everything_has_ended(dongle):
    order = world.sell(dongle, "2026-02-01")
    assert refusal_of(order, "2027-04-01").code == "nothing_to_cancel"


def test_not_while_a_later_order_stands_on_it(dongle):
    order = world.sell(dongle, "2026-02-01")
    later = world.sell(dongle, "2026-02-02")
    refusal = refusal_of(order, "2026-10-01")
    assert (refusal.code, refusal.data) == ("order_built_upon", {"order": later.number})


def test_cancelling_is_not_for_customers(dongle):
    order = world.sell(dongle, "2026-02-01")
    stranger = Actor("Somebody", None, "customer")
    assert refusal_of(order, "2026-10-01", actor=stranger).code == "not_allowed"


def licence(end: str) -> LicenceCoverage:
    return LicenceCoverage("X", "F", 1, date(2020, 1, 1), (Period(date(2020, 1, 1), date.fromisoformat(end)),))


@pytest.mark.parametrize(
    ("ends", "stood_before", "right"),
    [
        (["2026-09-30", "2026-09-30"], "2026-03-31", "2026-09-30"),  # cancelled in the middle: what was used stays
        (["2026-03-31", "2026-06-30"], "2026-06-30", "2026-06-30"),  # ragged before: its date had been paid
        (["2026-03-31", "2026-06-30"], "2026-03-31", "2026-03-31"),  # never beyond the least covered (C3)
        (["2022-12-31"], "2022-12-31", "2022-12-31"),  # lapsed before: lapsed again
    ],
)
def test_the_date_that_is_right_after_a_cancellation_q6(ends, stood_before, right):
    day = date_after_cancellation([licence(end) for end in ends], date.fromisoformat(stood_before), date(2026, 10, 1))
    assert day == date.fromisoformat(right)


def test_without_licences_the_date_that_stood_before_is_right_q6():
    assert date_after_cancellation([], None, date(2026, 10, 1)) == date(2026, 9, 30)
    assert date_after_cancellation([], date(2026, 10, 1) + timedelta(9), date(2026, 10, 1)) == date(2026, 10, 10)

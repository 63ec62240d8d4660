"""Orders: accept and fulfil (rules Q1, Q2, Q4, Q6), and what a code then states."""

from datetime import date
from decimal import Decimal

import pytest

from dongles.keys import public_keys
from dongles.models import Dongle, Licence, Release, SmaPeriod, UnlockCode
from dongles.services import withdraw_licence
from dongles.unlock import Outcome, apply, factory_state
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage
from renewals import recognition
from renewals.models import Order, OrderLine, PriceList, QuoteVersion, RevenueSegment
from renewals.pricing import AddedLicence
from renewals.services import orders
from renewals.states import OrderState, QuoteState
from tests import world

pytestmark = pytest.mark.django_db

WRITTEN = (Order, OrderLine, SmaPeriod, Licence, UnlockCode, RevenueSegment, AuditEvent, OutboxMessage)


def counts():
    return [model.objects.count() for model in WRITTEN]


def refusal_of(call, *args, **kwargs) -> DomainError:
    before = counts()
    with pytest.raises(DomainError) as refused:
        call(*args, **kwargs)
    assert counts() == before
    return refused.value


def sold_periods(dongle):
    periods = SmaPeriod.objects.filter(licence__dongle=dongle, source="order").order_by("licence_id", "starts_on")
    return [(period.licence.product.code, period.starts_on, period.ends_on) for period in periods]


def recognised(order, day):
    return sum(
        recognition.recognised_through(row.segment, day)
        for row in RevenueSegment.objects.filter(order_line__order=order)
    )


def test_accepting_with_a_purchase_order_fulfils_in_one_go_q6(dongle):
    order = world.sell(dongle, "2026-02-01")
    assert (order.state, order.purchase_order_number) == (OrderState.FULFILLED, "PO-77")
    assert sold_periods(dongle) == [
        ("VOL-VIS", date(2026, 4, 1), date(2027, 3, 31)),
        ("VOL-QNT", date(2026, 4, 1), date(2027, 3, 31)),
    ]
    code = UnlockCode.objects.get()
    assert (code.expiry_on, code.previous_expiry_on, code.sequence) == (date(2027, 3, 31), date(2026, 3, 31), 1)
    assert code.licences == [[101, 1], [102, 1]]
    dongle.refresh_from_db()
    assert (dongle.issued_expiry_on, dongle.confirmed_expiry_on) == (date(2027, 3, 31), date(2026, 3, 31))
    assert [message.kind for message in OutboxMessage.objects.order_by("pk")] == [
        *("quote_sent", "revenue_booked", "code_issued"),
    ]


def test_the_code_is_accepted_by_a_simulated_dongle_u1(dongle):
    world.sell(dongle, "2026-02-01")
    keys = public_keys()
    outcome, state = apply(factory_state("104233", keys.root, keys.slots), UnlockCode.objects.get().letters)
    assert outcome == Outcome.APPLIED
    assert (state.expiry_on, state.licences) == (date(2027, 3, 31), ((101, 1), (102, 1)))


def test_the_revenue_of_an_order_sums_to_its_net_to_the_cent_f1(dongle):
    order = world.sell(dongle, "2026-02-01", renew_years=3)
    assert sum(RevenueSegment.objects.values_list("amount", flat=True)) == order.version.net == 630_000
    assert recognised(order, date(2026, 3, 31)) == 0
    assert recognised(order, date(2029, 3, 31)) == 630_000
    # the first of three years, each line by day: 1,200.00 + 900.00
    assert recognised(order, date(2027, 3, 31)) == 210_000


def test_an_upgrade_is_earned_half_at_once_and_half_over_its_year_f3(catalogue):
    world.make_release("7.0", "2026-01-15")
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
    order = world.sell(dongle, "2026-02-01")
    # upgrade 2,400.00 with a year of SMA at 1,200.00: 1,200.00 at once, 1,200.00 over 1 Feb 2026 … 31 Jan 2027
    assert [line.quote_line.kind for line in order.lines.all()] == ["upgrade"]
    assert recognised(order, date(2026, 2, 1)) == 120_000 + round(120_000 / 365)
    assert recognised(order, date(2027, 1, 31)) == 240_000


def test_an_added_licence_comes_onto_the_dongle_and_into_the_code_p5(dongle):
    order = world.sell(dongle, "2026-02-01", added=(AddedLicence("VOL-VIS", 2),))
    new = Licence.objects.order_by("pk").last()
    assert (new.product.code, new.seats, new.acquired_on) == ("VOL-VIS", 2, date(2026, 2, 1))
    assert sold_periods(dongle)[-1] == ("VOL-VIS", date(2026, 2, 1), date(2027, 1, 31))
    assert UnlockCode.objects.get().licences == [[101, 3], [102, 1]]  # the seats of a product together
    assert order.lines.count() == 3


def test_all_licences_end_on_one_day_after_a_ragged_dongle_is_mended_c3(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-06-30")])
    world.sell(dongle, "2026-02-01")
    ends = SmaPeriod.objects.filter(source="order").order_by("licence_id", "-ends_on").distinct("licence_id")
    assert {period.ends_on for period in ends} == {date(2027, 6, 30)}
    assert UnlockCode.objects.get().expiry_on == date(2027, 6, 30)


def test_accepted_again_it_is_the_same_order_q2(dongle):
    version = world.send(dongle, "2026-02-01")
    first = world.accept(version, "2026-02-01")
    before = counts()
    again = world.accept(version, "2026-02-02", purchase_order_number="PO-78")
    assert (again.pk, again.purchase_order_number) == (first.pk, "PO-77")
    assert counts() == before


def test_a_draft_cannot_be_accepted(dongle):
    assert refusal_of(world.accept, world.draft(dongle, "2026-02-01"), "2026-02-01").code == "quote_not_sent"


def test_the_last_valid_day_is_valid_and_the_next_is_not_q1(dongle):
    version = world.send(dongle, "2026-02-01")
    assert refusal_of(world.accept, version, "2026-03-04").code == "quote_expired"
    assert world.accept(version, "2026-03-03").state == OrderState.FULFILLED


def test_without_a_purchase_order_number_nothing_is_ordered_q6(dongle):
    version = world.send(dongle, "2026-02-01")
    refusal = refusal_of(world.accept, version, "2026-02-01", purchase_order_number="  ")
    assert (refusal.code, refusal.data["field"]) == ("purchase_order_missing", "purchase_order_number")


def test_a_customer_who_pays_first_gets_everything_on_payment_q6(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.accept(world.send(dongle, "2026-02-01"), "2026-02-02", purchase_order_number="")
    assert order.state == OrderState.ACCEPTED
    assert not UnlockCode.objects.exists()
    paid = {"paid_on": date(2026, 2, 9), "at": world.at("2026-02-10")}
    sales = Actor.of(world.make_user("sales"))
    assert refusal_of(orders.fulfil_order, order=order, actor=sales, **paid).code == "not_allowed"
    finance = Actor.of(world.make_user("finance"))
    done = orders.fulfil_order(order=order, actor=finance, **paid)
    assert (done.state, done.fulfilled_on, done.paid_on) == (OrderState.FULFILLED, date(2026, 2, 10), date(2026, 2, 9))
    assert UnlockCode.objects.get().expiry_on == date(2027, 3, 31)
    before = counts()
    orders.fulfil_order(order=order, actor=finance, **paid)
    assert counts() == before


class TestDongleChanged:
    """Q1: what has changed since the quote can't be accepted; a new version is drafted."""

    def test_by_a_withdrawn_licence_q1(self, dongle):
        version = world.send(dongle, "2026-02-01")
        licence = dongle.licences.first()
        withdraw_licence(licence=licence, reason="Sold off", actor=world.SALES, at=world.at("2026-02-02"))
        with pytest.raises(DomainError) as refused:
            world.accept(version, "2026-02-02")
        assert (refused.value.code, refused.value.data) == ("dongle_changed", {"version": 2})
        newer = QuoteVersion.objects.get(quote=version.quote, number=2)
        assert (newer.state, newer.net) == (QuoteState.DRAFT, 90_000)
        assert not Order.objects.exists()
        assert not UnlockCode.objects.exists()

    def test_however_often_it_is_clicked_one_version_is_drafted_q1(self, dongle):
        seller = Actor.of(world.make_user("sales"))
        asked = {"discount": Decimal("0.1"), "discount_reason": "Loyal", "actor": seller}
        version = world.send(dongle, "2026-02-01", **asked)
        withdraw_licence(licence=dongle.licences.first(), reason="Sold", actor=world.SALES, at=world.at("2026-02-02"))
        for _ in range(3):
            with pytest.raises(DomainError) as refused:
                world.accept(version, "2026-02-02")
            assert refused.value.data == {"version": 2}
        newer = QuoteVersion.objects.get(quote=version.quote, number=2)
        # 10 % off 900.00, within the limit of who drafted the first
        assert (newer.net, newer.needs_approval) == (81_000, False)

    def test_by_a_change_of_owner_q1(self, dongle):
        version = world.send(dongle, "2026-02-01")
        Dongle.objects.update(customer=world.make_customer("Another institute"))
        with pytest.raises(DomainError) as refused:
            world.accept(version, "2026-02-02")
        assert refused.value.code in ("dongle_changed", "dongle_of_other_customer")
        assert not Order.objects.exists()

    def test_by_another_order_q1(self, dongle):
        first, second = world.send(dongle, "2026-02-01"), world.send(dongle, "2026-02-01")
        world.accept(first, "2026-02-01")
        with pytest.raises(DomainError) as refused:
            world.accept(second, "2026-02-01")
        assert refused.value.code == "dongle_changed"
        newer = QuoteVersion.objects.get(quote=second.quote, number=2)
        assert newer.dongles.get().covered_through == date(2028, 3, 31)  # back to back on what was bought meanwhile

    def test_by_an_order_that_waits_for_its_payment_q1(self, catalogue):
        dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
        first, second = world.send(dongle, "2026-02-01"), world.send(dongle, "2026-02-01")
        world.accept(first, "2026-02-01")
        with pytest.raises(DomainError) as refused:
            world.accept(second, "2026-02-01")
        assert refused.value.code == "dongle_changed"
        assert Order.objects.count() == 1

    def test_by_the_loss_of_the_dongle_while_its_payment_is_awaited_q1(self, catalogue):
        dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
        order = world.accept(world.send(dongle, "2026-02-01"), "2026-02-01")
        Dongle.objects.update(state="lost")
        paid = {"paid_on": date(2026, 2, 9), "at": world.at("2026-02-10")}
        assert refusal_of(orders.fulfil_order, order=order, actor=world.SALES, **paid).code == "dongle_changed"


class TestAcceptedLater:
    """Q1: a promise is kept; lines that start on the day of ordering start on that of fulfilment."""

    def test_back_to_back_dates_stay_q1(self, dongle):
        world.accept(world.send(dongle, "2026-02-01"), "2026-02-20")
        assert sold_periods(dongle)[0] == ("VOL-VIS", date(2026, 4, 1), date(2027, 3, 31))

    def test_a_lapsed_licence_starts_on_the_day_of_fulfilment_q1(self, catalogue):
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        order = world.accept(version, "2026-02-11")
        assert version.dongles.get().covered_through == date(2027, 1, 31)
        assert sold_periods(dongle) == [("VOL-VIS", date(2026, 2, 11), date(2027, 2, 10))]
        assert sum(line.net for line in order.lines.all()) == 120_000

    def test_a_release_since_does_not_make_it_dearer_and_is_reported_q1(self, catalogue):
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        world.make_release("7.0", "2026-02-05")
        order = world.accept(version, "2026-02-11")
        assert order.version.net == 120_000  # renewed as quoted: no upgrade
        assert AuditEvent.objects.get(action="accept", subject_kind="order").after["released_since"] == ["Volocity 7.0"]

    def test_a_price_list_since_does_not_make_it_dearer_and_is_reported_q1(self, dongle):
        version = world.send(dongle, "2026-02-01")
        PriceList.objects.create(name="EUR Feb", currency="EUR", segment="commercial", valid_from=date(2026, 2, 10))
        order = world.accept(version, "2026-02-11")
        assert sum(line.net for line in order.lines.all()) == 210_000
        event = AuditEvent.objects.get(action="accept", subject_kind="order")
        assert event.after["price_list_since"] == "EUR Feb"
        assert event.reason == "Since the quote came “EUR Feb”; its prices were honoured."

    def test_under_the_policy_requote_a_release_since_refuses_it_q1(self, db):
        world.make_catalogue(straddle="requote")
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        world.make_release("7.0", "2026-02-05")
        refusal = refusal_of(world.accept, version, "2026-02-11")
        assert (refusal.code, refusal.data) == ("quote_straddled", {"releases": ["Volocity 7.0"]})

    def test_a_release_of_the_quotes_own_day_counts_too_q1(self, db):
        world.make_catalogue(straddle="requote")
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        world.make_release("7.0", "2026-02-01")
        assert refusal_of(world.accept, version, "2026-02-01").code == "quote_straddled"

    def test_a_licence_that_buys_an_upgrade_already_pays_no_more_for_another_release_q1(self, db):
        world.make_catalogue(straddle="requote")
        world.make_release("7.0", "2026-01-15")
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        world.make_release("8.0", "2026-02-05")
        assert world.accept(version, "2026-02-11").version.net == 240_000

    def test_unless_each_missed_release_counts_q1(self, db):
        world.make_catalogue(straddle="requote", missed_majors="each")
        world.make_release("7.0", "2026-01-15")
        dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31")])
        version = world.send(dongle, "2026-02-01")
        world.make_release("8.0", "2026-02-05")
        assert refusal_of(world.accept, version, "2026-02-11").code == "quote_straddled"

    def test_under_the_policy_requote_a_release_that_changes_nothing_is_no_matter_q1(self, db):
        world.make_catalogue(straddle="requote")
        dongle = world.make_dongle()
        version = world.send(dongle, "2026-02-01")
        world.make_release("7.0", "2026-02-05")
        assert world.accept(version, "2026-02-11").state == OrderState.FULFILLED


@pytest.mark.parametrize(("paid_on", "code"), [("2026-02-11", "paid_in_future"), ("2026-01-31", "paid_before_quote")])
def test_a_payment_came_in_between_quote_and_today(catalogue, paid_on, code):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.accept(world.send(dongle, "2026-02-01"), "2026-02-02")
    paid = {"paid_on": date.fromisoformat(paid_on), "at": world.at("2026-02-10"), "actor": world.SALES}
    assert refusal_of(orders.fulfil_order, order=order, **paid).code == code


def test_an_order_locks_the_releases_that_it_was_priced_with(dongle):
    before = world.make_release("6.5", "2026-01-15")
    after = world.make_release("7.0", "2026-05-05")
    other = world.make_release("5.5", "2026-01-15", family="Openlab")
    world.sell(dongle, "2026-02-01")
    marks = dict(Release.objects.values_list("pk", "sold_against_on"))
    assert marks == {before.pk: date(2026, 2, 1), after.pk: None, other.pk: None}


def test_a_number_that_the_signer_gave_out_before_a_restore_is_not_given_out_again(dongle):
    world.sell(dongle, "2026-02-01")
    Dongle.objects.update(sequence=0)  # as after a restore of an older database
    world.sell(dongle, "2026-02-03")
    assert [code.sequence for code in UnlockCode.objects.order_by("pk")] == [1, 2]


def test_the_whole_cycle_takes_at_most_forty_nine_queries(catalogue, django_assert_max_num_queries):
    licences = [("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-03-31"), ("VOL-VIS", "2026-03-31")]
    dongle = world.make_dongle(licences=licences)
    with django_assert_max_num_queries(49):
        world.sell(dongle, "2026-02-01")

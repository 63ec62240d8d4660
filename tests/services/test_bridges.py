"""Bridging codes (rule Q7). The dongle is paid through 31 Mar 2026; its two licences cost 1,200.00 + 900.00 a year.

A quote sent on 10 Mar 2026 is valid until 9 Apr, 30 days after; a bridge lasts through 30 Apr at most, 30 days after E.
"""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from dongles.keys import public_keys
from dongles.models import Dongle, SmaPeriod, UnlockCode
from dongles.queries import coverage_of, licences_of
from dongles.services import issue_unlock_code, withdraw_licence
from dongles.unlock import Outcome, apply, factory_state
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage, SentMail
from portal.outbox import deliver
from renewals.models import Bridge, Order, QuoteVersion, RevenueSegment
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest
from renewals.services import orders, quotes
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db

E, LAST = date(2026, 3, 31), date(2026, 4, 30)


@pytest.fixture
def version(dongle):
    return world.send(dongle, "2026-03-10")


def bridge(version, until="2026-04-30", on="2026-03-25", **options):
    options = {"reason": "The order is being signed", "actor": world.SALES, **options}
    return grant_bridge(version=version, until=date.fromisoformat(until), at=world.at(on), **options)


def everything():
    tables = (Bridge, UnlockCode, AuditEvent, OutboxMessage, SmaPeriod, RevenueSegment)
    versions = list(QuoteVersion.objects.order_by("pk").values_list("state", "valid_until"))
    return [table.objects.count() for table in tables], versions, list(Dongle.objects.order_by("pk").values())


def refusal_of(version, *args, **options) -> DomainError:
    before = everything()
    with pytest.raises(DomainError) as refused:
        bridge(version, *args, **options)
    assert everything() == before
    return refused.value


def test_a_code_moves_the_date_thirty_days_past_e_and_nothing_else_q7(version, dongle):
    (given,) = bridge(version)
    assert (given.paid_through, given.ends_on, given.granted_on) == (E, LAST, date(2026, 3, 25))
    assert (given.code.previous_expiry_on, given.code.expiry_on, given.code.sequence) == (E, LAST, 1)
    assert given.code.cause == f"bridge of quote {version.quote.number} version 1"
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == LAST
    assert SmaPeriod.objects.count() == 2
    assert not RevenueSegment.objects.exists()


def test_the_quote_stays_valid_through_the_bridge_and_never_less_q7(version):
    assert version.valid_until == date(2026, 4, 9)
    bridge(version)
    version.refresh_from_db()
    assert (version.valid_until, version.state) == (LAST, "sent")


def test_a_bridge_that_ends_earlier_than_the_quote_takes_no_validity_away(version):
    bridge(version, "2026-04-05")
    version.refresh_from_db()
    assert version.valid_until == date(2026, 4, 9)


def test_who_bridged_why_and_how_far_is_on_record(version, dongle):
    user = world.make_user("sales")
    (given,) = bridge(version, actor=Actor.of(user))
    assert (given.granted_by, given.reason) == (user, "The order is being signed")
    deed, code = AuditEvent.objects.order_by("pk")[2:]
    assert (deed.action, deed.subject_kind, deed.subject_id, deed.actor_id) == (
        "bridge",
        "quoteversion",
        version.pk,
        user.pk,
    )
    assert deed.before == {"valid_until": "2026-04-09"}
    assert deed.after == {"valid_until": "2026-04-30", "ends_on": "2026-04-30", "dongles": ["104233"]}
    assert deed.reason == "1 dongle through 30 Apr 2026: The order is being signed"
    assert (code.action, code.before, code.after) == (
        "issue_code",
        {"expiry_on": "2026-03-31"},
        {"expiry_on": "2026-04-30", "sequence": 1},
    )


def test_the_customer_is_told_until_when_and_that_the_order_is_needed_still(version):
    bridge(version)
    message = OutboxMessage.objects.get(kind="bridge_issued")
    deliver(message.pk)
    mail = SentMail.objects.get(message=message)
    assert mail.subject == f"Bridging code for dongle 104233 (quote {version.quote.number})"
    for written in (mail.text, mail.html):
        assert "30 Apr 2026" in written
        assert "This is no extension of your SMA: the order is needed still." in written
        assert "The quote itself" not in written
    assert "SMA expiry date after this code: 30 Apr 2026" in mail.text
    assert "Volocity Visualisation, 1 seat" in mail.text


def test_where_the_quote_is_valid_longer_than_the_bridge_the_mail_says_both(version):
    bridge(version, "2026-04-05")
    message = OutboxMessage.objects.get(kind="bridge_issued")
    deliver(message.pk)
    mail = SentMail.objects.get(message=message)
    assert "Please send it by 5 Apr 2026;" in mail.text
    assert "The quote itself is valid until 9 Apr 2026." in mail.text


def test_once_the_order_has_replaced_the_bridging_code_it_is_not_mailed_any_more(version):
    bridge(version)
    world.accept(version, "2026-03-26")
    deliver(OutboxMessage.objects.get(kind="bridge_issued").pk)
    assert not SentMail.objects.exists()


@pytest.mark.parametrize(
    ("until", "code"),
    [
        ("2026-05-01", "bridge_too_long"),
        ("2027-03-31", "bridge_too_long"),
        ("2026-03-31", "bridge_too_short"),
        ("2026-03-20", "bridge_too_short"),
    ],
)
def test_a_bridge_lasts_beyond_e_and_thirty_days_at_most_q7(version, until, code):
    refused = refusal_of(version, until)
    assert (refused.code, refused.data["field"]) == (code, "until")


def test_policy_says_how_many_days_q7(db):
    world.make_catalogue(bridge_days=10)
    version = world.send(world.make_dongle(), "2026-03-10")
    assert refusal_of(version, "2026-04-11").data["limit"] == "2026-04-10"
    assert bridge(version, "2026-04-10")[0].ends_on == date(2026, 4, 10)


def test_a_bridge_does_not_go_beyond_what_is_ordered(db):
    # Aligned to 10 Apr, ten days past E, as a policy without a least number of months allows.
    world.make_catalogue(align_min_months=0)
    version = world.send(world.make_dongle(), "2026-03-10", align_to=date(2026, 4, 10))
    assert refusal_of(version, "2026-04-11").data["limit"] == "2026-04-10"


def test_a_date_is_never_moved_back_by_a_bridge(catalogue):
    dongle = world.make_dongle(issued_expiry_on=date(2026, 4, 20))
    version = world.send(dongle, "2026-03-10")
    assert refusal_of(version, "2026-04-20").code == "bridge_too_short"


def test_a_reason_is_needed(version):
    refused = refusal_of(version, reason="  ")
    assert (refused.code, refused.data) == ("bridge_reason_missing", {"field": "reason"})


@pytest.mark.parametrize("role", ["finance", "customer"])
def test_only_sales_bridges(version, role):
    assert refusal_of(version, actor=Actor("Somebody", None, role)).code == "not_allowed"


def test_there_is_no_bridge_for_a_dongle_that_is_lapsed_q7(version):
    # Sent on 10 Mar and valid until 9 Apr; on 1 Apr the day after E is there.
    assert refusal_of(version, on="2026-04-01").code == "bridge_lapsed"
    assert bridge(version, on="2026-03-31")[0].ends_on == LAST


def test_nor_for_one_with_a_single_licence_that_is_lapsed_q7(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2025-03-31")])
    assert refusal_of(world.send(dongle, "2026-03-10")).code == "bridge_lapsed"


def test_nor_for_one_that_has_nothing_yet_q7(catalogue):
    dongle = world.make_dongle(licences=[])
    version = world.send(dongle, "2026-03-10", added=(AddedLicence("VOL-VIS", 1),))
    assert refusal_of(version).code == "bridge_lapsed"


def test_within_the_grace_days_it_is_not_lapsed_q7(db):
    world.make_catalogue(grace_days=15)
    version = world.send(world.make_dongle(), "2026-03-20")
    assert refusal_of(version, "2026-04-10", on="2026-04-10").code == "bridge_too_short"
    assert bridge(version, on="2026-04-10")[0].ends_on == LAST
    assert refusal_of(world.send(world.make_dongle("204233"), "2026-03-20"), on="2026-04-16").code == "bridge_lapsed"


def test_a_ragged_dongle_is_bridged_past_the_latest_of_its_licences_q7(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-06-30")])
    version = world.send(dongle, "2026-03-10")
    assert refusal_of(version, "2026-07-31").code == "bridge_too_long"
    (given,) = bridge(version, "2026-07-30")
    assert (given.paid_through, given.ends_on) == (date(2026, 6, 30), date(2026, 7, 30))


@pytest.mark.parametrize("state", ["lost", "retired"])
def test_a_dongle_that_is_not_in_use_gets_none(version, dongle, state):
    Dongle.objects.filter(pk=dongle.pk).update(state=state)
    assert refusal_of(version).code == "dongle_not_active"


def test_a_dongle_that_has_changed_since_the_quote_gets_none(version, dongle):
    withdraw_licence(licence=dongle.licences.last(), reason="Sold", actor=world.SALES, at=world.at("2026-03-20"))
    assert refusal_of(version).code == "dongle_changed"


def test_a_draft_an_expired_a_declined_an_accepted_and_a_superseded_quote_give_none(version, dongle):
    draft = world.draft(dongle, "2026-03-10")
    assert refusal_of(draft).code == "quote_not_sent"
    early = world.send(dongle, "2026-02-10")
    assert refusal_of(early).code == "quote_expired"
    declined = world.send(dongle, "2026-03-10")
    quotes.decline_quote(version=declined, actor=world.SALES, at=world.at("2026-03-11"), reason="No")
    assert refusal_of(declined).code == "quote_declined"
    newer = world.send(dongle, "2026-03-10", revises=version.quote)
    assert refusal_of(version).code == "quote_superseded"
    world.accept(newer, "2026-03-12")
    assert refusal_of(newer).code == "quote_accepted"


def test_the_same_bridge_asked_for_twice_is_given_once(version):
    assert bridge(version) == bridge(version)
    assert Bridge.objects.count() == UnlockCode.objects.count() == 1
    assert OutboxMessage.objects.filter(kind="bridge_issued").count() == 1


def test_a_second_bridge_for_the_same_e_is_refused_from_another_quote_too_q7(version, dongle):
    bridge(version, "2026-04-10")
    assert refusal_of(version, "2026-04-20").code == "bridge_given"
    refused = refusal_of(world.send(dongle, "2026-03-10"), "2026-04-20")
    assert (refused.code, refused.data["quote"]) == ("bridge_given", version.quote.number)


def test_the_database_itself_refuses_a_second_one_and_any_change(version):
    (given,) = bridge(version)
    for change in (
        lambda: Bridge.objects.filter(pk=given.pk).update(ends_on=date(2026, 5, 30)),
        given.delete,
        lambda: Bridge.objects.create(
            version=version,
            dongle=given.dongle,
            paid_through=given.paid_through,
            ends_on=LAST,
            reason="Again",
            code=given.code,
            granted_on=date(2026, 3, 25),
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert list(Bridge.objects.values_list("ends_on", flat=True)) == [LAST]


def test_after_the_renewal_there_is_a_new_e_and_a_new_bridge_q7(version, dongle):
    bridge(version)
    world.accept(version, "2026-04-20")
    dongle.refresh_from_db()
    again = world.send(dongle, "2027-03-10")
    (given,) = bridge(again, "2027-04-30", on="2027-03-20")
    assert (given.paid_through, given.ends_on) == (date(2027, 3, 31), date(2027, 4, 30))


def test_of_several_dongles_those_named_are_bridged_or_all(catalogue):
    first = world.make_dongle()
    others = [world.make_dongle(serial, first.customer) for serial in ("204233", "304233")]
    several = quotes.send_quote(
        version=quotes.draft_quote(
            customer=first.customer,
            requests=[DongleRequest(each, 1) for each in (first, *others)],
            actor=world.SALES,
            at=world.at("2026-03-10"),
        ),
        actor=world.SALES,
        at=world.at("2026-03-10"),
    )
    (given,) = bridge(several, dongle_ids=[others[0].pk])
    assert given.dongle == others[0]
    assert refusal_of(several).code == "bridge_given"
    rest = bridge(several, dongle_ids=[first.pk, others[1].pk])
    assert [each.dongle.serial for each in rest] == ["104233", "304233"]
    assert UnlockCode.objects.filter(expiry_on=LAST).count() == 3


def test_one_dongle_that_cannot_be_bridged_leaves_the_others_unbridged_too(catalogue):
    first = world.make_dongle()
    late = world.make_dongle("204233", first.customer, [("VOL-VIS", "2026-03-15")])
    draft = quotes.draft_quote(
        customer=first.customer,
        requests=[DongleRequest(first, 1), DongleRequest(late, 1)],
        actor=world.SALES,
        at=world.at("2026-03-10"),
    )
    version = quotes.send_quote(version=draft, actor=world.SALES, at=world.at("2026-03-10"))
    # The second one is paid through 15 Mar: 30 days after that is 14 Apr.
    assert refusal_of(version, on="2026-03-12").data["limit"] == "2026-04-14"


def test_a_code_beyond_what_is_covered_needs_the_exception_named(version, dongle):
    asked = {"dongle": dongle, "cause": "a test", "licences": [], "actor": world.SALES, "at": world.at("2026-03-25")}
    asked["licences"] = [(licence, coverage_of(licence)) for licence in licences_of([dongle])]
    for limit, until in ((None, date(2026, 4, 1)), (LAST, date(2026, 5, 1))):
        with pytest.raises(AssertionError, match="C3"):
            issue_unlock_code(expiry_on=until, bridge_limit_on=limit, **asked)
    assert not UnlockCode.objects.exists()


# What comes of it.


def test_ordered_within_the_bridge_after_e_everything_is_as_quoted_q7(version, dongle):
    bridge(version)
    order = world.accept(version, "2026-04-20")
    assert order.state == "fulfilled"
    periods = SmaPeriod.objects.filter(source="order")
    assert {(period.starts_on, period.ends_on) for period in periods} == {(date(2026, 4, 1), date(2027, 3, 31))}
    assert sorted(order.lines.values_list("net", "free_days")) == [(90_000, 0), (120_000, 0)]
    code = UnlockCode.objects.last()
    assert (code.previous_expiry_on, code.expiry_on) == (LAST, date(2027, 3, 31))


def test_on_the_last_day_of_the_bridge_it_can_be_ordered_and_not_on_the_day_after_q7(version, dongle):
    bridge(version)
    with pytest.raises(DomainError) as refused:
        world.accept(version, "2026-05-01")
    assert refused.value.code == "quote_expired"
    assert world.accept(version, "2026-04-30").state == "fulfilled"


def test_a_payment_after_the_bridge_fulfils_what_was_ordered_within_it(catalogue):
    customer = world.make_customer(fulfil_on="payment")
    dongle = world.make_dongle(customer=customer)
    version = world.send(dongle, "2026-03-10")
    bridge(version)
    order = world.accept(version, "2026-04-20")
    paid = orders.fulfil_order(order=order, actor=world.SALES, at=world.at("2026-05-15"), paid_on=date(2026, 5, 14))
    assert {line.period.starts_on for line in paid.lines.all()} == {date(2026, 4, 1)}
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == date(2027, 3, 31)


def test_the_dongle_takes_both_codes_one_after_the_other(version, dongle):
    bridge(version)
    world.accept(version, "2026-04-20")
    keys = public_keys()
    state = factory_state(dongle.serial, keys.root, keys.slots)
    for code in dongle.codes.order_by("pk"):
        outcome, state = apply(state, code.letters)
        assert outcome == Outcome.APPLIED
    assert state.expiry_on == date(2027, 3, 31)


@pytest.fixture
def strict(db):
    """A vendor who quotes again when a release since would change the quote."""
    world.make_catalogue(straddle="requote")
    return world.make_dongle()


def test_a_release_during_the_bridge_changes_nothing_q7(strict):
    version = world.send(strict, "2026-03-10")
    bridge(version)
    world.make_release("7.0", "2026-04-10")
    order = world.accept(version, "2026-04-20")
    assert sorted(order.lines.values_list("net", flat=True)) == [90_000, 120_000]
    assert (
        not {"released_since", "price_list_since"}
        & AuditEvent.objects.get(action="accept", subject_kind="order").after.keys()
    )


def test_without_a_bridge_the_same_release_does_q1(strict):
    version = world.send(strict, "2026-03-25")
    world.make_release("7.0", "2026-04-10")
    with pytest.raises(DomainError) as refused:
        world.accept(version, "2026-04-20")
    assert refused.value.code == "quote_straddled"


def test_a_bridge_that_is_over_does_not_help_a_quote_that_is_valid_longer_q7(strict):
    version = world.send(strict, "2026-03-25")  # valid until 24 Apr
    bridge(version, "2026-04-15")
    world.make_release("7.0", "2026-04-10")
    assert Bridge.objects.get().ends_on < date(2026, 4, 20) <= version.valid_until
    with pytest.raises(DomainError) as refused:
        world.accept(version, "2026-04-20")
    assert refused.value.code == "quote_straddled"


def test_any_other_quote_is_priced_as_if_there_were_no_bridge_q7(version, dongle):
    bridge(version)
    world.make_release("7.0", "2026-04-10")
    other = world.draft(dongle, "2026-04-20")
    revised = world.draft(dongle, "2026-04-20", revises=version.quote)
    for each in (other, revised):
        # Lapsed over a major release: upgrades at 2,400.00 + 1,800.00, a year from the day on.
        assert each.net == 420_000
        quoted = each.dongles.get()
        assert (quoted.paid_through, quoted.covered_through) == (None, date(2027, 4, 19))


def test_another_quote_sold_instead_starts_on_its_day_and_its_code_states_its_date_q7(version, dongle):
    bridge(version)
    world.sell(dongle, "2026-04-20")
    periods = SmaPeriod.objects.filter(source="order")
    assert {(period.starts_on, period.ends_on) for period in periods} == {(date(2026, 4, 20), date(2027, 4, 19))}
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == date(2027, 4, 19)


def test_declined_the_dongle_keeps_its_date_and_the_bridge_stays_on_record_q7(version, dongle):
    bridge(version)
    quotes.decline_quote(version=version, actor=world.SALES, at=world.at("2026-04-02"), reason="No budget")
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == LAST
    assert Bridge.objects.count() == 1


def cancel(order, on, **options):
    return cancel_order(
        order=order, from_on=date.fromisoformat(on), reason="Error", actor=world.SALES, at=world.at(on), **options
    )


def test_cancelled_as_a_mistake_the_date_is_e_and_not_the_bridge_s_q7(version, dongle):
    bridge(version)
    cancel(world.accept(version, "2026-04-20"), "2026-04-22", is_mistake=True)
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == E
    code = UnlockCode.objects.last()
    assert (code.previous_expiry_on, code.expiry_on) == (date(2027, 3, 31), E)


def test_a_ragged_dongle_gets_back_what_stood_before_the_bridge_and_the_order_q7(catalogue):
    dongle = world.make_dongle(
        licences=[("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-06-30")], issued_expiry_on=date(2026, 5, 15)
    )
    version = world.send(dongle, "2026-03-10")
    bridge(version, "2026-07-30")
    cancel(world.accept(version, "2026-03-27"), "2026-03-28", is_mistake=True)
    dongle.refresh_from_db()
    # Its licences are covered through 31 Mar and 30 Jun again; 15 May had been given to it before.
    assert dongle.issued_expiry_on == date(2026, 5, 15)


def test_cancelled_after_a_while_the_date_is_the_last_day_that_is_covered(version, dongle):
    bridge(version)
    cancel(world.accept(version, "2026-04-20"), "2026-10-01")
    dongle.refresh_from_db()
    assert dongle.issued_expiry_on == date(2026, 9, 30)


def test_after_a_cancellation_e_is_the_old_one_again_and_has_had_its_bridge_q7(version, dongle):
    bridge(version)
    cancel(world.accept(version, "2026-03-27"), "2026-03-28", is_mistake=True)
    dongle.refresh_from_db()
    again = world.send(dongle, "2026-03-28")
    assert refusal_of(again, on="2026-03-29").code == "bridge_given"


# Many at once.


@pytest.fixture
def sent(transactional_db):
    world.make_catalogue()
    return world.send(world.make_dongle(), "2026-03-10")


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_give_one_bridge_q7(sent):
    results = at_once([lambda: bridge(sent)] * 8)
    assert {each[0].pk for each in results} == {Bridge.objects.get().pk}
    assert UnlockCode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_different_bridges_at_once_give_one_q7(sent):
    results = at_once([lambda day=day: bridge(sent, f"2026-04-{day}") for day in (10, 12, 14, 16)])
    assert sorted(type(each).__name__ for each in results) == ["DomainError"] * 3 + ["list"]
    assert {each.code for each in results if isinstance(each, DomainError)} == {"bridge_given"}
    assert Bridge.objects.count() == UnlockCode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_they_do_not_end_well(sent):
    results = at_once([lambda day=day: bridge(sent, f"2026-04-{day}") for day in range(10, 26)], locked=False)
    assert any(isinstance(each, Exception) and not isinstance(each, DomainError) for each in results)


@pytest.mark.django_db(transaction=True)
def test_bridged_and_ordered_at_once_it_ends_in_one_of_two_ways_q7(sent):
    bridged, order = at_once([lambda: bridge(sent), lambda: world.accept(sent, "2026-03-25")])
    assert isinstance(order, Order)
    dates = list(UnlockCode.objects.order_by("pk").values_list("expiry_on", flat=True))
    if isinstance(bridged, DomainError):
        assert (bridged.code, dates) == ("quote_accepted", [date(2027, 3, 31)])
    else:
        assert dates == [LAST, date(2027, 3, 31)]
    assert Dongle.objects.get().issued_expiry_on == date(2027, 3, 31)

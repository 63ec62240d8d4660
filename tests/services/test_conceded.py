"""What is noted of sold lines: what was given away and what lapses cost. An SMA year of VOL-VIS costs 1,200.00."""

from datetime import date
from decimal import Decimal

import pytest

from portal.audit import Actor
from portal.models import Customer
from renewals.invariants import facts as facts_invariant
from renewals.models import SaleFact
from renewals.services import quotes
from renewals.services.cancellations import cancel_order
from renewals.services.conceded import note_all_facts
from renewals.services.customers import merge_customers
from renewals.services.orders import fulfil_order
from tests import world

pytestmark = pytest.mark.django_db


def facts():
    rows = SaleFact.objects.order_by("order_line", "kind")
    return [(each.kind, each.number, each.amount) for each in rows]


def findings():
    return [str(finding) for batch in facts_invariant.check(world.at("2026-07-01")) for finding in batch.findings]


def licence(end="2026-03-31", **fields):
    return world.make_dongle(licences=[("VOL-VIS", end)], **fields)


def sell_approved(dongle, on, **asked):
    """Sold once an administrator has approved what it concedes (Q3)."""
    version = world.draft(dongle, on, discount_reason="Ten dongles", **asked)
    boss = world.make_user("administrator")
    quotes.approve_quote(version=version, actor=Actor.of(boss), at=world.at(on), reason="Worth it")
    return world.accept(quotes.send_quote(version=version, actor=world.SALES, at=world.at(on)), on)


def test_a_renewal_in_time_at_the_list_gives_nothing_away(dongle):
    world.sell(dongle, "2026-02-01")
    assert facts() == []


def test_discounts_are_noted_by_reason_with_who_approved_the_negotiated_one(db):
    world.make_catalogue(multi_year_discount={"2": "0.05"})
    order = sell_approved(licence(), "2026-02-01", renew_years=2, discount=Decimal("0.2"))
    # Each year: 1,200.00 − 5 % = 1,140.00, of which 20 % are 228.00.
    assert facts() == [("multi_year", 1, 6_000), ("negotiated", 1, 22_800)] * 2
    approved = SaleFact.objects.values_list("kind", "approved_by__role").distinct().order_by("kind")
    assert list(approved) == [("multi_year", None), ("negotiated", "administrator")]
    row = SaleFact.objects.first()
    assert (row.month, row.currency, row.country) == (date(2026, 2, 1), "EUR", "DE")
    assert (row.customer_segment, row.product.code, row.order) == ("commercial", "VOL-VIS", order)


def test_free_months_are_noted(catalogue):
    sell_approved(licence(), "2026-02-01", free_months=2)
    assert facts() == [("free_months", 2, 20_000)]  # 1,200.00 ÷ 12 × 2


def test_coming_back_over_a_major_release_notes_the_upgrade_its_sma_and_the_sma_that_was_missed(catalogue):
    world.make_release("7.0", "2026-01-15")
    world.sell(licence("2025-12-31"), "2026-05-20")
    # 1 Jan … 19 May 2026 is 4 + 19/31 months, 139 days: 100.00 × 143/31 = 461.29. Upgrade 2,400.00, of it a year's SMA.
    assert facts() == [("gap_upgraded", 139, 46_129), ("upgrade", 1, 240_000), ("upgrade_sma", 1, 120_000)]


def test_coming_back_with_nothing_missed_notes_back_pay_the_fee_and_the_sma_that_was_missed(db):
    world.make_catalogue(back_pay=True, reinstatement_fee=Decimal("0.1"))
    world.sell(licence("2025-12-31"), "2026-05-20")
    assert facts() == [("back_pay", 1, 46_129), ("reinstatement_fee", 1, 12_000), ("gap", 139, 46_129)]


def test_a_waived_upgrade_is_noted_with_what_it_would_have_cost_beyond_its_sma(catalogue):
    world.make_release("7.0", "2026-01-15")
    sell_approved(licence("2025-12-31"), "2026-05-20", waives_upgrades=True)
    assert facts() == [("gap", 139, 46_129), ("waived_upgrade", 1, 120_000)]
    assert SaleFact.objects.get(kind="waived_upgrade").approved_by.role == "administrator"


def test_free_days_and_honoured_terms_are_noted_when_an_order_comes_late(catalogue):
    version = world.send(licence("2025-12-31"), "2026-05-20")
    world.make_release("7.0", "2026-05-25")
    world.accept(version, "2026-05-30")
    # Quoted 20 May 2026 … 19 May 2027; fulfilled ten days later, all ends ten days later: no day is free.
    assert facts() == [("gap", 149, 49_355), ("honoured", 1, 0)]  # 1 Jan … 29 May: 4 + 29/31 months → 493.55


def test_a_licence_beside_a_lapsed_one_has_its_free_extension_noted(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", "2025-12-31"), ("VOL-QNT", "2027-05-19")])
    world.accept(world.send(dongle, "2026-05-20", align_to=date(2027, 5, 19)), "2026-05-30")
    # VOL-QNT was covered to T: its ten free days from 20 May 2027 are 10/31 of 900.00 ÷ 12 = 24.19.
    assert ("free_days", 10, 2_419) in facts()


def test_a_late_payment_notes_when_the_order_is_fulfilled(catalogue):
    dongle = licence("2025-12-31", customer=world.make_customer(fulfil_on="payment"))
    order = world.sell(dongle, "2026-05-20")
    assert facts() == []
    fulfil_order(order=order, actor=world.SALES, at=world.at("2026-06-02"), paid_on=date(2026, 6, 1))
    assert SaleFact.objects.get().month == date(2026, 6, 1)


def test_an_annulled_order_has_no_facts_and_a_cancelled_one_keeps_them(catalogue):
    first = sell_approved(licence(), "2026-02-01", discount=Decimal("0.2"))
    second = world.sell(world.make_dongle("204233", licences=[("VOL-VIS", "2025-12-31")]), "2026-02-01")
    by = {"actor": world.SALES, "at": world.at("2026-03-01"), "reason": "Sold"}
    cancel_order(order=first, from_on=date(2026, 5, 1), **by)
    cancel_order(order=second, from_on=date(2026, 5, 1), is_mistake=True, **by)
    assert facts() == [("negotiated", 1, 24_000)]


def test_facts_noted_anew_are_the_same(catalogue):
    world.make_release("7.0", "2026-01-15")
    version = world.send(licence("2025-12-31"), "2026-05-20")
    world.accept(version, "2026-05-30")
    sell_approved(world.make_dongle("204233", licences=[("VOL-VIS", "2026-06-30")]), "2026-06-01", free_months=1)
    annulled = world.sell(world.make_dongle("304233", licences=[("VOL-VIS", "2025-12-31")]), "2026-06-01")
    by = {"actor": world.SALES, "at": world.at("2026-06-01"), "reason": "Sold"}
    cancel_order(order=annulled, from_on=date(2026, 6, 1), is_mistake=True, **by)
    before = facts()
    assert note_all_facts() == len(before) > 3
    assert facts() == before


def test_facts_noted_anew_stay_with_who_bought_and_where(catalogue):
    """As revenue does: who moved since, or was merged into another, did not buy there or as that one."""
    bought = world.make_customer("Institute of Cels")
    world.sell(licence("2025-12-31", customer=bought), "2026-02-01")
    merge_customers(kept=world.make_customer(), merged=bought, actor=world.SALES, at=world.at("2026-03-01"))
    Customer.objects.update(country="FR")
    assert note_all_facts() == 1
    assert SaleFact.objects.values_list("customer", "country").get() == (bought.pk, "DE")
    assert findings() == []


def test_an_annulled_order_that_cost_nothing_has_no_facts_when_they_are_noted_anew(catalogue):
    order = sell_approved(licence(), "2026-02-01", discount=Decimal(1))
    assert facts() == [("negotiated", 1, 120_000)]
    by = {"actor": world.SALES, "at": world.at("2026-03-01"), "reason": "By mistake"}
    cancel_order(order=order, from_on=date(2026, 2, 1), is_mistake=True, **by)
    assert note_all_facts() == 0
    assert findings() == []


def test_a_cancelled_order_that_cost_nothing_keeps_its_facts_when_they_are_noted_anew(catalogue):
    order = sell_approved(licence(), "2026-02-01", discount=Decimal(1))
    cancel_order(order=order, from_on=date(2026, 5, 1), reason="Sold", actor=world.SALES, at=world.at("2026-03-01"))
    assert note_all_facts() == 1
    assert facts() == [("negotiated", 1, 120_000)]
    assert findings() == []

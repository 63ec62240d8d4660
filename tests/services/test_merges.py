"""Two spellings of one customer: found, told apart, merged, and taken apart again."""

from datetime import date

import pytest
from django.utils import timezone

from dongles.models import Dongle
from portal import jobs, outbox
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, Customer, Job
from renewals.models import CustomerMerge, Resemblance
from renewals.services import customers
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db


def customer(name, *emails):
    made = Customer.objects.create(name=name, country="DE", currency="EUR")
    Contact.objects.bulk_create(Contact(customer=made, name="Ada", email=email) for email in emails)
    return made


def look():
    job = jobs.start_job_unless_open(
        kind="double_customers", title="Look", unit="customer", actor=world.SALES, at=timezone.now()
    )
    while outbox.drain():
        pass
    job.refresh_from_db()
    assert job.state == "done", job.refusal
    return job


def pairs():
    return [(each.one.name, each.other.name, each.likeness) for each in Resemblance.objects.order_by("pk")]


def merge(kept, merged, actor=world.SALES):
    return customers.merge_customers(kept=kept, merged=merged, actor=actor, at=timezone.now())


def undo(merge, actor=world.SALES):
    return customers.undo_merge(merge=merge, actor=actor, at=timezone.now())


def refused(code, call, *args):
    with pytest.raises(DomainError) as refusal:
        call(*args)
    assert refusal.value.code == code
    return refusal.value


def test_names_that_differ_in_legal_form_or_by_a_slip_are_found_and_numbered_ones_are_not():
    for name in (
        "Lindenfeld Bioimaging GmbH",
        "Brackwater Microscopy Ltd",
        "LINDENFELD BIOIMAGING",
        "Brackwater Microsocpy Ltd",
        "Laboratory for Cells 12",
        "Laboratory for Cells 13",
        "Duinrand Diagnostics BV",
    ):
        customer(name)
    job = look()
    found = pairs()
    assert found[0] == ("Lindenfeld Bioimaging GmbH", "LINDENFELD BIOIMAGING", 100)
    assert [pair[:2] for pair in found[1:]] == [("Brackwater Microscopy Ltd", "Brackwater Microsocpy Ltd")]
    assert 90 <= found[1][2] < 100
    assert (job.done, job.total, job.result) == (7, 7, {"found": 2})


def test_every_slice_is_looked_through_and_a_second_look_finds_nothing_new():
    Customer.objects.bulk_create(
        Customer(name=f"Hospital {word} {word[::-1]}", country="DE", currency="EUR")
        for word in (f"{a}{b}{c}" for a in "bcdfghj" for b in "aeiou" for c in "klmnpqrst")
    )
    customer("Zeta Imaging AG")
    customer("Zeta Imaging SA")
    assert Customer.objects.count() > customers.CUSTOMERS_A_SLICE
    assert ("Zeta Imaging AG", "Zeta Imaging SA", 100) in pairs() or look()
    known = pairs()
    assert ("Zeta Imaging AG", "Zeta Imaging SA", 100) in known
    look()
    assert pairs() == known


def test_one_look_at_a_time_is_enough():
    asked = {"kind": "double_customers", "title": "Look", "actor": world.SALES, "at": timezone.now()}
    first = jobs.start_job_unless_open(**asked)
    assert jobs.start_job_unless_open(**asked) == first
    assert Job.objects.count() == 1


def test_those_told_apart_are_not_shown_again():
    customer("Zeta Imaging AG")
    customer("Zeta Imaging SA")
    look()
    pair = Resemblance.objects.get()
    customers.dismiss_resemblance(resemblance=pair, actor=world.SALES, at=timezone.now())
    customers.dismiss_resemblance(resemblance=pair, actor=world.SALES, at=timezone.now())
    look()
    assert Resemblance.objects.get().dismissed_at is not None
    assert AuditEvent.objects.filter(action="tell_apart").count() == 2


@pytest.fixture
def two(catalogue):
    """One customer twice: each with a dongle that was sold to, and a contact of their own beside one that both have."""
    kept = customer("Zeta Imaging AG", "ada@zeta.example")
    merged = customer("Zeta Imaging", "ADA@zeta.example", "ben@zeta.example")
    for serial, owner in (("111", kept), ("222", merged)):
        world.sell(world.make_dongle(serial, owner), "2026-02-01")
    return kept, merged


def owner_names():
    return dict(Dongle.objects.values_list("serial", "customer__name"))


def test_merging_moves_dongles_quotes_orders_and_new_contacts(two):
    kept, merged = two
    done = merge(kept, merged)
    assert owner_names() == {"111": "Zeta Imaging AG", "222": "Zeta Imaging AG"}
    assert (kept.quotes.count(), kept.orders.count()) == (2, 2)
    assert sorted(kept.contacts.values_list("email", flat=True)) == ["ada@zeta.example", "ben@zeta.example"]
    assert list(merged.contacts.values_list("email", flat=True)) == ["ADA@zeta.example"]
    merged.refresh_from_db()
    assert merged.merged_into == kept
    assert {kind: len(ids) for kind, ids in done.moved.items()} == {
        "quotes": 1, "dongles": 1, "orders": 1, "users": 0, "contacts": 1,
    }  # fmt: skip
    told = AuditEvent.objects.filter(action__in=["merge", "merge_into", "change_owner"]).order_by("pk")
    assert [event.action for event in told] == ["merge", "merge_into", "change_owner"]
    assert told[2].before == {"customer": "Zeta Imaging"}
    assert told[2].after == {"customer": "Zeta Imaging AG"}


def test_a_quote_sent_before_is_accepted_after(two):
    kept, merged = two
    sent = world.send(world.make_dongle("333", merged), "2026-02-01")
    merge(kept, merged)
    order = world.accept(sent, "2026-02-02")
    assert (order.state, order.customer) == ("fulfilled", kept)


def test_undone_everything_is_as_it_was(two):
    kept, merged = two
    before = (owner_names(), kept.orders.count(), merged.orders.count(), merged.contacts.count())
    done = merge(kept, merged)
    undo(done)
    undo(done)  # twice is once
    assert (owner_names(), kept.orders.count(), merged.orders.count(), merged.contacts.count()) == before
    merged.refresh_from_db()
    assert merged.merged_into is None
    assert AuditEvent.objects.filter(action="undo_merge").count() == 2
    merge(kept, merged)  # and once more, after second thoughts
    assert set(owner_names().values()) == {"Zeta Imaging AG"}


def test_what_was_quoted_or_sold_since_can_not_be_taken_apart(two):
    kept, merged = two
    sent = world.send(world.make_dongle("333", merged), "2026-02-01")
    done = merge(kept, merged)
    world.accept(sent, "2026-02-02")
    refused("merge_built_upon", undo, done)
    assert set(owner_names().values()) == {"Zeta Imaging AG"}
    assert CustomerMerge.objects.get().undone_at is None


def test_a_dongle_quoted_since_keeps_the_two_together(two):
    done = merge(*two)
    world.draft(Dongle.objects.get(serial="222"), "2026-02-03", renew_years=1)
    refused("merge_built_upon", undo, done)


def test_a_quote_for_the_kept_ones_own_dongle_does_not(two):
    done = merge(*two)
    world.draft(Dongle.objects.get(serial="111"), "2026-02-03", renew_years=1)
    undo(done)
    assert owner_names()["222"] == "Zeta Imaging"


def test_a_customer_is_not_merged_with_itself_nor_twice(two):
    kept, merged = two
    refused("merge_with_itself", merge, kept, kept)
    merge(kept, merged)
    refused("merged_already", merge, customer("Third"), merged)
    refused("merged_already", merge, merged, customer("Fourth"))
    assert CustomerMerge.objects.count() == 1


def test_finance_merges_nobody(two):
    finance = Actor.of(world.make_user("finance"))
    refused("not_allowed", lambda: merge(*two, actor=finance))
    assert owner_names()["222"] == "Zeta Imaging"


def test_contacts_without_an_address_get_no_mail_and_may_be_many(catalogue):
    owner = customer("Zeta", "ada@zeta.example", "", "")
    Contact.objects.create(customer=owner, name="Gone", email="gone@zeta.example", left_on=date(2026, 1, 1))
    assert [contact.email for contact in owner.reachable_contacts()] == ["ada@zeta.example"]
    sent = world.send(world.make_dongle("111", owner), "2026-02-01")
    assert sent.state == "sent"


@pytest.mark.django_db(transaction=True)
def test_both_ways_at_once_merge_once(transactional_db):
    one, other = customer("Zeta AG"), customer("Zeta SA")
    results = at_once([lambda: merge(one, other), lambda: merge(other, one)])
    assert sorted(type(result).__name__ for result in results) == ["CustomerMerge", "DomainError"]
    assert Customer.objects.filter(merged_into__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_each_ends_in_the_other(transactional_db):
    one, other = customer("Zeta AG"), customer("Zeta SA")
    at_once([lambda: merge(one, other), lambda: merge(other, one)], locked=False)
    assert Customer.objects.filter(merged_into__isnull=False).count() == 2

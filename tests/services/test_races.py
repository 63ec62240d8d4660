"""Many at once, on PostgreSQL: one order, one set of periods, one code. Each race has a control without row locks."""

from datetime import date
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from dongles.models import Dongle, Replacement, SmaPeriod, UnlockCode
from portal import outbox
from portal.errors import DomainError
from portal.models import OutboxMessage, SentMail
from renewals.models import (
    DueDongle,
    DueFigures,
    Order,
    OrderLine,
    OutdatedRenewal,
    Quote,
    RenewalRequest,
    RevenueSegment,
)
from renewals.services import answers, quotes, requests
from renewals.services.credits import credit_line
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.replacements import replace_dongle
from tests import world
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20
WANTED = {"renew_years": 1, "added": []}


@pytest.fixture
def dongle(transactional_db):
    world.make_catalogue()
    return world.make_dongle()


def test_twenty_acceptances_of_a_quote_give_one_order_one_set_of_periods_one_code_q2(dongle):
    version = world.send(dongle, "2026-02-01")
    results = at_once([lambda: world.accept(version, "2026-02-01")] * THREADS)
    assert {type(result) for result in results} == {Order}, results
    assert len({result.pk for result in results}) == 1
    assert SmaPeriod.objects.filter(source="order").count() == 2
    assert UnlockCode.objects.count() == 1
    assert RevenueSegment.objects.count() == 2


def test_without_the_lock_twenty_acceptances_do_not_end_well(dongle):
    version = world.send(dongle, "2026-02-01")
    results = at_once([lambda: world.accept(version, "2026-02-01")] * THREADS, locked=False)
    assert any(not isinstance(result, Order) for result in results)


def test_two_quotes_for_a_dongle_accepted_at_once_sell_once_q1(dongle):
    versions = [world.send(dongle, "2026-02-01") for _ in range(2)]
    results = at_once([lambda v=version: world.accept(v, "2026-02-01") for version in versions])
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "Order"]
    assert [result.code for result in results if isinstance(result, DomainError)] == ["dongle_changed"]
    assert UnlockCode.objects.count() == 1


def test_a_quote_accepted_and_revised_at_once_ends_in_one_of_two_ways_q2(dongle):
    sent = world.send(dongle, "2026-02-01")
    newer = world.draft(dongle, "2026-02-01", renew_years=2, revises=sent.quote)
    accepted, revised = at_once(
        [
            lambda: world.accept(sent, "2026-02-01"),
            lambda: quotes.send_quote(version=newer, actor=world.SALES, at=world.at("2026-02-01")),
        ]
    )
    sent.refresh_from_db()
    if isinstance(accepted, Order):
        assert isinstance(revised, DomainError)
        assert revised.code == "quote_accepted"
        assert sent.state == "accepted"
    else:
        assert accepted.code == "quote_superseded"
        assert not isinstance(revised, Exception)
        assert not Order.objects.exists()


def test_two_revisions_at_once_get_two_numbers(dongle):
    first = world.draft(dongle, "2026-02-01")
    results = at_once([lambda: world.draft(dongle, "2026-02-01", revises=first.quote)] * 4)
    assert sorted(version.number for version in results) == [2, 3, 4, 5]
    assert first.quote.versions.filter(state="draft").count() == 1


def crediting(dongle):
    """Two concessions at once on a line of 1,200.00, which together exceed it; what came of each, and what is left."""
    world.sell(dongle, "2026-02-01")
    line = OrderLine.objects.get(licence__product__code="VOL-VIS")
    credit = partial(credit_line, order_line=line, reason="Slow", actor=world.SALES, at=world.at("2026-02-02"))

    def of(*, locked):
        results = at_once([partial(credit, amount=70_000), partial(credit, amount=80_000)], locked=locked)
        return results, sum(row.amount for row in line.segments.all())

    return of


def test_two_concessions_at_once_that_exceed_the_net_together_are_given_once_f4(dongle):
    results, left = crediting(dongle)(locked=True)
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "list"], results
    assert [result.code for result in results if isinstance(result, DomainError)] == ["credit_above_net"]
    assert left in (50_000, 40_000)


def test_without_the_lock_two_concessions_give_back_more_than_was_sold(dongle):
    results, left = crediting(dongle)(locked=False)
    assert [type(result).__name__ for result in results] == ["list", "list"], results
    assert left == -30_000


def replacing(dongle, serial):
    return lambda: replace_dongle(
        dongle=dongle, serial=serial, cause="broken", reason="Bent", actor=world.SALES, at=world.at("2026-02-01")
    )


def test_two_replacements_of_a_dongle_at_once_move_its_licences_once_q8(dongle):
    results = at_once([replacing(dongle, "109001"), replacing(dongle, "109002")])
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "Replacement"], results
    assert [result.code for result in results if isinstance(result, DomainError)] == ["dongle_not_active"]
    assert Replacement.objects.count() == UnlockCode.objects.count() == 1
    assert Dongle.objects.count() == 2


def test_without_the_lock_the_second_replacement_is_not_told_that_the_dongle_is_retired(dongle):
    results = at_once([replacing(dongle, "109001"), replacing(dongle, "109002")], locked=False)
    assert [getattr(result, "code", "") for result in results if isinstance(result, Exception)] != ["dongle_not_active"]


def test_two_dongles_replaced_by_the_same_new_one_at_once_leave_one_of_them_as_it_was_q8(dongle):
    other = world.make_dongle("104234", customer=dongle.customer)
    results = at_once([replacing(dongle, "109001"), replacing(other, "109001")])
    assert sorted(type(result).__name__ for result in results) == ["DomainError", "Replacement"], results
    assert [result.code for result in results if isinstance(result, DomainError)] == ["serial_taken"]
    assert sorted(Dongle.objects.values_list("state", flat=True)) == ["active", "active", "retired"]


def accepted_and_replaced(dongle, serial="109001", *, locked: bool) -> tuple[object, object, list[date]]:
    """What comes of a quote accepted and its dongle replaced at once; and what date the new dongle's code states."""
    version = world.send(dongle, "2026-02-01")
    calls = [lambda: world.accept(version, "2026-02-01"), replacing(dongle, serial)]
    accepted, replaced = at_once(calls, locked=locked)
    stated = UnlockCode.objects.filter(dongle__serial=serial).values_list("expiry_on", flat=True)
    return accepted, replaced, list(stated)


def test_a_dongle_replaced_and_its_quote_accepted_at_once_end_in_one_of_two_ways_q1_q8(dongle):
    accepted, replaced, stated = accepted_and_replaced(dongle, locked=True)
    assert isinstance(replaced, Replacement), replaced
    if isinstance(accepted, Order):  # first: what it bought went over
        assert stated == [date(2027, 3, 31)]
    else:  # second: it is quoted anew
        assert (accepted.code, stated) == ("dongle_changed", [date(2026, 3, 31)])
    assert Dongle.objects.get(pk=dongle.pk).state == "retired"


def test_without_the_lock_what_was_bought_misses_the_new_dongle_or_one_of_them_crashes(dongle):
    def ends_badly(number):
        theirs = world.make_dongle(f"30000{number}", customer=dongle.customer)
        accepted, replaced, stated = accepted_and_replaced(theirs, f"10900{number}", locked=False)
        is_sold_and_lost = isinstance(accepted, Order) and stated == [date(2026, 3, 31)]
        return (
            is_sold_and_lost or not isinstance(accepted, Order | DomainError) or not isinstance(replaced, Replacement)
        )

    assert any(map(ends_badly, range(10))), "of ten pairs some meet in the middle, whoever is faster"


def test_requests_for_the_same_at_the_same_moment_lead_to_one_quote_q5(dongle):
    email = dongle.customer.contacts.get().email
    asked = [
        requests.ask_for_quote(
            serials=["104233"], name="Ada", email=email, wanted=WANTED, actor=answers.PORTAL, at=world.at("2026-02-01")
        )
        for _ in range(4)
    ]
    answer = partial(answers.answer_at_once, actor=answers.PORTAL, at=world.at("2026-02-01"))
    found = at_once([partial(answer, request=each) for each in asked])
    assert [each.looked_up_at for each in found] == [world.at("2026-02-01")] * 4
    assert Quote.objects.count() == 1
    assert set(RenewalRequest.objects.values_list("state", "quote")) == {("answered", Quote.objects.get().pk)}


def test_two_workers_with_the_same_message_of_a_request_make_one_quote_and_one_mail_q5(dongle):
    email = dongle.customer.contacts.get().email
    requests.ask_for_quote(
        serials=["104233"], name="Ada", email=email, wanted=WANTED, actor=answers.PORTAL, at=timezone.now()
    )
    message = OutboxMessage.objects.get()
    assert sorted(map(str, at_once([partial(outbox.deliver, message.pk)] * 4))) == ["False"] * 3 + ["True"]
    assert outbox.drain() == 1
    assert (Quote.objects.count(), SentMail.objects.count()) == (1, 1)


def test_figures_of_renewals_worked_out_by_many_are_counted_once_and_a_death_leaves_the_queue_as_it_was():
    world.make_catalogue()
    owner = world.make_customer()
    for n in range(6):
        world.sell(world.make_dongle(f"100{n}", owner, [("VOL-VIS", "2026-03-31")]), "2026-03-01")
    waiting = OutdatedRenewal.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        update_renewal_figures()
        assert at_once([partial(update_renewal_figures, waits=False)]) == [0]  # somebody else is at it
        _ = 1 // 0  # whoever was at it dies before the commit
    assert (OutdatedRenewal.objects.count(), DueDongle.objects.count()) == (waiting, 0)
    done = at_once([partial(update_renewal_figures, batch=3)] * 4)
    assert sum(done) == waiting
    found = DueFigures.objects.filter(family=None, product=None, month=date(2026, 3, 1))
    assert list(found.values_list("due", "renewed")) == [(6, 6)]
    assert not OutdatedRenewal.objects.exists()

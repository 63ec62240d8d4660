"""Renewal campaigns: one draft a customer for what is due and nobody has quoted, whatever is in the way, never twice.

VOL-VIS costs 1,200.00 a year, VOL-QNT 900.00, OPL-FUL 1,500.00; tax is 19 %.
"""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dongles.models import Dongle, Licence, Product, SmaPeriod
from portal import jobs, outbox
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, OutboxMessage
from renewals import tasks
from renewals.models import Campaign, CampaignItem, PriceListEntry, Quote, QuoteDongle, QuoteVersion
from renewals.overviews.due import Window, due_figures
from renewals.services import campaigns, quotes, sending
from tests import world
from tests.jobs.workers import work_off
from tests.outbox.conftest import PROJECT, database_url, kill_group, wait_until
from tests.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def customer(catalogue):
    return world.make_customer()


def ending(serial, customer, day, *products, **fields):
    """A dongle whose licences (VOL-VIS unless named) end on that day."""
    return world.make_dongle(serial, customer, [(code, str(day)) for code in products or ("VOL-VIS",)], **fields)


def start(today, first=0, last=90, actor=world.SALES, renew_years=1, **narrowed):
    """A campaign for SMAs that end so many days from today."""
    window = Window(today + timedelta(days=first), today + timedelta(days=last), **narrowed)
    return campaigns.start_campaign(window=window, renew_years=renew_years, actor=actor, at=timezone.now())


def run(today, *args, **fields):
    campaign = start(today, *args, **fields)
    work_off()
    campaign.refresh_from_db()
    assert campaign.job.state == "done"
    return campaign


def outcomes(campaign):
    items = campaign.items.order_by("dongle__serial")
    return list(items.values_list("dongle__serial", "outcome", "refusal_code"))


def quoted():
    """The serials in each draft."""
    versions = QuoteVersion.objects.filter(state="draft").order_by("pk")
    return [sorted(version.dongles.values_list("dongle__serial", flat=True)) for version in versions]


def test_each_customer_gets_one_draft_of_all_its_dongles_that_are_due(customer, today):
    other = world.make_customer("Other")
    ending("A1", customer, today + timedelta(days=5), "VOL-VIS", "VOL-QNT")
    ending("B1", other, today + timedelta(days=9), "OPL-FUL")
    ending("A2", customer, today + timedelta(days=80))
    seller = world.make_user()
    campaign = run(today, actor=Actor.of(seller))
    assert quoted() == [["A1", "A2"], ["B1"]]
    first, second = QuoteVersion.objects.order_by("pk")
    assert (first.net, second.net) == (330_000, 150_000)  # 1,200 + 900 + 1,200; 1,500
    assert {first.quote.campaign, second.quote.campaign} == {campaign}
    assert (first.drafted_by, first.needs_approval, first.priced_on) == (seller, False, today)
    event = AuditEvent.objects.get(subject_kind="quoteversion", subject_id=first.pk)
    assert (event.action, event.actor, event.actor_name) == ("draft", seller, "Renewal campaign")
    assert (campaign.job.done, campaign.job.total, campaign.had_quote) == (3, 3, 0)


def test_a_draft_of_a_campaign_is_the_one_that_a_person_would_make(customer, today):
    dongle = ending("A1", customer, today + timedelta(days=5), "VOL-VIS", "VOL-QNT")
    by_hand = world.draft(dongle, today, renew_years=2)
    Quote.objects.get()
    QuoteVersion.objects.update(state="superseded")
    run(today, renew_years=2)
    made = QuoteVersion.objects.get(state="draft")
    own = {"id", "quote_id", "quote", "state", "drafted_by_id", "_state", "_prefetched_objects_cache"}

    def facts(version):
        rows = [{**vars(each), "version_id": 0} for each in version.dongles.all()]
        lines = [{**vars(line), "quoted_id": 0} for each in version.dongles.all() for line in each.lines.all()]
        return [{key: value for key, value in row.items() if key not in own} for row in [vars(version), *rows, *lines]]

    made, by_hand = QuoteVersion.objects.get(pk=made.pk), QuoteVersion.objects.get(pk=by_hand.pk)
    assert facts(made) == facts(by_hand)


@pytest.mark.parametrize(("days", "is_due"), [(-1, False), (9, False), (10, True), (20, True), (21, False)])
def test_the_window_has_both_its_days(customer, today, days, is_due):
    ending("A1", customer, today + timedelta(days=days))
    run(today, 10, 20)
    assert quoted() == ([["A1"]] if is_due else [])


@pytest.mark.parametrize(("grace_days", "is_due"), [(0, False), (2, False), (3, True)])
def test_within_the_days_of_grace_it_has_not_lapsed_c4(db, today, grace_days, is_due):
    world.make_catalogue(grace_days=grace_days)
    ending("A1", world.make_customer(), today - timedelta(days=3))
    run(today, -30)
    assert quoted() == ([["A1"]] if is_due else [])


def test_those_that_lapsed_are_drafted_for_where_they_are_asked_for(customer, today):
    ending("A1", customer, today - timedelta(days=40))
    ending("A2", customer, today - timedelta(days=401))
    run(today, -400, 90)
    assert quoted() == []
    run(today, -400, 90, includes_lapsed=True)
    assert quoted() == [["A1"]]


def test_what_is_not_sold_to_is_not_due(customer, today):
    soon = today + timedelta(days=5)
    ending("LOST", customer, soon, state=Dongle.State.LOST)
    world.make_dongle("EMPTY", customer, [])
    nobodys = ending("ORPHAN", customer, soon)
    nobodys.customer = None
    nobodys.save()
    bridged = ending("BRIDGED", customer, today + timedelta(days=200))
    bridged.issued_expiry_on = soon  # whatever the code says, the SMA ends when it ends
    bridged.save()
    withdrawn = ending("LATER", customer, soon, "VOL-VIS", "VOL-QNT")
    late = withdrawn.licences.get(product__code="VOL-QNT")
    SmaPeriod.objects.filter(licence=late).update(ends_on=today + timedelta(days=300))
    campaign = run(today)
    assert campaign.items.count() == 0
    late.withdrawn_on, late.withdrawal_reason = today, "Not used"
    late.save()
    run(today)
    assert quoted() == [["LATER"]]


def test_a_campaign_can_be_narrowed(customer, today):
    seller = world.make_user()
    theirs = world.make_customer("Theirs", owner=seller, country="FR")
    soon = today + timedelta(days=5)
    ending("A1", customer, soon)
    ending("B1", theirs, soon, "OPL-FUL")
    openlab = Product.objects.get(code="OPL-FUL").family_id
    for narrowed in ({"owner": seller.pk}, {"country": "FR"}, {"family": openlab}):
        assert [each.to_quote for each in due_figures(Window(today, soon, **narrowed), today)] == [1]
    run(today, currency="GBP")
    assert quoted() == []
    run(today, owner=seller.pk, country="FR", family=openlab, currency="EUR")
    assert quoted() == [["B1"]]


class TestNeverTwice:
    def test_a_second_campaign_drafts_nothing(self, customer, today):
        ending("A1", customer, today + timedelta(days=5))
        run(today)
        again = run(today)
        assert (again.job.total, again.had_quote) == (0, 1)
        assert quoted() == [["A1"]]

    def test_what_a_quote_asks_for_is_left_alone_as_long_as_that_is_open(self, customer, today):
        soon, pays_first = today + timedelta(days=5), world.make_customer("Pays first", fulfil_on="payment")
        world.draft(ending("DRAFT", customer, soon), today - timedelta(days=60))
        world.send(ending("SENT", customer, soon), today - timedelta(days=30))
        world.send(ending("EXPIRED", customer, soon), today - timedelta(days=31))
        declined = world.send(ending("DECLINED", customer, soon), today)
        quotes.decline_quote(version=declined, actor=world.SALES, at=timezone.now(), reason="No budget")
        world.sell(ending("WAITS", pays_first, soon), today)
        before = quoted()
        campaign = run(today)
        assert campaign.had_quote == 3
        assert [each for each in quoted() if each not in before] == [["DECLINED", "EXPIRED"]]

    def test_what_somebody_does_after_it_began_is_passed_over(self, customer, today):
        soon = today + timedelta(days=5)
        a1, a2, a3 = (ending(serial, customer, soon) for serial in ("A1", "A2", "A3"))
        sold, kept = ending("A4", customer, soon), ending("A5", customer, soon)
        campaign = start(today)
        outbox.drain()  # notes what is due
        world.draft(a1, today)
        a2.state = Dongle.State.RETIRED
        a2.save()
        a3.customer = world.make_customer("Buyer")
        a3.save()
        world.sell(sold, today)
        work_off()
        assert outcomes(campaign) == [
            ("A1", "passed_over", ""),
            ("A2", "passed_over", ""),
            ("A3", "passed_over", ""),
            ("A4", "passed_over", ""),
            (kept.serial, "drafted", ""),
        ]
        assert QuoteDongle.objects.filter(version__quote__campaign=campaign).count() == 1

    def test_stopped_and_resumed_it_goes_on_where_it_was(self, catalogue, today):
        crowds = [crowd(name, today, campaigns.SLICE - 1) for name in "ABC"]
        campaign = start(today)
        outbox.drain()  # notes what is due
        outbox.drain()
        assert quoted() == crowds[:2], "all of the customer whose dongle fills the slice"
        jobs.cancel_job(job=campaign.job, actor=world.SALES, at=timezone.now())
        work_off()
        assert quoted() == crowds[:2]
        campaign.job.refresh_from_db()
        jobs.resume_job(job=campaign.job, actor=world.SALES, at=timezone.now())
        work_off()
        assert quoted() == crowds


def crowd(name, today, size):
    """A customer with so many dongles that are due, written at once; their serials."""
    owner, product = world.make_customer(name), Product.objects.get(code="VOL-VIS")
    dongles = Dongle.objects.bulk_create(Dongle(serial=f"{name}{n:04}", customer=owner) for n in range(size))
    licences = Licence.objects.bulk_create(
        Licence(dongle=dongle, product=product, acquired_on=world.DAY_ONE) for dongle in dongles
    )
    SmaPeriod.objects.bulk_create(
        SmaPeriod(licence=each, starts_on=world.DAY_ONE, ends_on=today + timedelta(days=5), source="record")
        for each in licences
    )
    return [dongle.serial for dongle in dongles]


def test_what_cant_be_priced_is_left_out_with_its_refusal_and_the_rest_goes_on(customer, today):
    soon = today + timedelta(days=5)
    ending("GOOD", customer, soon)
    ending("NEW", customer, soon, "VOL-NEW")  # not on the price list
    abroad = world.make_customer("Abroad", currency="CHF")
    ending("CHF", abroad, soon)
    many = [("VOL-VIS", str(soon))]
    for number in range(61):
        Product.objects.create(
            number=1000 + number, code=f"P{number}", name=f"P{number}", family=Product.objects.first().family
        )
        many.append((f"P{number}", str(soon)))
    world.make_dongle("MANY", customer, many)
    campaign = run(today)
    assert outcomes(campaign) == [
        ("CHF", "left_out", "no_price_list"),
        ("GOOD", "drafted", ""),
        ("MANY", "left_out", "too_many_products"),
        ("NEW", "left_out", "no_price"),
    ]
    assert quoted() == [["GOOD"]]
    assert "There is no price list in CHF" in campaign.items.get(dongle__serial="CHF").refusal

    entry = PriceListEntry.objects.get(product__code="VOL-VIS")
    assert entry.price_list.entries.count() == 3
    assert run(today).items.count() == 3, "what was left out is tried again by the next"


def test_terms_that_cant_be_are_refused_and_nothing_begins(customer, today):
    for fields, code in (
        ({"first": 5, "last": 4}, "window_ends_early"),
        ({"renew_years": 0}, "years_out_of_range"),
        ({"renew_years": 6}, "years_out_of_range"),
        ({"actor": Actor("Fin", None, "finance")}, "not_allowed"),
    ):
        with pytest.raises(DomainError) as refusal:
            start(today, **fields)
        assert refusal.value.code == code
    assert not Campaign.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_slice_takes_as_many_statements_for_many_as_for_one(customer, today):
    def statements(customers, dongles):
        campaign = None
        for number in range(customers):
            owner = world.make_customer(f"{customers} {number}", country=("DE", "FR")[number % 2])
            for each in range(dongles):
                ending(f"S{customers}N{number}D{each}", owner, today + timedelta(days=5), "VOL-VIS", "VOL-QNT")
        campaign = start(today)
        outbox.drain()
        actor = campaigns.actor_of(campaign)
        with CaptureQueriesContext(connection) as queries:
            assert campaigns.draft_next(campaign=campaign, actor=actor, at=timezone.now()) == customers * dongles
        work_off()
        return len(queries)

    assert statements(20, 3) == statements(1, 1)


class TestRaces:
    """Two that would draft for the same dongles at the same moment, each with a connection of its own."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def two(self, transactional_db, today):
        world.make_catalogue()
        for number in range(5):
            owner = world.make_customer(f"Customer {number}")
            for each in range(2):
                ending(f"N{number}D{each}", owner, today + timedelta(days=5 + number))
        both = [start(today, 0, 90), start(today, 2, 60)]
        outbox.drain()
        return both

    def draft(self, campaign):
        actor = campaigns.actor_of(campaign)
        while campaigns.draft_next(campaign=campaign, actor=actor, at=timezone.now()):
            pass

    def test_campaigns_with_the_same_dongles_draft_for_each_once(self, two):
        results = at_once([lambda each=each: self.draft(each) for each in two])
        assert results == [None, None]
        serials = list(QuoteDongle.objects.values_list("dongle__serial", flat=True))
        assert len(serials) == 10
        assert len(set(serials)) == 10
        assert not CampaignItem.objects.filter(outcome="waiting").exists()

    def test_without_the_lock_they_draft_twice(self, two):
        """The control."""
        assert at_once([lambda each=each: self.draft(each) for each in two], locked=False) == [None, None]
        assert QuoteDongle.objects.count() > 10

    def test_who_drafts_by_hand_at_that_moment_is_waited_for(self, transactional_db, today):
        world.make_catalogue()
        dongle = ending("A1", world.make_customer(), today + timedelta(days=5))
        campaign = start(today)
        outbox.drain()
        drafted, may_commit = threading.Event(), threading.Event()

        def by_hand():
            with transaction.atomic():
                world.draft(dongle, today)
                drafted.set()
                assert may_commit.wait(10)

        def by_campaign():
            assert drafted.wait(10)
            threading.Timer(0.5, may_commit.set).start()
            self.draft(campaign)
            return may_commit.is_set()

        _, has_waited = at_once([by_hand, by_campaign])
        assert has_waited is True
        assert QuoteDongle.objects.count() == 1
        assert outcomes(campaign) == [("A1", "passed_over", "")]


class TestKilled:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def start_worker(self, tmp_path):
        started = []
        program = (
            "import django; django.setup()\n"
            "from django.conf import settings\n"
            "settings.OUTBOX_DISPATCH = 'none'\n"
            "from tests.jobs.workers import work_off; work_off()"
        )
        surroundings = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database_url(),
            "PORTAL_LOCAL_DIR": str(tmp_path),
        }

        def start_one():
            command = [sys.executable, "-c", program]
            started.append(subprocess.Popen(command, cwd=PROJECT, env=surroundings, start_new_session=True))
            return started[-1]

        yield start_one
        for process in started:
            kill_group(process)

    def test_in_the_middle_of_a_slice_it_leaves_nothing_half_done_and_another_goes_on(
        self, transactional_db, start_worker, today
    ):
        world.make_catalogue()
        crowds = [crowd(name, today, campaigns.SLICE) for name in "AB"]
        campaign = start(today)
        outbox.drain()  # notes what is due
        with transaction.atomic():
            # Somebody has a dongle of the second slice in hand, which waits for it.
            Dongle.objects.select_for_update().get(serial=crowds[1][0])
            worker = start_worker()
            wait_until(somebody_waits)
            kill_group(worker)
        assert quoted() == crowds[:1]
        assert campaign.items.filter(outcome="waiting").count() == campaigns.SLICE
        campaign.job.refresh_from_db()
        assert (campaign.job.done, campaign.job.is_open) == (campaigns.SLICE, True)

        def is_done():
            assert start_worker().wait(60) == 0
            campaign.job.refresh_from_db()
            return campaign.job.state == "done"

        wait_until(is_done, 60)
        assert quoted() == crowds


def somebody_waits():
    """Whether a connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0]


class TestSending:
    @pytest.fixture
    def campaign(self, customer, today):
        for number, name in enumerate(("Cells", "Nobody on file", "Late")):
            ending(f"A{number}", world.make_customer(name), today + timedelta(days=5))
        Contact.objects.filter(customer__name="Nobody on file").delete()
        return run(today)

    def send(self, campaign):
        job = sending.start_sending(campaign=campaign, actor=world.SALES, at=timezone.now())
        while tasks_left():
            outbox.drain()
        job.refresh_from_db()
        assert job.state == "done"
        return job

    def test_all_drafts_go_out_and_what_cant_is_told(self, campaign):
        job = self.send(campaign)
        assert (job.done, job.result["sent"], job.result["not_sent"]) == (3, 2, 1)
        ((_, number, version, why),) = job.result["refused"]
        assert (number, version) == (QuoteVersion.objects.get(state="draft").quote.number, 1)
        assert why == "Nobody on file has no contact with an e-mail address on file."
        assert sorted(QuoteVersion.objects.values_list("state", flat=True)) == ["draft", "sent", "sent"]
        assert OutboxMessage.objects.filter(kind="quote_sent").count() == 2

    def test_what_was_priced_on_an_earlier_day_is_priced_again(self, customer, today):
        dongle = ending("A1", customer, today + timedelta(days=5))
        yesterday = world.at(today - timedelta(days=1))
        window = Window(today, today + timedelta(days=9))
        campaign = campaigns.start_campaign(window=window, renew_years=2, actor=world.SALES, at=yesterday)
        campaigns.note_due(campaign=campaign, at=yesterday)
        campaigns.draft_next(campaign=campaign, actor=world.SALES, at=yesterday)
        campaign.job.state = "done"
        campaign.job.save()
        OutboxMessage.objects.all().update(done_at=timezone.now())
        self.send(campaign)
        states = QuoteVersion.objects.order_by("number").values_list("number", "state", "priced_on")
        assert list(states) == [
            (1, "superseded", today - timedelta(days=1)),
            (2, "sent", today),
        ]
        assert QuoteDongle.objects.get(version__state="sent").renew_years == 2
        assert dongle.quoted.count() == 2

    def test_it_waits_for_the_campaign_and_wants_drafts(self, customer, today):
        ending("A1", customer, today + timedelta(days=5))
        campaign = start(today)
        for code in ("campaign_running", "no_drafts"):
            with pytest.raises(DomainError) as refusal:
                sending.start_sending(campaign=campaign, actor=world.SALES, at=timezone.now())
            assert refusal.value.code == code
            jobs.cancel_job(job=campaign.job, actor=world.SALES, at=timezone.now())
            campaign.job.refresh_from_db()


def tasks_left():
    return OutboxMessage.objects.filter(kind="job", done_at__isnull=True).exists()


class TestSchedule:
    def keep(self, day, **fields):
        fields = {"is_on": True, "day_of_month": 5, "days_ahead": 60, "renew_years": 2, "actor": world.SALES, **fields}
        return campaigns.keep_schedule(**fields, at=world.at(day))

    def begin(self, day):
        return campaigns.begin_scheduled_campaign(at=world.at(day))

    def test_one_begins_on_its_day_and_no_second_one(self, catalogue):
        self.keep("2026-02-05")
        assert self.begin("2026-02-05") is None, "it holds from the next day on"
        assert self.begin("2026-03-04") is None
        campaign = self.begin("2026-03-05")
        assert (str(campaign.starts_on), str(campaign.ends_on)) == ("2026-03-05", "2026-05-04")
        assert campaign.renew_years == 2
        assert self.begin("2026-03-05") is None
        assert self.begin("2026-03-20") is None
        assert self.begin("2026-04-07").scheduled_on.isoformat() == "2026-04-05", "made up for two days later"

    def test_none_begins_unless_somebody_says_so(self, catalogue):
        tasks.begin_scheduled_campaign()
        self.keep("2026-02-05")
        self.keep("2026-02-06", is_on=False)
        assert self.begin("2026-03-05") is None
        assert not Campaign.objects.exists()
        changes = AuditEvent.objects.filter(action="schedule").order_by("pk").values_list("before", "after")
        assert [(before.get("is_on"), after["is_on"]) for before, after in changes] == [(None, True), (True, False)]

    def test_it_is_on_behalf_of_who_kept_it(self, catalogue):
        seller = world.make_user()
        self.keep("2026-02-05", actor=Actor.of(seller))
        campaign = self.begin("2026-03-05")
        assert campaign.asked_by == seller
        assert campaign.job.asked_by == seller

    def test_years_that_the_policy_does_not_know_are_refused(self, catalogue):
        with pytest.raises(DomainError) as refusal:
            self.keep("2026-02-05", renew_years=6)
        assert refusal.value.code == "years_out_of_range"


class TestScheduleAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_asked_at_once_one_begins(self, transactional_db):
        world.make_catalogue()
        TestSchedule().keep("2026-02-05")
        results = at_once([lambda: campaigns.begin_scheduled_campaign(at=world.at("2026-03-05"))] * 5)
        assert sorted(type(each).__name__ for each in results) == ["Campaign", *["NoneType"] * 4]
        assert Campaign.objects.count() == 1

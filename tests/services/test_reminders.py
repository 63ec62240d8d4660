"""Reminders as services: who is reminded of what on which day, once, and who is not.

The dongle's SMA ends on 31 Mar 2026: the stages come on 31 Dec 2025 (90), 30 Jan (60), 1 Mar (30), 24 Mar (7),
1 Apr (1 after) and 30 Apr 2026 (30 after).
"""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from dongles.models import Dongle
from dongles.services import withdraw_licence
from portal import outbox
from portal.celery import app
from portal.errors import DomainError
from portal.models import AuditEvent, Contact, OutboxMessage, SentMail
from renewals.endings import mailings_due
from renewals.management.arguments import MalformedArgument, Refused
from renewals.models import Reminder, ReminderCopy, ReminderMailing
from renewals.services import quotes
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.reminders import REMINDERS, Posted, deliver_copy, post_reminders, switch_reminders
from tests import world
from tests.outbox.conftest import free_port
from tests.outbox.smtp_sink import SmtpSink
from tests.races import at_once

pytestmark = pytest.mark.django_db


def run(on, **options):
    return post_reminders(actor=REMINDERS, at=world.at(on), **options)


def deliver(on):
    """Deliver the open copies as of a day."""
    for copy in ReminderCopy.objects.filter(message__done_at__isnull=True).order_by("pk"):
        deliver_copy(copy, at=world.at(on))
        OutboxMessage.objects.filter(pk=copy.message_id).update(done_at=world.at(on))


def posted():
    return [(each.dongle.serial, str(each.ends_on), each.stage) for each in Reminder.objects.order_by("pk")]


def test_run_daily_each_stage_goes_out_on_its_day(dongle):
    days = [date(2025, 12, 24) + timedelta(days=ahead) for ahead in range(140)]
    went_out = [str(day) for day in days if run(day) != Posted()]
    assert went_out == ["2025-12-31", "2026-01-30", "2026-03-01", "2026-03-24", "2026-04-01", "2026-04-30"]
    assert [stage for _, _, stage in posted()] == [-90, -60, -30, -7, 1, 30]


def test_a_run_says_what_it_has_posted_and_leaves_it_in_the_audit_trail(dongle):
    Contact.objects.create(customer=dongle.customer, name="Bo Lind", email="bo@cells.example")
    assert run("2026-03-01") == Posted(customers=1, dongles=1, mails=2, unreached=0)
    event = AuditEvent.objects.get(action="remind")
    ada = dongle.customer.contacts.first()
    assert (event.actor_name, event.subject_kind, event.subject_id) == ("Reminders", "customer", dongle.customer_id)
    assert event.after == {"dongles": ["104233"], "recipients": [ada.email, "bo@cells.example"]}
    assert OutboxMessage.objects.filter(kind="reminder").count() == 2


def test_run_again_on_the_same_day_or_the_next_nothing_is_posted_twice(dongle):
    assert [run(day).mails for day in ("2026-03-01", "2026-03-01", "2026-03-02", "2026-03-08")] == [1, 0, 0, 0]


def test_days_on_which_nothing_ran_are_caught_up_for_a_week_by_the_latest_stage_alone(dongle):
    assert run("2026-03-31").dongles == 1  # a week after the stage of 24 Mar
    assert posted() == [("104233", "2026-03-31", -7)]
    world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-03-31")])
    assert run("2026-04-09").dongles == 0  # eight days after the stage of 1 Apr


def test_a_customer_has_one_mailing_a_day_and_what_came_later_the_next_day(dongle):
    run("2026-03-01")
    world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-03-31")])
    assert run("2026-03-01") == Posted()
    assert run("2026-03-02").dongles == 1
    assert ReminderMailing.objects.count() == 2


def test_all_dongles_of_a_customer_with_a_stage_due_are_in_one_mailing(dongle):
    world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-04-30")])  # 60 days after 1 Mar
    world.make_dongle("304233", dongle.customer, [("VOL-VIS", "2026-02-28")])  # ended yesterday
    world.make_dongle("404233", dongle.customer, [("VOL-VIS", "2026-12-31")])
    other = world.make_dongle("504233", world.make_customer("Others"), [("VOL-VIS", "2026-03-31")])
    assert run("2026-03-01") == Posted(customers=2, dongles=4, mails=2)
    mailing = ReminderMailing.objects.get(customer=dongle.customer)
    assert [(each.dongle.serial, each.stage) for each in mailing.reminders.all()] == [
        ("304233", 1), ("104233", -30), ("204233", -60)
    ]  # fmt: skip
    assert other.reminders.get().mailing.customer.name == "Others"


def renewed(dongle):
    world.sell(dongle, "2026-02-20")


def lost(dongle):
    Dongle.objects.update(state="lost")


def retired(dongle):
    Dongle.objects.update(state="retired")


def nobodys(dongle):
    Dongle.objects.update(customer=None)


def waiting_for_payment(dongle):
    dongle.customer.fulfil_on = "payment"
    dongle.customer.save()
    world.sell(dongle, "2026-02-20")


def all_licences_withdrawn(dongle):
    for licence in dongle.licences.all():
        withdraw_licence(licence=licence, reason="Not used", actor=world.SALES, at=world.at("2026-02-20"))


def without_contact(dongle):
    Contact.objects.update(left_on=date(2026, 1, 1))


def stopped(dongle):
    switch_reminders(contact=dongle.customer.contacts.get(), wanted=False, actor=world.SALES, at=world.at("2026-02-20"))


GETS_NONE = (
    renewed, lost, retired, nobodys, waiting_for_payment, all_licences_withdrawn, without_contact, stopped
)  # fmt: skip


@pytest.mark.parametrize("made", GETS_NONE)
def test_who_is_not_reminded(dongle, made):
    assert mailings_due(date(2026, 3, 1), [dongle.customer_id])[0].contacts, "before that they were"
    made(dongle)
    assert run("2026-03-01").mails == 0
    assert not Reminder.objects.exists()


def test_whom_nobody_can_write_to_is_counted_and_reminded_once_there_is_a_contact(dongle):
    without_contact(dongle)
    assert run("2026-03-01") == Posted(unreached=1)
    Contact.objects.create(customer=dongle.customer, name="Bo Lind", email="bo@cells.example")
    assert run("2026-03-08") == Posted(customers=1, dongles=1, mails=1)


def test_a_licence_that_never_had_an_sma_has_none_to_end(catalogue):
    world.make_dongle(licences=[("VOL-VIS", None)])
    assert not any(run(date(2020, 1, 1) + timedelta(days=days)).dongles for days in (1, 5, 30))


def test_a_ragged_dongle_is_reminded_of_its_latest_end(catalogue):
    world.make_dongle(licences=[("VOL-VIS", "2025-06-30"), ("VOL-QNT", "2026-03-31")])
    run("2026-03-01")
    assert posted() == [("104233", "2026-03-31", -30)]


def test_a_bridge_is_no_sma(dongle):
    version = world.send(dongle, "2026-03-20")
    grant_bridge(
        version=version, until=date(2026, 4, 25), reason="Signed soon", actor=world.SALES, at=world.at("2026-03-30")
    )
    run("2026-04-01")
    assert posted() == [("104233", "2026-03-31", 1)]


def decline(dongle, on):
    version = world.send(dongle, "2026-03-20")
    quotes.decline_quote(version=version, actor=world.SALES, at=world.at(on), reason="No budget")


def test_whoever_declined_after_the_end_is_not_reminded_any_more(dongle):
    decline(dongle, "2026-04-01")
    assert run("2026-04-02").dongles == 0
    world.send(dongle, "2026-04-03")  # asked again
    assert run("2026-04-04").dongles == 1


def test_whoever_declined_before_the_end_still_is(dongle):
    decline(dongle, "2026-03-25")
    assert run("2026-04-01").dongles == 1


def test_the_end_that_stands_again_after_a_cancellation_is_not_reminded_of_twice(dongle):
    run("2026-03-01")
    order = world.sell(dongle, "2026-03-02")
    cancel_order(
        order=order,
        from_on=date(2026, 3, 3),
        reason="Mistake",
        actor=world.SALES,
        at=world.at("2026-03-03"),
        is_mistake=True,
    )
    assert run("2026-03-04").dongles == 0
    assert run("2026-03-24").dongles == 1


def test_switched_off_nothing_is_posted(dongle):
    with override_settings(REMINDERS=False), pytest.raises(DomainError) as refusal:
        run("2026-03-01")
    assert refusal.value.code == "reminders_off"
    assert not ReminderMailing.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_customers(dongle, django_assert_num_queries):
    run("2020-06-01")
    with django_assert_num_queries(15):
        run("2026-03-01")
    for number in range(20):
        customer = world.make_customer(f"Customer {number}")
        for place in range(3):
            world.make_dongle(f"C{number}D{place}", customer, [("VOL-VIS", "2026-04-30")])
    with django_assert_num_queries(15):
        assert run("2026-03-02").dongles == 60


def test_the_customers_are_gone_through_in_batches_without_leaving_one_out(dongle):
    for number in range(6):
        world.make_dongle(f"C{number}", world.make_customer(f"Customer {number}"), [("VOL-VIS", "2026-03-31")])
    assert run("2026-03-01", batch=2).customers == 7


# Delivery


def test_what_was_renewed_meanwhile_is_left_out_of_the_mail_and_said_so(dongle):
    other = world.make_dongle("204233", dongle.customer, [("VOL-VIS", "2026-03-31")])
    run("2026-03-01")
    world.sell(dongle, "2026-03-01")
    deliver("2026-03-01")
    mail = SentMail.objects.get(message__kind="reminder")
    assert (mail.subject, "104233" in mail.text) == ("The SMA of dongle 204233 ends in 30 days", False)
    left_out = {each.dongle.serial: each.left_out_at for each in Reminder.objects.all()}
    assert left_out == {"104233": world.at("2026-03-01"), "204233": None}
    assert other.reminders.count() == 1


def test_where_everything_was_renewed_nothing_is_mailed(dongle):
    run("2026-03-01")
    world.sell(dongle, "2026-03-01")
    deliver("2026-03-01")
    assert not SentMail.objects.filter(message__kind="reminder").exists()
    assert Reminder.objects.get().left_out_at is not None


def test_a_mail_that_waited_until_the_next_stage_is_not_sent_any_more(dongle):
    run("2026-03-01")
    run("2026-03-24")
    deliver("2026-03-25")
    assert SentMail.objects.get().subject == "The SMA of dongle 104233 ends in 6 days"


def test_whoever_left_or_stopped_since_gets_nothing_and_is_not_named(dongle):
    Contact.objects.create(customer=dongle.customer, name="Bo Lind", email="bo@cells.example")
    run("2026-03-01")
    ada = dongle.customer.contacts.order_by("pk").first()
    switch_reminders(contact=ada, wanted=False, actor=world.SALES, at=world.at("2026-03-01"))
    deliver("2026-03-01")
    mail = SentMail.objects.get()
    assert mail.recipients == ["bo@cells.example"]
    assert ada.email not in mail.text


def test_a_mail_server_that_is_down_delays_the_reminder_and_doubles_nothing(catalogue, settings):
    today = timezone.localdate()
    world.make_dongle(licences=[("VOL-VIS", str(today + timedelta(days=30)))])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    run(today)
    assert outbox.drain() == 0
    assert run(today) == Posted()
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    with SmtpSink(settings.EMAIL_PORT) as sink:
        assert (outbox.drain(), outbox.drain()) == (1, 0)
        sink.shutdown()
    (mail,) = sink.messages
    contact = Contact.objects.get()
    assert mail["List-Unsubscribe"].strip() == f"<{settings.ADDRESS}/reminders/{contact.reminders_key}/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["To"] == contact.email


# The database, races and kills


@pytest.mark.parametrize("model", [ReminderMailing, Reminder, ReminderCopy])
def test_the_database_keeps_what_was_posted(dongle, model):
    run("2026-03-01")
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.all().delete()
    field = "stage" if model is Reminder else "mailing" if model is ReminderCopy else "posted_on"
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**{field: model.objects.values_list(field, flat=True)[0]})


def test_the_database_refuses_the_same_reminder_twice_and_a_second_mailing_a_day(dongle):
    run("2026-03-01")
    given = Reminder.objects.get()
    with pytest.raises(IntegrityError, match="the_same_reminder_once"), transaction.atomic():
        Reminder.objects.create(mailing=given.mailing, dongle=dongle, ends_on=given.ends_on, stage=given.stage)
    with pytest.raises(IntegrityError, match="one_reminder_mailing_a_day"), transaction.atomic():
        ReminderMailing.objects.create(
            customer=dongle.customer, posted_on=date(2026, 3, 1), posted_at=world.at("2026-03-01")
        )


def many_customers():
    world.make_catalogue()
    for number in range(12):
        world.make_dongle(f"C{number}", world.make_customer(f"Customer {number}"), [("VOL-VIS", "2026-03-31")])


@pytest.mark.django_db(transaction=True)
def test_eight_runs_at_once_post_each_reminder_once():
    many_customers()
    results = at_once([lambda: run("2026-03-01", batch=3)] * 8)
    assert sum(result.mails for result in results) == 12, results
    assert Reminder.objects.count() == OutboxMessage.objects.filter(kind="reminder").count() == 12


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_eight_runs_at_once_do_not_end_well():
    many_customers()
    results = at_once([lambda: run("2026-03-01")] * 8, locked=False)
    assert any(isinstance(result, IntegrityError) for result in results), "the database refused what came twice"
    assert Reminder.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_killed_leaves_whole_batches_and_the_next_one_does_the_rest():
    many_customers()
    written = 0

    def dies(execute, sql, params, many, context):
        nonlocal written
        written += sql.startswith('INSERT INTO "renewals_remindercopy"')
        if written == 3:
            raise KeyboardInterrupt  # in the third batch, after its reminders and messages were written
        return execute(sql, params, many, context)

    with connection.execute_wrapper(dies), pytest.raises(KeyboardInterrupt):
        run("2026-03-01", batch=3)
    assert Reminder.objects.count() == OutboxMessage.objects.count() == ReminderCopy.objects.count() == 6
    assert run("2026-03-01").dongles == 6
    assert Reminder.objects.count() == OutboxMessage.objects.count() == 12


# Opting out


def test_stopping_and_resuming_are_recorded_once_each(dongle):
    contact = dongle.customer.contacts.get()
    for wanted in (True, False, False, True, True):
        switch_reminders(contact=contact, wanted=wanted, actor=world.SALES, at=world.at("2026-03-01"))
    events = AuditEvent.objects.filter(subject_kind="contact").order_by("pk")
    assert [event.action for event in events] == ["stop_reminders", "resume_reminders"]
    assert events[0].after == {"reminders_stopped_at": world.at("2026-03-01").isoformat()}


def test_finance_does_not_switch_reminders(dongle):
    actor = world.Actor("Fay", None, "finance")
    with pytest.raises(DomainError, match="not_allowed"):
        switch_reminders(contact=dongle.customer.contacts.get(), wanted=False, actor=actor, at=world.at("2026-03-01"))
    assert Contact.objects.get().reminders_stopped_at is None


def test_every_contact_has_a_key_of_its_own(catalogue):
    world.make_customer()
    world.make_customer("Others")
    assert len(set(Contact.objects.values_list("reminders_key", flat=True))) == 2


# By itself, and the command


def test_beat_posts_them_by_the_clock_of_the_business_time_zone(catalogue, settings):
    entry = settings.CELERY_BEAT_SCHEDULE["post reminders"]
    assert entry["schedule"].hour == set(range(settings.REMINDERS_HOUR, 24))
    assert str(app.timezone) == settings.TIME_ZONE
    app.loader.import_default_modules()
    world.make_dongle(licences=[("VOL-VIS", str(timezone.localdate() + timedelta(days=30)))])
    app.tasks[entry["task"]]()
    assert Reminder.objects.get().stage == -30


def test_the_command_posts_what_is_due_today(catalogue, capsys):
    world.make_dongle(licences=[("VOL-VIS", str(timezone.localdate() + timedelta(days=30)))])
    call_command("remind")
    assert capsys.readouterr().out == "1 mail to 1 customer about 1 dongle; nobody to write to at 0 customers.\n"
    with override_settings(REMINDERS=False), pytest.raises(Refused, match="reminders_off"):
        call_command("remind")


def test_a_dry_run_names_customers_recipients_and_dongles_and_writes_nothing(dongle, capsys):
    call_command("remind", dry_run=True, on="2026-03-01")
    assert capsys.readouterr().out.splitlines() == [
        f"Institute of Cells: {dongle.customer.contacts.get().email}",
        "  104233  ends in 30 days, 31 Mar 2026 (30 days before the end)",
        "On 1 Mar 2026 1 customer would be reminded of 1 dongle. Nothing was written.",
    ]
    assert not ReminderMailing.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_another_day_is_for_looking_only(dongle):
    with pytest.raises(MalformedArgument, match="only_dry_run"):
        call_command("remind", on="2026-03-01")
    with pytest.raises(MalformedArgument, match="malformed_date"):
        call_command("remind", dry_run=True, on="March")

"""The outbox on PostgreSQL: once, again after a failure, and one message's trouble is its own."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from portal import outbox
from portal.models import OutboxMessage, SentMail
from tests import world
from tests.outbox.conftest import free_port
from tests.outbox.smtp_sink import SmtpSink


def post_notes(number: int) -> list[OutboxMessage]:
    return outbox.post("note", [{"number": index} for index in range(number)], at=timezone.now())


def make_due() -> None:
    OutboxMessage.objects.filter(done_at__isnull=True).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_work_is_done_once_however_often_it_is_handed_on(notes):
    (message,) = post_notes(1)
    assert [outbox.deliver(message.pk), outbox.deliver(message.pk), outbox.drain()] == [True, False, 0]
    assert notes == [message.pk]


@pytest.mark.django_db
def test_a_cause_that_is_rolled_back_leaves_no_work():
    with transaction.atomic():
        outbox.post("quote_sent", [{"version": 1, "recipients": []}], at=timezone.now())
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_poisoned_message_stops_no_other(notes):
    outbox.post("fail", [{}], at=timezone.now())
    others = post_notes(2)
    assert outbox.drain() == 2
    assert notes == [message.pk for message in others]
    poisoned = OutboxMessage.objects.get(kind="fail")
    assert (poisoned.done_at, poisoned.attempts) == (None, 1)
    assert poisoned.last_error == "ConnectionRefusedError: nobody is there"
    assert poisoned.due_at > timezone.now()


@pytest.mark.django_db
def test_a_message_of_an_unknown_kind_stops_no_other(notes):
    OutboxMessage.objects.create(kind="gone", payload={}, created_at=timezone.now(), due_at=timezone.now())
    post_notes(1)
    assert outbox.drain() == 1
    assert OutboxMessage.objects.get(kind="gone").last_error == "KeyError: 'gone'"


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    # 15 s, then doubled: 15 × 2⁷ = 1920; 15 × 2⁸ = 3840 is over the hour
    [(1, 15), (2, 30), (3, 60), (8, 1920), (9, 3600), (10_000, 3600)],
)
def test_each_failure_waits_twice_as_long_up_to_an_hour(attempts, seconds):
    assert outbox.retry_delay(attempts) == timedelta(seconds=seconds)


@pytest.mark.django_db
def test_a_mail_server_that_is_down_leaves_the_message_and_the_mail_goes_out_later(dongle, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    world.send(dongle, "2026-02-01")
    assert outbox.drain() == 0
    message = OutboxMessage.objects.get()
    assert message.last_error.startswith("ConnectionRefusedError")
    wait = message.due_at - timezone.now()
    assert timedelta(seconds=5) < wait <= timedelta(seconds=15)
    assert not SentMail.objects.exists()
    assert outbox.drain() == 0, "not before its time"

    with SmtpSink(settings.EMAIL_PORT) as sink:
        make_due()
        assert outbox.drain() == 1
        sink.shutdown()
    message.refresh_from_db()
    assert (message.attempts, message.last_error, message.done_at is not None) == (2, "", True)
    assert [mail["Subject"] for mail in sink.messages] == [SentMail.objects.get().subject]


@pytest.mark.django_db
def test_a_mail_that_is_tried_again_keeps_its_message_id(dongle, smtp_sink):
    world.send(dongle, "2026-02-01")
    assert outbox.drain() == 1
    # As after a crash between the mail server's answer and the record: the row is open, no mail is on record.
    SentMail.objects.all().delete()
    OutboxMessage.objects.update(done_at=None)
    assert outbox.drain() == 1
    first, second = smtp_sink.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert SentMail.objects.count() == 1


@pytest.mark.django_db
def test_a_mail_on_record_is_not_sent_again(dongle, smtp_sink):
    world.send(dongle, "2026-02-01")
    assert outbox.drain() == 1
    OutboxMessage.objects.update(done_at=None)
    assert outbox.drain() == 1
    assert len(smtp_sink.messages) == 1


def deliver_without_lock(message_id: int) -> None:
    """What `outbox.deliver` would be without its lock; the control of the test below."""
    with transaction.atomic():
        message = OutboxMessage.objects.filter(pk=message_id, done_at__isnull=True).first()
        if message is not None:
            outbox.handler(message.kind)(message)
            message.done_at = timezone.now()
            message.save(update_fields=["done_at"])


def drain_in_two_threads(deliver) -> None:
    start = threading.Barrier(2)

    def drain() -> None:
        try:
            due = outbox.due_messages()
            start.wait()
            for message_id in due:
                deliver(message_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=drain) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_two_drainers_at_once_deliver_each_message_once(notes):
    messages = post_notes(20)
    drain_in_two_threads(outbox.deliver)
    assert sorted(notes) == [message.pk for message in messages]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_drainers_deliver_messages_twice(notes):
    post_notes(20)
    drain_in_two_threads(deliver_without_lock)
    assert len(notes) > 20

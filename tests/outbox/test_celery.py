"""The outbox with a real Redis and real Celery workers that are killed in mid-task."""

import time

import pytest
from django.urls import reverse
from django.utils import timezone

from portal import outbox
from portal.models import OutboxMessage, SentMail
from renewals.models import QuoteVersion
from tests import world
from tests.outbox import lossy
from tests.outbox.conftest import kill_group, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]
WORKER = ("worker", "--concurrency=1", "--loglevel=INFO", "--without-gossip", "--without-mingle")


def is_done() -> bool:
    return not OutboxMessage.objects.filter(done_at__isnull=True).exists()


def test_a_worker_killed_in_mid_task_leaves_the_mail_to_the_next_one(start_celery, smtp_sink, dongle):
    smtp_sink.hold()
    worker = start_celery(*WORKER)
    world.send(dongle, "2026-02-01")
    wait_until(smtp_sink.holding.is_set)
    kill_group(worker)
    smtp_sink.release()
    wait_until(lambda: not smtp_sink.conversations)
    assert (smtp_sink.messages, SentMail.objects.count(), is_done()) == ([], 0, False)

    start_celery(*WORKER)
    wait_until(is_done)
    assert [mail["Subject"] for mail in smtp_sink.messages] == [SentMail.objects.get().subject]
    assert OutboxMessage.objects.get().attempts == 1, "the killed attempt left no trace"


def test_without_a_row_behind_it_the_killed_workers_mail_is_lost(start_celery, smtp_sink, redis):
    smtp_sink.hold()
    worker = start_celery(*WORKER, app="tests.outbox.lossy")
    lossy.app.conf.broker_url = redis.url
    lossy.mail.delay(smtp_sink.port)
    wait_until(smtp_sink.holding.is_set)
    kill_group(worker)
    smtp_sink.release()

    start_celery(*WORKER, app="tests.outbox.lossy")
    lossy.mail.delay(smtp_sink.port)
    wait_until(lambda: smtp_sink.messages)
    time.sleep(1)
    assert len(smtp_sink.messages) == 1, "only the second one: the first is gone"


def test_a_mail_that_no_server_took_goes_out_with_a_later_sweep(start_celery, smtp_sink, dongle, tmp_path):
    smtp_sink.refusing.set()
    start_celery(*WORKER)
    world.send(dongle, "2026-02-01")
    wait_until(lambda: OutboxMessage.objects.get().attempts)
    message = OutboxMessage.objects.get()
    assert message.last_error.startswith("SMTPDataError: (451")
    assert message.done_at is None
    assert message.due_at > timezone.now()

    smtp_sink.refusing.clear()
    OutboxMessage.objects.update(due_at=timezone.now())  # instead of waiting for it
    start_celery("beat", "--loglevel=INFO", f"--schedule={tmp_path / 'schedule'}")
    wait_until(is_done)
    assert len(smtp_sink.messages) == SentMail.objects.count() == 1


def test_without_redis_a_quote_is_sent_all_the_same_and_its_mail_later(
    client, start_celery, redis, smtp_sink, catalogue
):
    world.log_in(client, world.make_user())
    version = world.draft(world.make_dongle(licences=[("VOL-VIS", "2030-03-31")]), str(timezone.localdate()))
    redis.stop()
    began = time.monotonic()
    address = reverse("renewals:send", args=[version.quote_id, version.number])
    response = client.post(address, {"recipients": [version.quote.customer.contacts.get().email], "once": "a"})
    assert time.monotonic() - began < 2
    assert response.status_code == 302
    assert QuoteVersion.objects.get().state == "sent"
    assert OutboxMessage.objects.get().attempts == 0

    redis.start()
    start_celery(*WORKER)
    wait_until(is_done)
    assert len(smtp_sink.messages) == SentMail.objects.count() == 1


@pytest.mark.parametrize("is_silent", [False, True], ids=["refusing", "silent"])
def test_an_unreachable_broker_holds_up_nobody_for_long(redis, notes, is_silent):
    if is_silent:
        redis.freeze()
    else:
        redis.stop()
    began = time.monotonic()
    outbox.post("note", [{}] * 50, at=timezone.now())
    assert time.monotonic() - began < 6
    assert OutboxMessage.objects.filter(done_at__isnull=True).count() == 50

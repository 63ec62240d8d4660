"""The dispatcher in the process, where there is no Redis: under gunicorn, and when a process ends."""

import os
import subprocess
import sys
import urllib.request

import pytest

from portal.models import OutboxMessage, SentMail
from tests import world
from tests.outbox.conftest import PROJECT, database_url, free_port, kill_group, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

POST_AND_END = """
import sys, django; django.setup()
from django.utils import timezone
from portal import outbox
outbox.post("quote_sent", [{"version": int(sys.argv[1]), "recipients": [sys.argv[2]]}], at=timezone.now())
"""


@pytest.fixture
def environment(tmp_path, smtp_sink):
    """A process of its own on the test's database and mail server, without Redis."""
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_sink.port}",
        "PORTAL_LOCAL_DIR": str(tmp_path),
        "PYTHONPATH": str(PROJECT),
    }


def test_a_process_that_ends_at_once_still_delivers_what_it_posted(environment, smtp_sink, dongle):
    version = world.send(dongle, "2026-02-01")
    OutboxMessage.objects.all().delete()
    recipient = dongle.customer.contacts.get().email
    done = subprocess.run(
        [sys.executable, "-c", POST_AND_END, str(version.pk), recipient],
        env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert len(smtp_sink.messages) == SentMail.objects.count() == 1
    assert OutboxMessage.objects.get().done_at is not None


def test_a_web_server_delivers_on_starting_what_the_one_before_it_left(environment, smtp_sink, dongle, tmp_path):
    world.send(dongle, "2026-02-01")
    port = free_port()
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "portal.wsgi", "--worker-class=gthread", "--threads=4", "--workers=2",
             f"--bind=127.0.0.1:{port}"],
            env=environment, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: not OutboxMessage.objects.filter(done_at__isnull=True).exists())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=10) as answer:
            assert answer.read() == b"ok\n"
        server.terminate()
        assert server.wait(20) == 0, (tmp_path / "gunicorn.log").read_text()
    finally:
        kill_group(server)
    assert len(smtp_sink.messages) == SentMail.objects.count() == 1, "two workers, one mail"
    assert "Traceback" not in (tmp_path / "gunicorn.log").read_text()

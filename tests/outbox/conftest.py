"""A mail server, a redis-server and Celery workers, all real, each on a free loopback port and gone after the test."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from portal.celery import app
from tests.outbox import handlers
from tests.outbox.smtp_sink import SmtpSink

PROJECT = Path(__file__).resolve().parents[2]


def wait_until(is_true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_connect(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def database_url() -> str:
    """The test's database, for a process of its own; the host may be the folder of a socket."""
    connection.ensure_connection()
    info = connection.connection.info
    user, password, host = (quote(value, safe="") for value in (info.user, info.password, info.host))
    return f"postgres://{user}:{password}@{host}:{info.port}/{info.dbname}"


@pytest.fixture
def notes(settings) -> Iterator[list[int]]:
    """Handlers of the tests' own beside the portal's; yields what `note` has delivered."""
    settings.OUTBOX_HANDLERS = {**settings.OUTBOX_HANDLERS, **handlers.HANDLERS}
    handlers.delivered.clear()
    yield handlers.delivered
    handlers.delivered.clear()


@pytest.fixture
def smtp_sink(settings) -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink
        sink.release()
        sink.shutdown()


class RedisServer:
    """A redis-server of the test's own that can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self.folder),
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: can_connect(self.port))

    def freeze(self) -> None:
        """It takes connections from now on, and answers none."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path, settings) -> Iterator[RedisServer]:
    """A real Redis that this process hands the outbox on to."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: nothing is shown about Celery on a real broker")
    server = RedisServer(tmp_path)
    settings.OUTBOX_DISPATCH = "celery"
    use_broker(server.url)
    yield server
    use_broker(None)
    server.stop()


def use_broker(url: str | None) -> None:
    """Let this process's Celery application publish to another broker."""
    app.conf.broker_url = url
    app._after_fork()  # what a forked process does: forget the pool of connections to the one before


@pytest.fixture
def start_celery(redis, smtp_sink, tmp_path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a Celery process of its own group on the test's database, Redis and mail server."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.outbox.quick_settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis.url,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_sink.port}",
        "PORTAL_LOCAL_DIR": str(tmp_path),
    }
    started = []

    def start(*arguments: str, app: str = "portal.celery") -> subprocess.Popen:
        log = (tmp_path / f"celery-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", app, *arguments],
            cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        kill_group(process)
    for log in sorted(tmp_path.glob("celery-*.log")):
        sys.stdout.write(f"{log.name}\n{log.read_text()}\n")  # pytest shows it with a failure


def kill_group(process: subprocess.Popen) -> None:
    """kill -9 for the process and all its children at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

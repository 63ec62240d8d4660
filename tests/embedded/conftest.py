"""Real servers in temporary folders, and real client processes to use, interrupt and kill."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.embedded.server import EmbeddedServer

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("embedded")


class Client:
    """A process that uses the embedded server (sql_client.py), in a session of its own like a terminal's job."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.next_answer() == "imported"

    def ask(self, statement):
        self.send(statement)
        return self.next_answer()

    def send(self, statement):
        print(statement, file=self.process.stdin, flush=True)

    def next_answer(self):
        return json.loads(self.process.stdout.readline())

    def interrupt(self):
        """Ctrl-C in its terminal: the signal goes to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def leave(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_SECONDS)


class Place:
    """A local folder with its embedded server, seen from outside."""

    def __init__(self, local_folder):
        self.server = EmbeddedServer(local_folder)
        self.clients = []
        self.environment = os.environ | {
            "PORTAL_LOCAL_DIR": str(local_folder),
            "PORTAL_EMBEDDED_DURABLE": "0",
        }
        for name in ("PORTAL_POSTGRES_BIN", "DATABASE_URL"):
            self.environment.pop(name, None)

    def start_client(self, *last_words, prefix=(), **environment):
        client = Client(
            [*prefix, sys.executable, "-m", "tests.embedded.sql_client", *last_words], self.environment | environment
        )
        self.clients.append(client)
        return client

    def postmaster_pid(self):
        return int((self.server.data / "postmaster.pid").read_text().split()[0])

    def is_at_rest(self):
        """Whether no supervisor, server or backend lives: they hold these locks as long as they do."""
        for name in ("supervisor.lock", "server.lock"):
            with contextlib.suppress(FileNotFoundError), open(self.server.folder / name) as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
        return True

    def wait_until_at_rest(self):
        wait_for(self.is_at_rest)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true"
        time.sleep(0.02)


@pytest.fixture
def make_place():
    """Make a Place in a folder; at the end its clients leave and everything has to stop."""
    places = []

    def make(local_folder):
        places.append(Place(local_folder))
        return places[-1]

    yield make
    for place in places:
        for client in place.clients:
            client.kill()
        place.wait_until_at_rest()


@pytest.fixture
def place(make_place, tmp_path):
    return make_place(tmp_path / "local")

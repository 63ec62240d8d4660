"""What a client process does to have the embedded server. Standard library only."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .binaries import EmbeddedPostgresError

CHECKOUT = Path(__file__).resolve().parents[2]
PORT = 5432  # only names the socket file: nothing listens on the network
USER = "postgres"
PATIENCE_SECONDS = 120  # recovering after a crash takes its time


@dataclass(frozen=True)
class RunningServer:
    """A server that a living supervisor has reported ready."""

    supervisor_pid: int
    socket_folder: str
    programs: str


class EmbeddedServer:
    """The one server of a local folder (.local of the checkout, or PORTAL_LOCAL_DIR), shared by all its clients."""

    def __init__(self, local_folder: Path | None = None) -> None:
        named = os.environ.get("PORTAL_LOCAL_DIR")
        self.folder = (local_folder or Path(named or CHECKOUT / ".local")).absolute() / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.last_known: RunningServer | None = None
        self._membership: int | None = None
        self._joining = threading.Lock()

    def ensure_running(self) -> RunningServer:
        """The running server; started when there is none. It runs on at least as long as this process.

        Raises EmbeddedPostgresError with a sentence that says what to do.
        """
        try:
            self._join()
            with self.locked("start.lock"):
                self.last_known = self._wait_for_server() or self._start_supervisor()
                return self.last_known
        except OSError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot use the folder {self.folder}: {error.strerror or error}. Free space or change its "
                "owner, or name another folder in PORTAL_LOCAL_DIR."
            ) from error

    def running(self) -> RunningServer | None:
        """The server as it is now; None where none runs or it is not ready yet."""
        supervised, text = self._supervisor()
        return RunningServer(**json.loads(text)) if supervised and text else None

    @contextmanager
    def locked(self, name: str, *, shared: bool = False) -> Iterator[int]:
        """Hold a lock of the folder; yields its descriptor."""
        descriptor = self.open_lock(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def open_lock(self, name: str) -> int:
        return os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _join(self) -> None:
        """Count this process in. Waits while a supervisor, having seen the last client go, stops the server."""
        with self._joining:
            if self._membership is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                descriptor = self.open_lock("users.lock")
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                self._membership = descriptor

    def _supervisor(self) -> tuple[bool, str]:
        """Whether a supervisor lives, and what it has written: nothing until its server is ready."""
        try:
            descriptor = self.open_lock("supervisor.lock")
        except FileNotFoundError:
            return False, ""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True, os.pread(descriptor, 4096, 0).decode()
        else:
            return False, ""
        finally:
            os.close(descriptor)

    def _wait_for_server(self) -> RunningServer | None:
        """The server once it answers; None as soon as no supervisor lives.

        It may be starting for a client that was killed, recovering from a crash, or its supervisor about to notice
        that it is gone.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._supervisor()[0]:
            server = self.running()
            if server and accepts_connections(Path(server.programs), Path(server.socket_folder)):
                return server
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL does not answer for {PATIENCE_SECONDS} seconds; see {self.log}, or stop it with "
                    "python -m portal.embedded stop and try again."
                )
            time.sleep(0.05)
        return None

    def _start_supervisor(self) -> RunningServer:
        """Start a supervisor in a session of its own: the terminal's Ctrl-C must not reach it or the server."""
        with subprocess.Popen(
            [sys.executable, "-m", "portal.embedded.supervisor", str(self.folder.parent)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        ) as process:
            assert process.stdout is not None
            answer = process.stdout.read()
        server = self.running() if answer == "ready" else None
        if server is None:
            raise EmbeddedPostgresError(answer or f"PostgreSQL's supervisor was killed while starting; see {self.log}.")
        return server


def accepts_connections(programs: Path, socket_folder: Path) -> bool:
    """Whether the server would let a client in now: not while it starts, recovers or stops."""
    command = [
        str(programs / "pg_isready"),
        "-q",
        "-h",
        str(socket_folder),
        "-p",
        str(PORT),
        "-d",
        "postgres",
        "-U",
        USER,
    ]
    return subprocess.run(command, check=False).returncode == 0

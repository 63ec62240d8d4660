"""The process that owns the embedded server: python -m portal.embedded.supervisor LOCAL_FOLDER.

A client starts it (server.py). It says on standard output "ready", or else the sentence that explains why not; on
standard error what takes time. Then it stays until the last client has gone, or its server has died.
"""

import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from .binaries import Binaries, EmbeddedPostgresError, find_binaries
from .server import PATIENCE_SECONDS, PORT, USER, EmbeddedServer, RunningServer, accepts_connections

LOG_LIMIT = 4_000_000  # bytes; a longer log is begun anew
ROOM_NEEDED = 64 * 2**20  # bytes that a new cluster takes, roughly
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", os.defpath)}


@dataclass(frozen=True)
class Account:
    """How to run PostgreSQL's programs, which refuse root: words before the command, and who shall own the files."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Hand a path and what is in it to the account."""
        if self.owner:
            for each in (path, *path.rglob("*")):
                os.chown(each, *self.owner, follow_symlinks=False)


def choose_account(binaries: Binaries, data: Path) -> Account:
    """The first way that works here. As root: a user namespace in which root is nobody, else another user.

    Where the data belong to another user already, root runs the server as that user.
    """
    with_parent: list[tuple[str, ...]] = [("setpriv", "--pdeathsig", "INT"), ()]  # the server goes with its parent
    if os.geteuid() != 0:
        ways = [Account(prefix) for prefix in with_parent]
    else:
        owner = data.stat().st_uid if data.exists() else 0
        user = pwd.getpwuid(owner) if owner else _unprivileged_user()
        namespace = ("unshare", "--user", f"--map-user={user.pw_uid}")
        other = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig", "INT")
        # A checkout under /root is closed to others; this capability opens it without changing any mode.
        reach = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
        ways = [] if owner else [Account(namespace + prefix) for prefix in with_parent]
        ways += [Account(prefix, (user.pw_uid, user.pw_gid)) for prefix in (other + reach, other)]
    for way in ways:
        command = [*way.prefix, binaries.program("postgres"), "--version"]
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0:
                return way
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and here root may neither make a user namespace nor become another user. "
        "Run this as an ordinary user, or name a running server in DATABASE_URL."
    )


def _unprivileged_user() -> pwd.struct_passwd:
    """Nobody, or some other user: PostgreSQL looks its user up, so a number without a name would not do."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("nobody")
    return next(user for user in pwd.getpwall() if user.pw_uid != 0)


class Supervisor:
    def __init__(self, server: EmbeddedServer) -> None:
        self.place = server
        self.durable = os.environ.get("PORTAL_EMBEDDED_DURABLE", "1") != "0"

    def run(self) -> None:
        """Start the server, report it, and stay until it has ended. Raises EmbeddedPostgresError."""
        place = self.place
        own_lock = place.open_lock("supervisor.lock")
        fcntl.flock(own_lock, fcntl.LOCK_EX)
        left_over = os.pread(own_lock, 4096, 0)
        os.ftruncate(own_lock, 0)
        server_lock = self._take_server_lock(RunningServer(**json.loads(left_over)) if left_over else None)

        binaries = self._find_binaries()
        account = choose_account(binaries, place.data)
        if not place.data.exists():
            self._create_cluster(binaries, account)
        account.give(place.data)
        # server.lock says that no process of this cluster lives, so this is from one that was killed. Its process id
        # may by now be another program's, at which PostgreSQL would refuse to start.
        (place.data / "postmaster.pid").unlink(missing_ok=True)

        with _socket_folder(account) as sockets, open(place.log, "ab") as log:
            if log.tell() > LOG_LIMIT:
                log.truncate(0)
            start_of_log = place.log.stat().st_size
            process = self._start_server(binaries, account, sockets, log, server_lock)
            os.close(server_lock)
            signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
            self._wait_until_ready(process, binaries, sockets, start_of_log)
            server = RunningServer(os.getpid(), str(sockets), str(binaries.folder))
            os.pwrite(own_lock, json.dumps(asdict(server)).encode(), 0)
            report("ready")
            threading.Thread(target=self._stop_when_unused, args=[process], daemon=True).start()
            process.wait()

    def _take_server_lock(self, left_over: RunningServer | None) -> int:
        """Wait until no server or backend of this cluster lives; one without its supervisor is told to stop."""
        lock = self.place.open_lock("server.lock")
        deadline = time.monotonic() + PATIENCE_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"Another PostgreSQL server still uses {self.place.data} and does not stop; its process id is "
                        "in postmaster.pid there. End it and try again."
                    ) from None
                # It answers, so postmaster.pid is its own.
                if (
                    left_over
                    and not told
                    and accepts_connections(Path(left_over.programs), Path(left_over.socket_folder))
                ):
                    say("stopping a server whose supervisor was killed …")
                    os.kill(int((self.place.data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
                    told = True
                time.sleep(0.02)
            else:
                if left_over:
                    shutil.rmtree(left_over.socket_folder, ignore_errors=True)
                return lock

    def _find_binaries(self) -> Binaries:
        """Programs of the major version that made the data: no other reads them."""
        if not self.place.data.exists():
            return find_binaries()
        major = int((self.place.data / "PG_VERSION").read_text())
        try:
            return find_binaries(major)
        except EmbeddedPostgresError as error:
            raise EmbeddedPostgresError(
                f"The database in {self.place.data} was made by PostgreSQL {major}. {error} To begin anew with another "
                "version, move that folder away."
            ) from error

    def _create_cluster(self, binaries: Binaries, account: Account) -> None:
        """Make the cluster beside its place and rename it: a failed attempt leaves nothing that looks like one."""
        say("creating the database cluster (first time only) …")
        being_made = self.place.folder / "data-being-made"
        shutil.rmtree(being_made, ignore_errors=True)
        being_made.mkdir(mode=0o700)
        try:
            account.give(being_made)
            if binaries.major >= 17:
                locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            else:
                locale = ["--locale=C", f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}"]
            command = [*account.prefix, binaries.program("initdb"), "-D", str(being_made), "--auth=trust"]
            command += ["--encoding=UTF8", *locale, f"--username={USER}", "--no-instructions"]
            command += [] if self.durable else ["--no-sync"]
            made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=ENVIRONMENT)
            if made.returncode != 0:
                raise self._failure("create its database cluster", made.stderr)
            being_made.rename(self.place.data)
        finally:
            shutil.rmtree(being_made, ignore_errors=True)

    def _start_server(
        self, binaries: Binaries, account: Account, sockets: Path, log: BinaryIO, server_lock: int
    ) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [*account.prefix, binaries.program("postgres"), "-D", str(self.place.data), "-p", str(PORT)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            command,
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[server_lock],
        )

    def _wait_until_ready(
        self, process: subprocess.Popen[bytes], binaries: Binaries, sockets: Path, start_of_log: int
    ) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not accepts_connections(binaries.folder, sockets):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                with open(self.place.log, "rb") as log:
                    log.seek(start_of_log)
                    raise self._failure("start", log.read().decode(errors="replace"))
            time.sleep(0.02)

    def _stop_when_unused(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the last client to go, keep newcomers waiting (they wait for this lock), and stop the server."""
        fcntl.flock(self.place.open_lock("users.lock"), fcntl.LOCK_EX)
        process.send_signal(signal.SIGINT)

    def _failure(self, what: str, output: str) -> EmbeddedPostgresError:
        """One sentence from what PostgreSQL said: what, why, what to do."""
        free = shutil.disk_usage(self.place.folder).free
        if "No space left on device" in output or free < ROOM_NEEDED / 8:
            return EmbeddedPostgresError(
                f"PostgreSQL could not {what}: the disk of {self.place.folder} is full ({free // 2**20} MB free, a new "
                f"cluster takes about {ROOM_NEEDED // 2**20}). Free some space and try again, or name a folder on "
                "another disk in PORTAL_LOCAL_DIR."
            )
        said = [line.strip() for line in output.splitlines() if any(w in line for w in ("FATAL", "PANIC", "error:"))]
        why = " ".join(said[-2:]) or output.strip()[-300:] or "it was killed before it said why"
        return EmbeddedPostgresError(f"PostgreSQL could not {what}: {why} (The log is {self.place.log}.)")


@contextlib.contextmanager
def _socket_folder(account: Account) -> Iterator[Path]:
    """A new folder of mode 0700 with a short name: the path of a unix socket may not exceed some 100 bytes.

    A name that nobody could guess beforehand; clients learn it from the supervisor's lock.
    """
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > 60 or "," in parent:
        parent = "/tmp"  # noqa: S108 - mkdtemp makes the folder safely
    folder = Path(tempfile.mkdtemp(prefix="sma-portal-", dir=parent))
    try:
        account.give(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say(what: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"PostgreSQL: {what}\n")
        sys.stderr.flush()


def report(outcome: str) -> None:
    """Answer the client, and let go of its terminal and pipes."""
    with contextlib.suppress(BrokenPipeError):  # it may be gone by now
        os.write(1, outcome.encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def main(local_folder: str) -> None:
    if os.fork():
        os._exit(0)  # nobody has to wait for the supervisor
    server = EmbeddedServer(Path(local_folder))
    try:
        Supervisor(server).run()
    except EmbeddedPostgresError as error:
        report(str(error))
        sys.exit(1)
    except OSError as error:
        report(f"PostgreSQL could not start: {error.strerror}: {error.filename or server.folder}.")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])

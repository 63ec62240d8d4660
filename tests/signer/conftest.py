"""The signer as production runs it: a process of its own behind its socket, with a key file under a passphrase."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from dongles.signer import SignerClient
from dongles.unlock import UnlockRecord

PROJECT = Path(__file__).resolve().parents[2]
PASSPHRASE = "correct horse battery staple"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def record(sequence: int = 1, **fields) -> UnlockRecord:
    """The record of a renewal; the fields given differ."""
    values = {
        "serial": "104233",
        "slot": 0,
        "generation": 0,
        "sequence": sequence,
        "expiry_on": date(2027, 3, 31),
        "issued_on": date(2026, 2, 1),
        "licences": ((101, 1),),
    }
    return UnlockRecord(**{**values, **fields})


class SignerProcess:
    """`python -m dongles.signer` with its socket, key and log in a folder."""

    def __init__(self, folder: Path, name: str = "signer", *options: str, passphrase: str | None = PASSPHRASE) -> None:
        self.socket, self.log = folder / f"{name}.sock", folder / "signer.log"
        environment = {name: value for name, value in os.environ.items() if name != "SIGNER_PASSPHRASE"}
        if passphrase is not None:
            environment["SIGNER_PASSPHRASE"] = passphrase
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dongles.signer", f"--socket={self.socket}", f"--key={folder / 'slot0.pem'}",
             "--slot=0", f"--log={self.log}", *options],
            cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.client = SignerClient(str(self.socket))

    def wait_until_ready(self) -> "SignerProcess":
        deadline = time.monotonic() + 30
        while not self.socket.exists() or self.socket.stat().st_mode & 0o777 != 0o660:
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline, "the signer did not come up"
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """kill -9; the socket that it leaves is taken away, so that its successor's can be told from it."""
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "slot0.pem").write_bytes(
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode()))
    )
    return tmp_path


@pytest.fixture
def start_signer(folder) -> Iterator[Callable[..., SignerProcess]]:
    started = []

    def start(name: str = "signer") -> SignerProcess:
        started.append(SignerProcess(folder, name))
        return started[-1].wait_until_ready()

    yield start
    for signer in started:
        signer.kill()


@pytest.fixture
def signer(start_signer) -> SignerProcess:
    return start_signer()

"""The signer: the only place where the vendor's private key is, in a process of its own in production.

    python -m dongles.signer --socket /run/signer/signer.sock --key slot0.pem --slot 0 --log /var/lib/signer/signer.log

It takes a record over a unix socket, checks its own policy, writes its own append-only log to disk, then signs. It
knows nothing of the portal's database: after a restore of that, this log keeps a number from being given out twice.
One request and one answer a connection, each a line of JSON:

    {"serial", "slot", "generation", "sequence", "expiry_on", "issued_on", "licences": [[product number, seats], …]}
    {"code": "<hex>"}   or   {"refused": "<code>", "sentence": …, "generation": …, "sequence": …}
"""

import argparse
import fcntl
import hashlib
import json
import os
import socket
import socketserver
import sys
import time
from collections import deque
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dongles.unlock import UnlockRecord, message_of, sign

FURTHEST = timedelta(days=3653)  # ten years ahead of the issue day
PER_MINUTE = 3000
LONGEST_REQUEST = 65536


class SignerRefusal(Exception):
    """The signer's policy says no: `unknown_key`, `number_used`, `too_far_ahead`, `too_many_signatures`.

    With `number_used` come the generation and sequence that its log holds for the dongle.
    """

    def __init__(self, code: str, sentence: str, generation: int = 0, sequence: int = 0) -> None:
        super().__init__(f"{sentence} ({code})")
        self.code, self.sentence = code, sentence
        self.generation, self.sequence = generation, sequence


class Logged(NamedTuple):
    """What the log last says of a dongle."""

    generation: int
    sequence: int
    digest: str


class Signer:
    """A private key with its slot, its policy and its log. Several processes may share the log file."""

    def __init__(self, key: Ed25519PrivateKey, slot: int, log: Path, per_minute: int = PER_MINUTE) -> None:
        self._key, self._slot, self._per_minute = key, slot, per_minute
        self._log = log
        self._read_to = 0
        self._last: dict[str, Logged] = {}
        self._recent: deque[float] = deque()

    def sign(self, record: UnlockRecord) -> bytes:
        """The signed code of a record that the policy allows; the identical record logged before is signed again."""
        if record.slot != self._slot:
            raise SignerRefusal("unknown_key", f"This signer holds the key of slot {self._slot}, not {record.slot}.")
        if record.expiry_on - record.issued_on > FURTHEST:
            raise SignerRefusal("too_far_ahead", "No code may state a date more than ten years ahead.")
        digest = hashlib.sha256(message_of(record)).hexdigest()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a+b") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            self._catch_up(log)
            last = self._last.get(record.serial)
            if last is None or (last.generation, last.sequence) < (record.generation, record.sequence):
                self._check_rate()
                self._write(log, record, digest)
            elif last.digest != digest:
                raise SignerRefusal(
                    "number_used",
                    f"Number {last.generation}-{last.sequence} of dongle {record.serial} was given out already.",
                    last.generation,
                    last.sequence,
                )
        return sign(record, self._key)

    def _catch_up(self, log: Any) -> None:
        """Read what has been added since; a torn last line, of a crash before its signature, is cut off."""
        log.seek(self._read_to)
        for line in log:
            if not line.endswith(b"\n"):
                log.truncate(self._read_to)
                break
            entry = json.loads(line)
            self._last[entry["serial"]] = Logged(entry["generation"], entry["sequence"], entry["sha256"])
            self._read_to += len(line)

    def _check_rate(self) -> None:
        now = time.monotonic()
        while self._recent and now - self._recent[0] > 60:
            self._recent.popleft()
        if len(self._recent) >= self._per_minute:
            raise SignerRefusal("too_many_signatures", f"More than {self._per_minute} codes a minute are not signed.")
        self._recent.append(now)

    def _write(self, log: Any, record: UnlockRecord, digest: str) -> None:
        entry = {
            "serial": record.serial,
            "generation": record.generation,
            "sequence": record.sequence,
            "expiry_on": record.expiry_on.isoformat(),
            "sha256": digest,
            "logged_at": int(time.time()),
        }
        line = json.dumps(entry).encode() + b"\n"
        log.write(line)
        log.flush()
        os.fsync(log.fileno())
        self._last[record.serial] = Logged(record.generation, record.sequence, digest)
        self._read_to += len(line)


class SignerClient:
    """The portal's end of the signer's socket; signs as `Signer` does."""

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        self._path, self._timeout = path, timeout

    def sign(self, record: UnlockRecord) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._timeout)
            connection.connect(self._path)
            connection.sendall(json.dumps(record_as_json(record)).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline(LONGEST_REQUEST))
        if "refused" in answer:
            raise SignerRefusal(answer["refused"], answer["sentence"], answer["generation"], answer["sequence"])
        return bytes.fromhex(answer["code"])


def record_as_json(record: UnlockRecord) -> dict[str, Any]:
    return {
        "serial": record.serial,
        "slot": record.slot,
        "generation": record.generation,
        "sequence": record.sequence,
        "expiry_on": record.expiry_on.isoformat(),
        "issued_on": record.issued_on.isoformat(),
        "licences": [list(pair) for pair in record.licences],
    }


def record_from_json(values: dict[str, Any]) -> UnlockRecord:
    return UnlockRecord(
        serial=values["serial"],
        slot=values["slot"],
        generation=values["generation"],
        sequence=values["sequence"],
        expiry_on=date.fromisoformat(values["expiry_on"]),
        issued_on=date.fromisoformat(values["issued_on"]),
        licences=tuple((number, seats) for number, seats in values["licences"]),
    )


class RequestHandler(socketserver.StreamRequestHandler):
    timeout = 10
    server: "SignerServer"

    def handle(self) -> None:
        try:
            record = record_from_json(json.loads(self.rfile.readline(LONGEST_REQUEST)))
            answer: dict[str, Any] = {"code": self.server.signer.sign(record).hex()}
        except SignerRefusal as refusal:
            answer = {
                "refused": refusal.code,
                "sentence": refusal.sentence,
                "generation": refusal.generation,
                "sequence": refusal.sequence,
            }
        except (ValueError, KeyError, TypeError) as error:
            answer = {
                "refused": "malformed",
                "sentence": f"Not a record: {error}",
                "generation": 0,
                "sequence": 0,
            }
        self.wfile.write(json.dumps(answer).encode() + b"\n")


class SignerServer(socketserver.UnixStreamServer):
    """Answers one request at a time; who may connect is a matter of the socket's folder and mode (0660)."""

    def __init__(self, path: str, signer: Signer) -> None:
        Path(path).unlink(missing_ok=True)
        super().__init__(path, RequestHandler)
        Path(path).chmod(0o660)
        self.signer = signer


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dongles.signer", description="Sign unlock codes for the portal.")
    parser.add_argument("--socket", required=True, help="path of the unix socket to answer on")
    parser.add_argument("--key", required=True, type=Path, help="PEM file with the Ed25519 private key")
    parser.add_argument("--slot", required=True, type=int, help="key slot of the dongles that this key belongs to")
    parser.add_argument("--log", required=True, type=Path, help="append-only log of the numbers given out")
    options = parser.parse_args(arguments)
    passphrase = os.environ.get("SIGNER_PASSPHRASE")
    try:
        key = load_pem_private_key(options.key.read_bytes(), passphrase.encode() if passphrase else None)
    except (OSError, ValueError, TypeError) as error:
        print(f"The key file {options.key} can't be opened: {error}", file=sys.stderr)
        return 2
    if not isinstance(key, Ed25519PrivateKey):
        print(f"The key file {options.key} does not hold an Ed25519 key.", file=sys.stderr)
        return 2
    with SignerServer(options.socket, Signer(key, options.slot, options.log)) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The signer in a process of its own: its policy, its log, and what a kill, a restore and a second process do."""

import json
import socket
import threading
from datetime import date, timedelta

import pytest

from dongles.models import Dongle, UnlockCode
from dongles.signer import FURTHEST, Signer, SignerRefusal
from dongles.unlock import Outcome, apply_bytes, factory_state, sign
from portal.errors import DomainError
from tests import world
from tests.signer.conftest import KEY, SignerProcess, record

PUBLIC = KEY.public_key().public_bytes_raw()


def log_of(signer) -> list[dict]:
    return [json.loads(line) for line in signer.log.read_text().splitlines()]


def refusal_of(signer, asked) -> SignerRefusal:
    """The refusal, after which the log is as it was."""
    before = signer.log.read_bytes() if signer.log.exists() else b""
    with pytest.raises(SignerRefusal) as refused:
        signer.client.sign(asked)
    assert (signer.log.read_bytes() if signer.log.exists() else b"") == before
    return refused.value


def test_a_dongle_accepts_what_the_signer_signs(signer):
    code = signer.client.sign(record())
    outcome, state = apply_bytes(factory_state("104233", bytes(32), {0: PUBLIC}), code)
    assert (outcome, state.expiry_on) == (Outcome.APPLIED, date(2027, 3, 31))
    assert [(entry["serial"], entry["generation"], entry["sequence"]) for entry in log_of(signer)] == [("104233", 0, 1)]


def test_the_identical_record_is_signed_again_and_logged_once(signer):
    assert signer.client.sign(record()) == signer.client.sign(record()) == sign(record(), KEY)
    assert len(log_of(signer)) == 1


def test_a_number_given_out_is_refused_for_anything_else(signer):
    signer.client.sign(record(5))
    for asked in (record(5, expiry_on=date(2028, 3, 31)), record(5, licences=((101, 2),)), record(4)):
        refusal = refusal_of(signer, asked)
        assert (refusal.code, refusal.generation, refusal.sequence) == ("number_used", 0, 5)


def test_the_numbers_of_dongles_are_apart_and_a_new_generation_starts_again(signer):
    signer.client.sign(record(5))
    signer.client.sign(record(1, serial="104234"))
    signer.client.sign(record(1, generation=1))
    assert refusal_of(signer, record(6)).code == "number_used"


def test_another_slots_record_is_refused(signer):
    assert refusal_of(signer, record(slot=1)).code == "unknown_key"


def test_a_date_over_ten_years_ahead_is_refused_and_the_last_possible_one_signed(signer):
    last = date(2026, 2, 1) + FURTHEST
    assert refusal_of(signer, record(expiry_on=last + timedelta(days=1))).code == "too_far_ahead"
    assert signer.client.sign(record(expiry_on=last))


def test_more_signatures_than_a_minute_may_have_are_refused(tmp_path):
    signer = Signer(KEY, 0, tmp_path / "log", per_minute=2)
    signer.sign(record(1))
    signer.sign(record(2))
    with pytest.raises(SignerRefusal) as refused:
        signer.sign(record(3))
    assert refused.value.code == "too_many_signatures"
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    assert signer.sign(record(2)), "what is logged is signed again, however many were"


@pytest.mark.parametrize(
    "request_line",
    [b"", b"not json\n", b"[]\n", b'{"serial": "104233"}\n', b'{"serial": 5, "slot": "0"}\n', b"\xff\n"],
)
def test_what_is_no_record_is_refused_and_the_signer_goes_on(signer, request_line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(signer.socket))
        connection.sendall(request_line)
        connection.shutdown(socket.SHUT_WR)
        answer = json.loads(connection.makefile().readline())
    assert answer["refused"] == "malformed"
    assert not signer.log.exists()
    assert signer.client.sign(record())


@pytest.mark.parametrize(
    "fields",
    [{"licences": ((101, 0),)}, {"sequence": 0}, {"licences": ((102, 1), (101, 1))}, {"expiry_on": date(1999, 1, 1)}],
)
def test_a_record_that_no_code_can_hold_is_refused(signer, fields):
    assert refusal_of(signer, record(**fields)).code == "malformed"


def test_only_owner_and_group_may_use_the_socket(signer):
    assert signer.socket.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("passphrase", [None, "wrong"])
def test_without_its_passphrase_the_key_stays_closed(folder, passphrase):
    signer = SignerProcess(folder, passphrase=passphrase)
    _, said = signer.process.communicate(timeout=30)
    assert signer.process.returncode == 2
    assert "can't be opened" in said
    assert not signer.socket.exists()


def test_the_log_survives_a_kill(start_signer):
    first = start_signer()
    code = first.client.sign(record(3))
    first.kill()
    second = start_signer()
    assert refusal_of(second, record(3, expiry_on=date(2029, 3, 31))).sequence == 3
    assert second.client.sign(record(3)) == code


def test_a_torn_last_line_is_cut_off_and_its_number_is_free(start_signer):
    first = start_signer()
    first.client.sign(record(1))
    whole = first.log.read_bytes()
    first.client.sign(record(2))
    first.kill()
    first.log.write_bytes(first.log.read_bytes()[:-20])

    second = start_signer()
    second.client.sign(record(2, expiry_on=date(2028, 3, 31)))
    assert second.log.read_bytes().startswith(whole)
    assert [(entry["sequence"], entry["expiry_on"]) for entry in log_of(second)] == [
        (1, "2027-03-31"),
        (2, "2028-03-31"),
    ]


def test_two_processes_with_one_log_give_each_number_out_once(start_signer):
    signers = [start_signer("one"), start_signer("two")]
    given: list[tuple[int, date]] = []

    refused: list[str] = []

    def ask(signer, expiry_on: date) -> None:
        for sequence in range(1, 41):
            try:
                signer.client.sign(record(sequence, expiry_on=expiry_on))
                given.append((sequence, expiry_on))
            except SignerRefusal as refusal:
                refused.append(refusal.code)

    threads = [
        threading.Thread(target=ask, args=(signer, date(2027 + index, 3, 31))) for index, signer in enumerate(signers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequences = [sequence for sequence, _ in given]
    assert len(sequences) == len(set(sequences))
    assert [entry["sequence"] for entry in log_of(signers[0])] == sorted(sequences)
    assert max(sequences) == 40
    assert refused == ["number_used"] * (80 - len(given))


@pytest.fixture
def portal_with_signer(settings, folder, signer):
    """The portal as in production: the signer behind its socket, the public keys in a file."""
    keys = {"root": bytes(32).hex(), "slots": {"0": PUBLIC.hex()}, "signing_slot": 0}
    (folder / "unlock-keys.json").write_text(json.dumps(keys))
    settings.SIGNER_SOCKET, settings.UNLOCK_KEYS_FILE = str(signer.socket), str(folder / "unlock-keys.json")
    return signer


def test_the_portal_signs_through_the_socket(portal_with_signer, dongle):
    world.sell(dongle, "2026-02-01")
    assert (UnlockCode.objects.get().sequence, Dongle.objects.get().sequence) == (1, 1)
    assert log_of(portal_with_signer)[0]["expiry_on"] == "2027-03-31"


def test_after_a_restored_database_the_portal_takes_the_next_free_number(portal_with_signer, dongle):
    for sequence in (1, 2, 3):  # given out after the backup that was restored
        portal_with_signer.client.sign(record(sequence))
    world.sell(dongle, "2026-02-01")
    assert (UnlockCode.objects.get().sequence, Dongle.objects.get().sequence) == (4, 4)


def test_without_its_signer_the_portal_sells_nothing(portal_with_signer, dongle):
    version = world.send(dongle, "2026-02-01")
    portal_with_signer.kill()
    with pytest.raises(DomainError, match="signer_unavailable"):
        world.accept(version, "2026-02-01")
    version.refresh_from_db()
    assert (version.state, UnlockCode.objects.count(), Dongle.objects.get().sequence) == ("sent", 0, 0)

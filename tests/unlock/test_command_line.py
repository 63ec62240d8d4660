"""`python -m dongles.unlock`: each command, its JSON, its exit status, and what it says to bad input."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
VECTORS = PROJECT / "tests/vectors/unlock.json"


def run(*arguments, folder=PROJECT, module="dongles.unlock", given="", passphrase=None):
    environment = {key: value for key, value in os.environ.items() if key != "SMA_PASSPHRASE"}
    if passphrase is not None:
        environment["SMA_PASSPHRASE"] = passphrase
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A signing key, a root key, a dongle that knows both, and a code for it."""
    folder = tmp_path_factory.mktemp("bench")
    public = {
        name: json.loads(run("--json", "keygen", folder / f"{name}.pem").stdout)["public"] for name in ("root", "slot")
    }
    run("new", folder / "dongle.json", "--serial", "104-233", "--root", public["root"], "--slot", f"0={public['slot']}")
    signed = run(
        "sign",
        "--json",
        "--key",
        folder / "slot.pem",
        "--serial",
        "104233",
        "--sequence",
        1,
        "--expiry",
        "2027-03-31",
        "--licence",
        "101:1",
        "--issued",
        "2026-02-01",
    )
    return folder, public, json.loads(signed.stdout)["code"]


@pytest.fixture
def dongle(bench, tmp_path):
    return shutil.copy(bench[0] / "dongle.json", tmp_path / "dongle.json")


def test_a_code_is_applied_and_the_receipt_shown(bench, dongle):
    done = run("apply", dongle, bench[2], "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert (answer["outcome"], answer["expiry"], answer["licences"]) == ("applied", "2027-03-31", [[101, 1]])
    assert len(answer["receipt"]) == 8
    again = run("apply", dongle, "-", given=bench[2].lower())
    assert again.returncode == 0
    assert "applied before" in again.stdout
    assert answer["receipt"] in run("status", dongle).stdout


def test_each_refusal_has_its_exit_status(bench, dongle):
    folder, public, code = bench

    def signed(*more, key="slot"):
        usual = ["--serial", "104233", "--sequence", 5, "--issued", "2026-02-01"]
        done = run("sign", "--json", "--key", folder / f"{key}.pem", *usual, *more)
        return json.loads(done.stdout)["code"]

    assert run("apply", dongle, code[:-1]).returncode == 3
    assert run("apply", dongle, signed("--serial", "999")).returncode == 4
    assert run("apply", dongle, signed("--slot", 9)).returncode == 5
    assert run("apply", dongle, signed(key="root")).returncode == 6
    assert run("apply", dongle, signed("--generation", 2)).returncode == 8
    assert run("apply", dongle, signed()).returncode == 0
    assert run("apply", dongle, code).returncode == 7
    key_code = signed("--new-slot", 4, "--new-key", public["slot"], "--generation", 1, key="root")
    assert run("apply", dongle, key_code).returncode == 0
    assert json.loads(run("status", dongle, "--json").stdout)["slots"]["4"] == public["slot"]


def test_inspect_says_what_a_code_will_do(bench):
    _, public, code = bench
    answer = json.loads(run("inspect", code, "--json", "--serial", "104233", "--key", public["slot"]).stdout)
    assert (answer["operation"], answer["expiry"], answer["signed_by_this_key"]) == ("set", "2027-03-31", True)
    assert run("inspect", code, "--serial", "104233", "--key", public["root"]).returncode == 6
    assert run("inspect", code, "--serial", "104234").returncode == 4


def test_inspect_names_the_wrong_row_and_offers_a_correction_that_verifies(bench):
    _, public, code = bench
    typed = code[:20] + ("0" if code[20] != "0" else "1") + code[21:]
    plain = run("inspect", typed)
    assert plain.returncode == 3
    assert "row 2" in plain.stderr
    assert "should read" not in plain.stderr
    helped = run("inspect", typed, "--serial", "104233", "--key", public["slot"])
    assert f"Row 2 should read {code[18:22]}-" in helped.stderr


def test_replay_prints_what_the_vectors_expect():
    for arguments, given in ((["replay", VECTORS], ""), (["replay", "-"], VECTORS.read_text())):
        done = run(*arguments, given=given)
        assert done.returncode == 0
        life = json.loads(VECTORS.read_text())["life"]
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(lines) == len(life)
        for line, step in zip(lines, life, strict=True):
            assert line == {key: step[key] for key in line}, step["why"]


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(bench):
    assert (bench[0] / "slot.pem").stat().st_mode & 0o777 == 0o600
    again = run("keygen", bench[0] / "slot.pem")
    assert again.returncode == 2
    assert "never overwritten" in again.stderr


def test_a_key_can_be_locked_with_a_passphrase(tmp_path):
    run("keygen", tmp_path / "key.pem", "--encrypt", passphrase="open sesame")
    assert "ENCRYPTED" in (tmp_path / "key.pem").read_text()
    sign = ["sign", "--key", tmp_path / "key.pem", "--serial", "1", "--sequence", "1"]
    assert run(*sign, passphrase="open sesame").returncode == 0
    wrong = run(*sign, passphrase="wrong")
    assert wrong.returncode == 2
    assert "passphrase is wrong" in wrong.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "/no/such/file"],
        ["status", VECTORS],
        ["replay", "/no/such/file"],
        ["replay", PROJECT / "pyproject.toml"],
        ["new", "x.json", "--serial", "not/a/serial", "--root", "00"],
        ["sign", "--key", VECTORS, "--serial", "1", "--sequence", "1"],
        ["sign", "--key", "x", "--serial", "1", "--sequence", "1", "--expiry", "soon"],
        ["sign", "--key", "x", "--serial", "1", "--sequence", "1", "--licence", "many"],
        ["nonsense"],
        [],
    ],
    ids=str,
)
def test_what_is_asked_wrongly_gets_a_sentence_and_status_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.strip()


def test_a_number_that_no_code_can_state_is_not_signed(bench):
    done = run("sign", "--key", bench[0] / "slot.pem", "--serial", "1", "--sequence", "0")
    assert done.returncode == 2
    assert "can't be signed" in done.stderr


def test_the_folder_works_alone_and_knows_no_django(tmp_path):
    shutil.copytree(PROJECT / "dongles/unlock", tmp_path / "unlock", ignore=shutil.ignore_patterns("__pycache__"))
    done = run("replay", VECTORS, folder=tmp_path, module="unlock")
    assert done.returncode == 0
    strangers = "('django', 'portal', 'dongles')"
    script = f"import sys, unlock; sys.exit(any(name.split('.')[0] in {strangers} for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False).returncode == 0

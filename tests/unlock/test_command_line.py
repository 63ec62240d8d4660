"""`python -m dongles.unlock`: each command, its JSON, its exit status, and what it says to bad input."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
VECTORS = PROJECT / "tests/vectors/unlock.json"
STATE = json.dumps(json.loads(VECTORS.read_text())["dongle"])


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
        usual = ["--serial", "104233", "--sequence", 5, "--issued", "2026-02-01", "--expiry", "2026-12-31"]
        done = run("sign", "--json", "--key", folder / f"{key}.pem", *usual, *more)
        return json.loads(done.stdout)["code"]

    fresh = Path(dongle).read_bytes()
    assert run("apply", dongle, code[:-1]).returncode == 3
    assert run("apply", dongle, signed("--serial", "999")).returncode == 4
    assert run("apply", dongle, signed("--slot", 9)).returncode == 5
    assert run("apply", dongle, signed(key="root")).returncode == 6
    assert run("apply", dongle, signed("--generation", 2)).returncode == 8
    assert Path(dongle).read_bytes() == fresh
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
    words = run("inspect", code, "--serial", "104233", "--key", public["slot"])
    assert words.returncode == 0
    # the tag is the first four bytes of SHA-256 of "104233"
    for said in (
        f"Code 0-1 for the dongle with tag {hashlib.sha256(b'104233').hexdigest()[:8]}, issued on 2026-02-01",
        "Sets the SMA expiry date to 2027-03-31.",
        "Sets the licences to: product 101 × 1.",
        "It is for dongle 104233.",
        "The signature is that of the key.",
    ):
        assert said in words.stdout
    stranger = run("inspect", code, "--serial", "104233", "--key", public["root"])
    assert "The signature is not that of the key." in stranger.stdout


def test_inspect_says_what_a_key_code_will_do(bench):
    folder, public, _ = bench
    usual = ["--key", folder / "root.pem", "--serial", "104233", "--sequence", 5, "--generation", 1]
    done = run("sign", "--json", *usual, "--new-slot", 4, "--new-key", public["slot"])
    words = run("inspect", json.loads(done.stdout)["code"]).stdout
    assert f"Puts the public key {public['slot']} into slot 4." in words
    assert "SMA expiry date and licences stay as they are." in words
    assert "said to be signed with the root key" in words


def test_inspect_names_the_wrong_row_and_offers_a_correction_that_verifies(bench):
    _, public, code = bench
    typed = code[:20] + ("0" if code[20] != "0" else "1") + code[21:]
    plain = run("inspect", typed)
    assert plain.returncode == 3
    assert "row 2" in plain.stderr
    assert "should read" not in plain.stderr
    helped = run("inspect", typed, "--serial", "104233", "--key", public["slot"])
    assert f"Row 2 should read {code[18:22]}-" in helped.stderr
    in_json = run("inspect", typed, "--serial", "104233", "--key", public["slot"], "--json")
    assert in_json.returncode == 3
    answer = json.loads(in_json.stdout)
    assert (answer["outcome"], answer["wrong_rows"], answer["correction"]) == ("malformed", [2], code)
    stranger = run("inspect", typed, "--serial", "104233", "--key", public["root"], "--json")
    assert json.loads(stranger.stdout)["correction"] is None


def test_inspect_names_the_row_with_a_letter_that_no_code_has(bench):
    _, public, code = bench
    typed = code[:20] + "$" + code[21:]
    done = run("inspect", typed, "--serial", "104233", "--key", public["slot"], "--json")
    assert done.returncode == 3
    answer = json.loads(done.stdout)
    assert answer["error"] == "This is no unlock code: “$” in row 2 is no letter of a code."
    assert (answer["wrong_rows"], answer["correction"]) == ([2], None)


def test_a_signed_code_is_shown_in_numbered_rows(bench):
    folder, _, code = bench
    usual = ["--serial", "104233", "--sequence", 1, "--licence", "101:1", "--issued", "2026-02-01"]
    shown = run("sign", "--key", folder / "slot.pem", *usual, "--expiry", "2027-03-31").stdout
    rows = shown.splitlines()
    # one licence: 132 letters in 9 rows, the last of 4 letters and 2 check letters
    assert [row[:4] for row in rows] == [f" {number}  " for number in range(1, 10)]
    assert "".join(row[4:] for row in rows).replace("-", "").replace(" ", "") == code
    assert len(rows[-1][4:]) == len("ABCD TV")


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
    sign = ["sign", "--key", tmp_path / "key.pem", "--serial", "1", "--sequence", "1", "--expiry", "2027-03-31"]
    assert run(*sign, passphrase="open sesame").returncode == 0
    wrong = run(*sign, passphrase="wrong")
    assert wrong.returncode == 2
    assert "passphrase is wrong" in wrong.stderr
    unasked = run(*sign)  # no variable and no terminal
    assert unasked.returncode == 2
    assert "SMA_PASSPHRASE" in unasked.stderr


def test_a_passphrase_in_the_environment_is_never_ignored(tmp_path):
    run("keygen", tmp_path / "key.pem", passphrase="open sesame")
    assert "ENCRYPTED" in (tmp_path / "key.pem").read_text()
    assert run("keygen", tmp_path / "none.pem", passphrase="").returncode == 2
    assert not (tmp_path / "none.pem").exists()


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
        ["sign", "--key", "x", "--serial", "1", "--sequence", "1"],
        ["sign", "--key", "/no/such/key", "--serial", "1", "--sequence", "1", "--expiry", "2027-03-31"],
        ["sign", "--key", "x", "--serial", "1", "--sequence", "9" * 5000, "--expiry", "2027-03-31"],
        ["keygen", "/no/such/folder/key.pem"],
        ["new", "/no/such/folder/x.json", "--serial", "1", "--root", "00" * 32],
        ["new", "x.json", "--serial", "1", "--root", "00" * 32, "--slot", f"255={'00' * 32}"],
        ["new", "x.json", "--serial", "1", "--root", "00" * 32, "--slot", "zero"],
        ["apply", "/no/such/file", "ABC"],
        ["inspect", "ABC", "--key", "00" * 32],
        ["nonsense"],
        [],
    ],
    ids=lambda arguments: " ".join(map(str, arguments))[:60],
)
def test_what_is_asked_wrongly_gets_a_sentence_and_status_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "[Errno" not in done.stderr


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '"x"', "[" * 100_000, '{"dongle": {}, "life": []}', "\x00"]
    + [f'{{"dongle": {STATE}, "life": {life}}}' for life in ("5", "[5]", "[{}]", '[{"code": 5}]', "{}x")],
    ids=lambda text: text[:40],
)
def test_a_document_that_holds_no_life_gets_a_sentence(text):
    done = run("replay", "-", given=text)
    assert done.returncode == 2
    assert "holds no `dongle`" in done.stderr
    assert done.stdout == ""


def test_a_refusal_in_json_is_told_in_json():
    done = run("--json", "replay", "-", given="{}")
    assert (done.returncode, done.stderr) == (2, "")
    assert "holds no `dongle`" in json.loads(done.stdout)["error"]


def test_bytes_that_are_no_text_are_malformed(dongle):
    done = subprocess.run(
        [sys.executable, "-m", "dongles.unlock", "apply", dongle, "-"],
        input=b"\xff\xfe\x00",
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, b"")


def test_two_hands_at_one_dongle_do_not_lose_or_tear_its_state(bench, dongle):
    folder = bench[0]
    usual = ["--key", folder / "slot.pem", "--serial", "104233", "--expiry", "2027-03-31", "--issued", "2026-02-01"]
    codes = [json.loads(run("sign", "--json", *usual, "--sequence", n).stdout)["code"] for n in range(1, 7)]
    command = [sys.executable, "-m", "dongles.unlock", "apply", dongle]
    hands = [
        subprocess.Popen([*command, code], cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for code in codes
    ]
    # each is applied, or superseded (7) by a higher number that came first; whichever way, the highest stands
    assert {hand.wait(timeout=60) for hand in hands} <= {0, 7}
    assert json.loads(run("status", dongle, "--json").stdout)["sequence"] == 6


def test_a_number_that_no_code_can_state_is_not_signed(bench):
    usual = ["--key", bench[0] / "slot.pem", "--serial", "1"]
    for asked in (
        ["--sequence", 0, "--expiry", "2027-03-31"],
        ["--sequence", 1, "--expiry", "1999-12-31"],
        ["--sequence", 1, "--expiry", "2179-06-07"],
        ["--sequence", 1, "--expiry", "2027-03-31", "--licence", "7:65536"],
        ["--sequence", 1, "--expiry", "2027-03-31", "--licence", "7:1", "--licence", "7:2"],
        ["--sequence", 1, "--expiry", "2027-03-31", "--new-slot", 4],
    ):
        done = run("sign", *usual, *asked)
        assert done.returncode == 2, asked
        assert "can't be signed" in done.stderr
        assert done.stdout == ""


def test_the_folder_works_alone_and_knows_no_django(tmp_path):
    shutil.copytree(PROJECT / "dongles/unlock", tmp_path / "unlock", ignore=shutil.ignore_patterns("__pycache__"))
    done = run("replay", VECTORS, folder=tmp_path, module="unlock")
    assert done.returncode == 0
    strangers = "('django', 'portal', 'dongles')"
    script = f"import sys, unlock; sys.exit(any(name.split('.')[0] in {strangers} for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False).returncode == 0

"""The state of a simulated dongle survives a kill at any moment: wholly the old or wholly the new."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from dongles.unlock import apply_bytes, sign
from dongles.unlock.statefile import NotAStateFile, read_state, state_as_json, state_from_json, write_state
from tests.unlock.keys import SLOT, fresh, record

# The child applies code after code; at a named call of the operating system it is killed without warning.
CHILD = """
import os, signal, sys
from pathlib import Path
from dongles.unlock import apply_bytes, sign
from dongles.unlock.statefile import read_state, write_state
from tests.unlock.keys import SLOT, record

path, call, moment, endless = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "endless"
spared = int(sys.argv[5])

def deadly(original):
    def run(*args, **kwargs):
        global spared
        if spared:
            spared -= 1
            return original(*args, **kwargs)
        if moment == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    return run

state = read_state(path)
if call != "none":
    setattr(os, call, deadly(getattr(os, call)))
    if call == "replace":
        Path.replace = deadly(Path.replace)
while True:
    print("ready", flush=True)
    outcome, state = apply_bytes(state, sign(record(sequence=state.sequence + 1), SLOT))
    write_state(path, state)
    if not endless:
        break
"""


def start(path, call="none", moment="before", endless="once", spared=0):
    arguments = [sys.executable, "-c", CHILD, str(path), call, moment, endless, str(spared)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()})


def test_a_state_is_read_back(tmp_path):
    _, state = apply_bytes(fresh(), sign(record(), SLOT))
    write_state(tmp_path / "dongle.json", state)
    assert read_state(tmp_path / "dongle.json") == state
    assert state_from_json(state_as_json(state)) == state


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"serial": 5}', '{"serial": "1", "root": "zz", "slots": {}}', "null", "[" * 100_000],
    ids=lambda text: text[:40],
)
def test_a_file_that_holds_something_else_is_said_to(tmp_path, text):
    path = tmp_path / "dongle.json"
    path.write_text(text)
    with pytest.raises(NotAStateFile):
        read_state(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"serial": "not/a/serial"},
        {"root": "00"},
        {"slots": []},
        {"slots": {"255": "00" * 32}},
        {"slots": {"0": 5}},
        {"generation": 256},
        {"generation": True},
        {"sequence": -1},
        {"sequence": 1e999},
        {"sequence": "1"},
        {"expiry": "1999-12-31"},
        {"expiry": 5},
        {"licences": [[1]]},
        {"licences": [[2, 1], [1, 1]]},
        {"licences": [[0, 1]]},
        {"applied": "00"},
    ],
    ids=str,
)
def test_a_state_that_no_dongle_can_have_is_not_read(tmp_path, wrong):
    path = tmp_path / "dongle.json"
    path.write_text(json.dumps(state_as_json(fresh()) | wrong))
    with pytest.raises(NotAStateFile):
        read_state(path)


@pytest.mark.parametrize(
    ("call", "spared", "moment", "expected"),
    [
        ("fsync", 0, "before", 0),  # written beside, not on the disk
        ("fsync", 0, "after", 0),
        ("replace", 0, "before", 0),
        ("replace", 0, "after", 1),
        ("open", 0, "before", 1),  # the folder, to force the new name to the disk
        ("fsync", 1, "before", 1),
        ("fsync", 1, "after", 1),
    ],
)
def test_killed_between_write_and_rename_the_state_is_whole(tmp_path, call, spared, moment, expected):
    path = tmp_path / "dongle.json"
    old = fresh()
    write_state(path, old)
    child = start(path, call, moment, spared=spared)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    _, new = apply_bytes(old, sign(record(sequence=1), SLOT))
    assert read_state(path) == (new if expected else old)
    # and the next code goes in as if nothing had been
    child = start(path)
    child.communicate(timeout=60)
    assert child.returncode == 0


def test_killed_at_any_moment_the_state_is_whole(tmp_path):
    path = tmp_path / "dongle.json"
    write_state(path, fresh())
    moments = random.Random(7)
    last = 0
    for _ in range(20):
        child = start(path, endless="endless")
        assert child.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0, 0.05))
        child.kill()
        child.communicate(timeout=60)
        state = read_state(path)
        assert state.sequence >= last
        assert (state.sequence == 0) == (state.applied_hash is None)
        last = state.sequence
    assert last > 0

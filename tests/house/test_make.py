"""make says what lacks, in a sentence that says what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with nothing but the Makefile and the locks, whose path has a space."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements-dev.lock", "requirements-uv.lock"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


def make(folder, *words):
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


def interpreter(folder, script):
    """Something that PYTHON can name."""
    path = folder / "python-of-the-test"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return "PYTHON=./python-of-the-test"


def test_make_alone_explains_its_targets(elsewhere):
    finished = make(elsewhere)
    assert finished.returncode == 0
    for target in ("run", "test", "bench", "lock", "clean"):
        assert f"make {target} " in finished.stdout
    assert not (elsewhere / ".venv").exists()


def test_a_python_that_is_too_old_is_named_and_nothing_is_made(elsewhere):
    old = interpreter(elsewhere, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    finished = make(elsewhere, "run", old)
    assert finished.returncode != 0
    assert "Python 3.11 or newer is needed; ./python-of-the-test is Python 3.9.2." in finished.stderr
    assert "make run PYTHON=" in finished.stderr
    assert not (elsewhere / ".venv").exists()


def test_an_absent_python_is_named_and_nothing_is_made(elsewhere):
    finished = make(elsewhere, "test", "PYTHON=./no-such-python")
    assert finished.returncode != 0
    assert "Python 3.11 or newer is needed" in finished.stderr
    assert not (elsewhere / ".venv").exists()


def test_a_python_without_its_venv_module_gets_the_package_to_install(elsewhere):
    bare = interpreter(elsewhere, 'case "$2" in *ensurepip*) exit 1;; *version*) echo 3.11.2;; esac')
    finished = make(elsewhere, "run", bare)
    assert finished.returncode != 0
    assert "apt-get install python3-venv" in finished.stderr
    assert not (elsewhere / ".venv").exists()


def test_a_failing_step_of_the_tests_is_named_and_ends_them(elsewhere):
    makefile = (elsewhere / "Makefile").read_text()
    (elsewhere / "Makefile").write_text(makefile.replace("-m ruff check", "-c 'raise SystemExit(1)'"))
    # A virtual environment of which only the interpreter is asked for.
    ready = interpreter(elsewhere, 'case "$2" in *version*) echo 3.11.2;; esac')
    (elsewhere / ".venv" / "bin").mkdir(parents=True)
    (elsewhere / ".venv" / "bin" / "python").symlink_to(shutil.which("false"))
    (elsewhere / ".venv" / "pyvenv.cfg").write_text(f"version = 3.11.2\ncommand = venv {elsewhere}/.venv\n")
    locks = b"".join((elsewhere / name).read_bytes() for name in ("requirements-dev.lock", "requirements-uv.lock"))
    sum_of_locks = subprocess.run(["cksum"], input=locks, capture_output=True, check=True).stdout
    (elsewhere / ".venv" / "locked").write_bytes(sum_of_locks)
    finished = make(elsewhere, "test", ready)
    assert finished.returncode != 0
    assert "failed at: ruff check" in finished.stderr
    assert "ruff format" not in finished.stdout

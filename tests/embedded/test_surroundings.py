"""Paths, users, disks and binaries as they come."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from portal.embedded.binaries import find_binaries

from .conftest import CHECKOUT

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: only root can become another user or mount a disk")


def migrate(place, **environment):
    """manage.py migrate as a person would run it; returns (exit status, what it said on standard error)."""
    finished = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks"],
        cwd=CHECKOUT,
        env=place.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stderr


@pytest.mark.parametrize("name", ["with spaces, commas and 'quotes'", "ünïcödé", "long/" * 40 + "path"])
def test_any_path_will_do(make_place, tmp_path, name):
    place = make_place(tmp_path / name)
    assert place.start_client().ask("SELECT current_database()") == [["kept"]]
    assert len(os.fsencode(place.server.running().socket_folder)) < 90


@needs_root
def test_root_has_a_server_that_runs_without_its_rights(place):
    client = place.start_client()
    assert client.ask("SELECT 1") == [[1]]
    status = Path(f"/proc/{place.postmaster_pid()}/status").read_text()
    in_namespace = os.readlink(f"/proc/{place.postmaster_pid()}/ns/user") != os.readlink("/proc/self/ns/user")
    assert in_namespace or "Uid:\t0" not in status


@needs_root
def test_root_without_user_namespaces_runs_the_server_as_another_user(place, tmp_path):
    refusing = tmp_path / "bin" / "unshare"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    mode_before = tmp_path.parent.stat().st_mode
    client = place.start_client(PATH=f"{refusing.parent}:{os.environ['PATH']}")
    assert client.ask("SELECT 1") == [[1]]
    assert place.server.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert "Uid:\t0" not in Path(f"/proc/{place.postmaster_pid()}/status").read_text()
    assert tmp_path.parent.stat().st_mode == mode_before
    client.leave()
    place.wait_until_at_rest()
    # The data stay with that user, also where namespaces are permitted again.
    assert place.start_client().ask("SELECT current_database()") == [["kept"]]


@needs_root
def test_an_ordinary_user_has_a_server(place):
    nobody = pwd.getpwnam("nobody")
    local = place.server.folder.parent
    local.mkdir()
    os.chown(local, nobody.pw_uid, nobody.pw_gid)
    # The capability lets the user read this interpreter and the folder above, which may be closed to others.
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    client = place.start_client(prefix=become)
    assert client.ask("SELECT 1") == [[1]]
    assert place.server.data.stat().st_uid == nobody.pw_uid


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_of_somebody_else_is_refused_with_a_sentence(place):
    place.server.folder.mkdir(parents=True)
    place.server.folder.chmod(0o500)
    status, said = migrate(place)
    place.server.folder.chmod(0o700)
    assert status == 1
    assert "PostgreSQL cannot use the folder" in said
    assert "Traceback" not in said


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 80 MB: room for a cluster and little more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"SKIPPED: no small disk to be had here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk, leave):
    filler = disk / "filler"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with open(filler, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, room - leave)
    return filler


@needs_root
@pytest.mark.parametrize("megabytes_left", [0, 20])
def test_a_full_disk_gets_a_sentence_and_leaves_no_half_cluster(make_place, small_disk, megabytes_left):
    filler = fill(small_disk, leave=megabytes_left * 2**20)
    place = make_place(small_disk / "local")
    status, said = migrate(place)
    assert status == 1
    assert "Traceback" not in said
    assert "disk" in said or "No space left" in said
    assert not list(place.server.folder.glob("data*"))

    filler.unlink()
    assert place.start_client().ask("SELECT 1") == [[1]]


@needs_root
def test_a_disk_that_fills_up_later_gets_a_sentence_and_keeps_the_data(make_place, small_disk):
    place = make_place(small_disk / "local")
    client = place.start_client()
    client.ask("CREATE TABLE kept (n int)")
    client.ask("INSERT INTO kept VALUES (42)")
    client.leave()
    place.wait_until_at_rest()
    filler = fill(small_disk, leave=0)
    status, said = migrate(place)
    assert status == 1
    assert "full" in said
    assert "Traceback" not in said

    filler.unlink()
    assert place.start_client().ask("SELECT n FROM kept") == [[42]]


def test_a_folder_without_the_programs_gets_a_sentence_and_nothing_is_made(place, tmp_path):
    status, said = migrate(place, PORTAL_POSTGRES_BIN=str(tmp_path))
    assert status == 1
    assert "PostgreSQL 15 to 18 was not found" in said
    assert "PORTAL_POSTGRES_BIN" in said
    assert "Traceback" not in said
    assert not place.server.data.exists()


def test_programs_that_do_not_run_get_a_sentence(place, tmp_path):
    for name in ("postgres", "initdb", "pg_isready"):
        (tmp_path / name).write_text("not a program")
        (tmp_path / name).chmod(0o755)
    status, said = migrate(place, PORTAL_POSTGRES_BIN=str(tmp_path))
    assert status == 1
    assert "does not run" in said
    assert "Traceback" not in said


def test_data_of_a_version_that_is_not_installed_are_refused_with_a_sentence(place):
    client = place.start_client()
    assert client.ask("SELECT 1") == [[1]]
    client.leave()
    place.wait_until_at_rest()
    (place.server.data / "PG_VERSION").write_text("14\n")
    status, said = migrate(place)
    assert status == 1
    assert "was made by PostgreSQL 14" in said
    assert "Traceback" not in said
    assert (place.server.data / "PG_VERSION").read_text() == "14\n"


def test_data_of_another_installed_version_are_served_by_that_version(place):
    older = Path("/usr/lib/postgresql/15/bin")
    if not (older / "initdb").exists() or find_binaries().major == 15:
        pytest.skip("SKIPPED: no second version of PostgreSQL is installed (15)")
    client = place.start_client(PORTAL_POSTGRES_BIN=str(older))
    assert client.ask("SELECT upper('é')") == [["É"]]
    client.leave()
    place.wait_until_at_rest()
    assert place.start_client().ask("SHOW server_version_num")[0][0].startswith("15")

"""The server lives as long as its clients, however they come and go."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import CHECKOUT, wait_for


def test_a_command_that_opens_no_connection_starts_no_server(place):
    code = "import django; django.setup(); from django.db import connection; connection.ops"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=place.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        check=True,
    )
    assert not place.server.folder.exists()


def test_the_first_connection_starts_the_server_and_makes_the_database(place):
    client = place.start_client()
    assert not place.server.folder.exists()
    assert client.ask("SELECT current_database()") == [["kept"]]
    assert client.ask("SHOW listen_addresses") == [[""]]
    assert client.ask("SHOW server_encoding") == [["UTF8"]]
    # Case is folded beyond ASCII, which searching for a customer's name relies on.
    assert client.ask("SELECT upper('é')") == [["É"]]
    folder = Path(place.server.running().socket_folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_last_client_to_leave_stops_the_server_and_its_data_are_kept(place):
    first, second = place.start_client(), place.start_client()
    first.ask("CREATE TABLE mark (n int)")
    second.ask("INSERT INTO mark VALUES (1)")
    server, postmaster = place.server.running(), place.postmaster_pid()
    first.leave()
    assert second.ask("SELECT n FROM mark") == [[1]]
    second.leave()
    place.wait_until_at_rest()
    for pid in (server.supervisor_pid, postmaster):
        wait_for(lambda pid=pid: not is_running(pid))
    assert not Path(server.socket_folder).exists()

    assert place.start_client().ask("SELECT n FROM mark") == [[1]]


def test_clients_that_start_at_once_share_one_server(place):
    clients = [place.start_client() for _ in range(5)]
    for client in clients:
        client.send("SELECT pg_postmaster_start_time()::text, current_database()")
    answers = [client.next_answer() for client in clients]
    assert answers == [answers[0]] * 5
    assert answers[0][0][1] == "kept"


@pytest.mark.parametrize("seconds_later", [0, 0.02, 0.05, 0.1])
def test_a_client_that_arrives_while_the_last_one_leaves_is_served(place, seconds_later):
    """Before the supervisor notices, while it stops the server (some 100 ms), and as it ends."""
    leaving = place.start_client()
    leaving.ask("CREATE TABLE arrival (n int)")
    for n in range(3):
        arriving = place.start_client()
        leaving.process.stdin.close()
        if seconds_later:
            leaving.process.wait()
            time.sleep(seconds_later)
        assert arriving.ask(f"INSERT INTO arrival VALUES ({n}) RETURNING n") == [[n]]
        leaving = arriving
    assert leaving.ask("SELECT count(*) FROM arrival") == [[3]]


def test_ctrl_c_does_not_take_the_server_from_a_client_that_is_still_ending(place):
    client = place.start_client("INSERT INTO words VALUES ('last') RETURNING said")
    client.ask("CREATE TABLE words (said text)")
    client.interrupt()
    assert client.next_answer() == [["last"]]
    client.process.wait()
    place.wait_until_at_rest()
    assert place.start_client().ask("SELECT said FROM words") == [["last"]]


def test_the_command_line_tells_whether_the_server_runs_and_stops_it(place):
    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "portal.embedded", *words],
            cwd=CHECKOUT,
            env=place.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert command("status").returncode == 1
    assert command("psql-url").returncode == 1
    assert command("walk").returncode == 2
    assert not place.server.folder.exists()

    client = place.start_client()
    before = client.ask("SELECT pg_postmaster_start_time()::text")
    assert command("status").stdout.startswith("running")
    assert command("psql-url", "kept").stdout.startswith("postgresql://postgres@/kept?host=")
    assert command("stop").returncode == 0
    place.wait_until_at_rest()
    # A client that stays behind gets a server again.
    answers = [client.ask("SELECT pg_postmaster_start_time()::text") for _ in range(2)]
    assert "error" in answers[0]
    assert answers[1] > before


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

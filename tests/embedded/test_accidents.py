"""Whatever is killed, the next connection has a server, and what was committed is still there."""

import os
import signal
import time

import pytest


@pytest.fixture
def client(place):
    """A client that has committed a row; on a server as safe as the demo's."""
    place.environment["PORTAL_EMBEDDED_DURABLE"] = "1"
    client = place.start_client()
    client.ask("CREATE TABLE kept (n int)")
    client.ask("INSERT INTO kept VALUES (42)")
    return client


def row_in(client):
    return client.ask("SELECT n FROM kept")


def test_a_killed_client_leaves_no_server_behind(place, client):
    client.kill()
    place.wait_until_at_rest()
    assert row_in(place.start_client()) == [[42]]


def test_a_client_killed_while_it_starts_the_server_leaves_nothing_behind(place):
    client = place.start_client()
    client.send("SELECT 1")
    while not (place.server.folder / "supervisor.lock").exists():
        pass
    client.kill()
    assert place.start_client().ask("SELECT 1") == [[1]]


def test_after_a_killed_postmaster_the_same_client_gets_a_new_server(place, client):
    os.kill(place.postmaster_pid(), signal.SIGKILL)
    place.wait_until_at_rest()
    assert "error" in row_in(client)  # the statement that met the dead server fails, as it must
    assert row_in(client) == [[42]]


def test_after_a_killed_postmaster_a_new_client_gets_a_new_server(place, client):
    first = place.postmaster_pid()
    os.kill(first, signal.SIGKILL)
    assert row_in(place.start_client()) == [[42]]
    assert place.postmaster_pid() != first


def test_a_killed_supervisor_takes_its_server_with_it_and_the_next_client_gets_a_new_one(place, client):
    supervisor = place.server.running().supervisor_pid
    os.kill(supervisor, signal.SIGKILL)
    assert row_in(place.start_client()) == [[42]]
    assert place.server.running().supervisor_pid != supervisor
    answers = [row_in(client) for _ in range(2)]
    assert answers[1] == [[42]]


def test_a_new_server_waits_until_the_one_without_its_supervisor_has_stopped(place, client):
    left_over = place.postmaster_pid()
    newcomer = place.start_client()
    os.kill(left_over, signal.SIGSTOP)  # as slow as can be
    try:
        os.kill(place.server.running().supervisor_pid, signal.SIGKILL)
        newcomer.send("SELECT n FROM kept")
        time.sleep(1)
        assert place.postmaster_pid() == left_over
    finally:
        os.kill(left_over, signal.SIGCONT)
    assert newcomer.next_answer() == [[42]]
    assert place.postmaster_pid() != left_over


def test_everything_killed_at_once_leaves_nothing_in_the_way(place, client):
    sockets = place.server.running().socket_folder
    for pid in (place.server.running().supervisor_pid, place.postmaster_pid()):
        os.kill(pid, signal.SIGKILL)
    client.kill()
    assert row_in(place.start_client()) == [[42]]
    assert not os.path.exists(sockets)


def test_a_stale_process_number_that_another_program_has_by_now_does_not_stop_the_server(place, client):
    os.kill(place.server.running().supervisor_pid, signal.SIGKILL)
    client.kill()
    place.wait_until_at_rest()
    # As after a restart of the machine: the number in the file is that of a living program of the same user.
    (place.server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{place.server.data}\n0\n5432\n\n\n\nready   \n")
    assert row_in(place.start_client()) == [[42]]


def test_a_crashed_backend_is_recovered_from_while_clients_stay(place, client):
    (backend,) = client.ask("SELECT pg_backend_pid()")[0]
    other = place.start_client()
    assert row_in(other) == [[42]]
    os.kill(backend, signal.SIGKILL)
    assert "error" in row_in(client)
    assert row_in(client) == [[42]]
    assert [row_in(other) for _ in range(2)][1] == [[42]]

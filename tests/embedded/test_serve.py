"""manage.py serve: the portal on this machine, on top of the embedded server."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from .conftest import CHECKOUT, wait_for


@pytest.fixture
def serve(place):
    """Start manage.py serve in a session of its own, as a terminal would."""
    started = []

    def start(port):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=CHECKOUT,
            env=place.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manage(place, *words):
    environment = place.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    subprocess.run([sys.executable, "manage.py", *words], cwd=CHECKOUT, env=environment, check=True, timeout=120)


def test_ctrl_c_ends_the_portal_and_then_its_database(serve, place, port):
    manage(place, "migrate", "--verbosity", "0")
    manage(place, "demo", "--history", "0")
    process = serve(port)
    said = [process.stdout.readline() for _ in range(4)]
    assert f"http://127.0.0.1:{port}/" in said[1]
    assert said[2].split()[:2] == ["sales@vendor.example", "sales"]
    assert status_of(f"http://127.0.0.1:{port}/static/portal/portal.css") == 200
    assert status_of(f"http://127.0.0.1:{port}/accounts/login/") == 200
    assert place.server.running()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    assert "Traceback" not in process.stderr.read()
    wait_for(place.is_at_rest)


def test_an_empty_database_gets_a_sentence(serve, port):
    process = serve(port)
    assert process.wait(30) == 1
    said = process.stderr.read()
    assert "begin with make run" in said
    assert "Traceback" not in said


def test_a_taken_port_gets_a_sentence_with_another_one_and_starts_nothing(serve, place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = serve(port)
        assert process.wait(30) == 1
    said = process.stderr.read()
    assert f"Port {port} cannot be used" in said
    assert f"make run PORT={port + 1}" in said
    assert "Traceback" not in said
    assert not place.server.folder.exists()

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


def test_ctrl_c_ends_the_portal_and_then_its_database(serve, place):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = serve(port)
    assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
    assert status_of(f"http://127.0.0.1:{port}/static/portal/portal.css") == 200
    assert place.server.running()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    assert "Traceback" not in process.stderr.read()
    wait_for(place.is_at_rest)


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

"""nginx with its own configuration before a portal: what it sends when told to, and what it does not."""

import http.client
import os
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.docker.test_files import DOCKER, found
from tests.outbox.conftest import wait_until

CONTENT = b"0123456789" * 1000


class Portal(BaseHTTPRequestHandler):
    """Answers as the portal does: the path asked for is the file that it lets the front send."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Accel-Redirect", "/protected-downloads/" + self.path.removeprefix("/downloads/"))
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Disposition", 'attachment; filename="setup 8.zip"')
        self.send_header("Cache-Control", "private, no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *args):
        """The tests' output is quiet."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """nginx on a port of its own, with a folder of downloads, before a portal of the test's."""
    nginx, place = found("nginx"), tmp_path_factory.mktemp("front")
    place.chmod(0o755)
    downloads = place / "downloads"
    (downloads / "Volocity").mkdir(parents=True)
    (downloads / "Volocity/setup 8.zip").write_bytes(CONTENT)
    (place / "secret").write_bytes(b"secret")
    (downloads / "out").symlink_to(place / "secret")
    portal = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, daemon=True).start()
    port, text = free_port(), (DOCKER / "nginx.conf").read_text()
    for old, new in (
        ("/tmp/", f"{place}/"),
        ("include /etc/nginx/mime.types;", ""),
        ("/srv/downloads", str(downloads)),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("http://web:8000", f"http://127.0.0.1:{portal.server_port}"),
        ("worker_processes auto;", "worker_processes 1; daemon off;" + (" user root;" if os.getuid() == 0 else "")),
    ):
        assert old in text
        text = text.replace(old, new)
    (place / "nginx.conf").write_text(text)
    server = subprocess.Popen([nginx, "-p", str(place), "-c", str(place / "nginx.conf")])
    try:
        wait_until(lambda: _answers(port))
        yield port
    finally:
        server.terminate()
        server.wait()
        portal.shutdown()


def _answers(port):
    try:
        return asked(port, "/front-health")[0] == 204
    except OSError:
        return False


def asked(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


FILE = "/downloads/Volocity/setup%208.zip"


def test_the_front_sends_what_the_portal_allows_with_the_portals_name_and_kind(front):
    status, headers, body = asked(front, FILE)
    assert (status, body) == (200, CONTENT)
    assert headers["Content-Disposition"] == 'attachment; filename="setup 8.zip"'
    assert headers["Content-Type"] == "application/zip"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Content-Length"] == "10000"
    assert headers.get_all("Accept-Ranges") == ["bytes"]


def test_the_front_answers_ranges_if_range_and_head(front):
    etag = asked(front, FILE, "HEAD")[1]["ETag"]
    status, headers, body = asked(front, FILE, Range="bytes=5-9")
    assert (status, headers["Content-Range"], body) == (206, "bytes 5-9/10000", b"56789")
    assert asked(front, FILE, Range="bytes=5-9", If_Range=etag)[0] == 206
    assert asked(front, FILE, Range="bytes=5-9", If_Range='"another"')[0] == 200
    assert asked(front, FILE, Range="bytes=10000-")[0] == 416


def test_nobody_reaches_a_file_by_its_own_address(front):
    assert asked(front, "/protected-downloads/Volocity/setup%208.zip")[0] == 404


def test_the_front_follows_no_link_and_no_way_out(front):
    assert asked(front, "/downloads/out")[0] == 403
    assert asked(front, "/downloads/%2e%2e/secret")[2] != b"secret"

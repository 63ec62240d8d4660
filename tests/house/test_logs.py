"""Keys in addresses stand in no log: not in the web server's, not in Django's."""

import logging
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core import signing
from django.urls import reverse
from gunicorn.config import Config

from dongles.feeds import feed_token
from portal.logs import AccessLogger, KeylessFormatter, without_keys
from renewals import links

KEY = links.key_of(links.new_link())
TOKEN = feed_token("104-233", 0)
SIGNED = signing.dumps({"file": 1, "customer": 2, "user": 3}, salt="dongles.downloads")
REMINDERS = str(uuid4())
RESET = "cyvx3l-0123456789abcdef0123456789abcdef"
KEYED = {
    "quote": (reverse("renewals:quote_of_key", args=[KEY]), KEY),
    "feed": (reverse("dongles:feed_json", args=["104-233", TOKEN]), TOKEN),
    "appcast": (reverse("dongles:feed_xml", args=["104-233", TOKEN]), TOKEN),
    "build": (reverse("dongles:feed_file", args=["104-233", TOKEN, 7]), TOKEN),
    "download": (reverse("dongles:file", args=[SIGNED]), SIGNED),
    "reminders": (reverse("renewals:reminders_of_key", args=[REMINDERS]), REMINDERS),
    "password": (reverse("account_reset_password_from_key", kwargs={"uidb36": "1", "key": RESET}), RESET),
}


@pytest.fixture
def log():
    """What Django's own handler writes meanwhile."""
    handler = next(each for each in logging.getLogger().handlers if isinstance(each.formatter, KeylessFormatter))
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.mark.parametrize("what", KEYED)
def test_the_web_servers_log_has_the_address_without_its_key(what):
    address, key = KEYED[what]
    config = Config()
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"{address}?holds=2027-09-14",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "HTTP_REFERER": f"https://portal.example{address}",
    }
    response = SimpleNamespace(status="200 OK", headers=[], sent=1)
    logger = AccessLogger(config)
    line = config.access_log_format % logger.atoms_wrapper_class(
        logger.atoms(response, SimpleNamespace(headers=[]), environ, timedelta())
    )
    for part in (key, *key.split(":"), *key.split("-")[-1:]):
        assert part not in line
    assert line.count("…") == 2
    assert "?holds=2027-09-14" in line


@pytest.mark.parametrize("what", [each for each in KEYED if each != "password"])
def test_a_refused_method_is_logged_without_the_key(what, log, client, db):
    address, key = KEYED[what]
    client.put(address)
    assert not any(part in log.getvalue() for part in key.split(":"))
    assert "django.request: " in log.getvalue()
    assert "…" in log.getvalue()


@pytest.mark.parametrize(
    "address",
    ["/quotes/5/", "/quote/Q-000123/accept/", "/reminders/sent/", "/reminders/contacts/12/", "/my/downloads/7/", "/q"],
)
def test_other_addresses_are_logged_as_they_are(address):
    assert without_keys(f"GET {address} HTTP/1.1") == f"GET {address} HTTP/1.1"


def test_the_container_starts_its_web_server_with_that_log():
    entrypoint = Path(__file__).resolve().parents[2] / "docker" / "entrypoint.sh"
    assert re.search(r"--access-logfile - --logger-class portal\.logs\.AccessLogger", entrypoint.read_text())

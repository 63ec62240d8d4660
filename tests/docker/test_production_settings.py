"""Production starts with a setting of its own for everything, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "PORTAL_ENV": "production",
    "PORTAL_SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PORTAL_HOSTS": "portal.example",
    "DATABASE_URL": "postgres://portal:check@database.example/portal",
    "REDIS_URL": "redis://redis.example/0",
    "EMAIL_URL": "smtp://portal:check@mail.example:587",
    "PORTAL_SIGNER_SOCKET": "/run/signer/signer.sock",
    "PORTAL_UNLOCK_KEYS": "/run/unlock-keys.json",
    "PORTAL_FILES_DIR": "/srv/files",
    "PORTAL_DOWNLOADS_DIR": "/srv/downloads",
    "PORTAL_ADDRESS": "https://portal.example",
    "PORTAL_VENDOR_NAME": "Vendor Ltd",
    "PORTAL_VENDOR_ADDRESS": "1 Street, Town",
    "PORTAL_VENDOR_EMAIL": "sma@vendor.example",
}


def load_settings(values: dict[str, str]) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name not in COMPLETE and name != "PORTAL_DEBUG"}
    return subprocess.run(
        [sys.executable, "-c", "import portal.settings as s; print(s.DEBUG, s.SESSION_COOKIE_SECURE)"],
        cwd=PROJECT, env={**kept, **values}, capture_output=True, text=True,
    )  # fmt: skip


def test_production_starts_with_all_its_variables_and_never_in_debug_mode():
    assert load_settings({**COMPLETE, "PORTAL_DEBUG": "1"}).stdout == "False True\n"


@pytest.mark.parametrize("name", sorted(COMPLETE.keys() - {"PORTAL_ENV"}))
@pytest.mark.parametrize("is_empty", [False, True], ids=["absent", "empty"])
def test_production_refuses_to_start_without_a_variable(name, is_empty):
    values = {key: value for key, value in COMPLETE.items() if key != name}
    done = load_settings(values | ({name: ""} if is_empty else {}))
    assert done.returncode != 0
    assert f"ImproperlyConfigured: Set {name}: production does not start without it" in done.stderr


@pytest.mark.parametrize(
    "secret", ["demo-only-and-refused-in-production-0123456789abcdefghijklmnop", "k" * 49], ids=["the demo's", "short"]
)
def test_production_refuses_a_secret_key_that_is_none(secret):
    done = load_settings({**COMPLETE, "PORTAL_SECRET_KEY": secret})
    assert done.returncode != 0
    assert "PORTAL_SECRET_KEY must be a secret of its own" in done.stderr


def test_the_demos_key_in_that_test_is_the_one_of_the_settings():
    done = subprocess.run(
        [sys.executable, "-c", "import portal.settings as s; print(s.SECRET_KEY)"],
        cwd=PROJECT, env={k: v for k, v in os.environ.items() if k not in COMPLETE}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "demo-only-and-refused-in-production-0123456789abcdefghijklmnop\n"

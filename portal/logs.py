"""What stands in logs: addresses without the keys in them, since who has such an address needs no login.

The web server's log has every address, Django's those of refused requests. Logs are kept, copied and searched.
"""

import logging
import re
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

NOT_TOLD = "…"
# Quotes, update feeds, files, reminders and new passwords; numbers and serials stay.
KEYED = re.compile(
    r"(/q/|/feeds/[\w-]+/|/accounts/password/reset/key/|/reminders/(?=[0-9a-f]{8}-)|/downloads/(?=[^/?\s]*(?::|%3A)))"
    r"[^/?\s\"']+",
    re.IGNORECASE,
)


def without_keys(text: str) -> str:
    """The text with “…” in place of what opens something."""
    return KEYED.sub(lambda found: f"{found[1]}{NOT_TOLD}", text)


class KeylessFormatter(logging.Formatter):
    """Django's log: message and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))


class AccessLogger(Logger):  # type: ignore[misc]  # gunicorn says nothing of types
    """The web server's log of requests (docker/entrypoint.sh)."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> dict[str, Any]:
        found = super().atoms(resp, req, environ, request_time)
        return {name: without_keys(value) if isinstance(value, str) else value for name, value in found.items()}

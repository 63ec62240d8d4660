"""The one exception that a person can act on."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A refusal: nothing was written, and whoever asked can do something about it.

    `code` is stable and documented (docs/errors.md), `message` is a full sentence for people, `data` holds what a
    page or an API client needs to point at the cause. portal/web turns it into a page message and
    portal/api/problems.py into problem+json; nothing else catches it.
    """

    def __init__(self, code: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.data = dict(data or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

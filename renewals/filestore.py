"""The store of files: a folder that no web server serves (FILES_DIR), with names of our own by month.

A file is written whole before the row that names it is committed. A transaction that fails later leaves a file that no
row names: it harms nobody, and `manage.py files --clean` removes it.
"""

import hashlib
import logging
import os
import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.conf import settings

from portal.errors import DomainError

logger = logging.getLogger(__name__)

UNFINISHED = ".part"


def keep(content: bytes, extension: str, on: date) -> str:
    """Write the content under a new random name and return its path in the store; it is on the disk then."""
    path = f"{on:%Y/%m}/{secrets.token_hex(16)}{extension}"
    place = _place(path)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = place.with_name(place.name + UNFINISHED)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(place)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def read(path: str, sha256: str) -> bytes:
    """The content of a file as it was kept; refuses `file_missing` where it is gone or has another SHA-256 (hex)."""
    content = _read_whole(path, sha256)
    if content is None:
        logger.error("The file %s is gone from the store, or has changed there.", path)
        raise DomainError(
            "file_missing",
            "This file is not in the store any more as it was uploaded. Whoever runs the portal can restore it from the"
            " backup.",
        )
    return content


def is_whole(path: str, sha256: str) -> bool:
    """Whether the file is there as it was kept."""
    return _read_whole(path, sha256) is not None


def _read_whole(path: str, sha256: str) -> bytes | None:
    try:
        content = _place(path).read_bytes()
    except FileNotFoundError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def paths() -> Iterator[tuple[str, float]]:
    """The path of each file in the store, unfinished ones too, and when it was last written (seconds since 1970)."""
    root = Path(settings.FILES_DIR)
    for place in sorted(root.rglob("*")):
        if place.is_file():
            yield place.relative_to(root).as_posix(), place.stat().st_mtime


def remove(path: str) -> None:
    _place(path).unlink(missing_ok=True)


def _place(path: str) -> Path:
    """Where a path of the store is on the disk; rows hold nothing that leads out of it."""
    root = Path(settings.FILES_DIR).resolve()
    place = (root / path).resolve()
    assert place.is_relative_to(root), f"{path} leads out of the store"
    return place

"""The shelf: the folder with the files of releases (DOWNLOADS_DIR). Files of any size pass through in pieces.

Below it a file lies in folders named after family, version and platform. Rows name it by that path. Whatever a row
says, nothing outside of the folder is reached: neither by “..” nor by an absolute path nor through a symbolic link.
"""

import hashlib
import logging
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from django.conf import settings

from dongles.models import ReleaseFile
from portal.errors import DomainError

logger = logging.getLogger(__name__)

PIECE = 1024 * 1024  # bytes that are in memory at once
UNFINISHED = ".part"
LONGEST_PATH = 250


def safe_name(text: str) -> str:
    """A text as the name of a file or folder: ASCII letters, digits, “.”, “_”, “+” and “-”, no dot in front."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", plain).strip("-.") or "file"


def path_for(file: ReleaseFile, name: str) -> str:
    """Where a file of a release is to lie; refuses `release_file_name_long`."""
    release = file.release
    parts = [safe_name(part) for part in (release.family.name, release.version, file.platform, name)]
    path = "/".join(parts)
    if len(path) > LONGEST_PATH:
        raise DomainError("release_file_name_long", "The name of the file is too long: shorten it to 100 letters.")
    return path


class Incoming(NamedTuple):
    """A file that was copied to the shelf and is in no place yet."""

    unfinished: Path
    size: int
    sha256: str

    def move_to(self, path: str) -> None:
        """Give it its place, at once and whole, instead of what no row names; it is on the disk then."""
        place = _root() / path
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _check_inside(place.parent)
        self.unfinished.replace(place)
        _sync(place.parent)


@contextmanager
def incoming(content: IO[bytes]) -> Iterator[Incoming]:
    """Copy the content to the shelf in pieces. What was not moved to a place by the end is removed."""
    root = _root()
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = root / f"{secrets.token_hex(16)}{UNFINISHED}"
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            while piece := content.read(PIECE):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        yield Incoming(unfinished, size, digest.hexdigest())
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(place: Path) -> None:
    """A name in a folder is on the disk when the folder is."""
    folder = os.open(place, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def place_of(file: ReleaseFile) -> Path:
    """Where a file is on the disk; refuses `build_missing` where it is not there, not of its size, or out of bounds."""
    if fault := fault_of(file):
        logger.error("The file %s can't be handed out: %s.", file.path, fault)
        raise DomainError(
            "build_missing",
            "This file is not on our shelf as it should be. We have been told; please try again later, or write to"
            f" {settings.VENDOR['email']}.",
        )
    return _root() / file.path


def fault_of(file: ReleaseFile) -> str:
    """What is wrong with a file on the shelf, in words for staff; empty where it is there in its size."""
    place = _root() / file.path
    try:
        _check_inside(place)
        found = place.lstat()
    except (OSError, ValueError):
        return "it is not below the folder of downloads"
    if not place.is_file():
        return "it is no file"
    return "" if found.st_size == file.size else f"it has {found.st_size:,} bytes instead of {file.size:,}"


def sha256_of(place: Path) -> str:
    """The SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with place.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def pieces_of(place: Path, start: int, length: int) -> Iterator[bytes]:
    """So many bytes of a file from a place on, in pieces."""
    with place.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece


def _root() -> Path:
    return Path(settings.DOWNLOADS_DIR).resolve()


def _check_inside(place: Path) -> None:
    """ValueError or OSError where the place is reached by a detour: “..”, an absolute path, a symbolic link."""
    root = _root()
    if place == root or not place.is_relative_to(root) or place.resolve(strict=True) != place:
        raise ValueError(f"{place} is not below {root}")

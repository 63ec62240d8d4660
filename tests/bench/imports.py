"""The import of an installed base, in a process of its own: seconds, and the memory that it takes at its most."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measuring import Figure
from tests.outbox.conftest import PROJECT, database_url

ROWS = 50_000
TO_MEGABYTES = 1024**2 if sys.platform == "darwin" else 1024


def measure() -> Iterator[Figure]:
    """Check 50,000 rows of 14 columns, check them with faults, then import them, in a database with the catalogue."""
    with tempfile.TemporaryDirectory() as folder:
        sound, faulty = Path(folder) / "sound.xlsx", Path(folder) / "faulty.xlsx"
        for path, rows in ((sound, "installed_base"), (faulty, "with_twenty_faults")):
            # In a process of its own: the memory of ours would count as that of the processes that it starts.
            program = f"import sys; from tests.workbooks import *; open(sys.argv[1], 'wb').write(xlsx({rows}({ROWS})))"
            subprocess.run([sys.executable, "-c", program, str(path)], cwd=PROJECT, check=True)
        for name, most, arguments, status in (
            ("checked", 60, [str(sound), "--dry-run"], 0),
            (
                "checked, with faults and workbook back",
                60,
                [str(faulty), "--dry-run", "--faults", f"{folder}/f.xlsx"],
                1,
            ),
            ("imported", 120, [str(sound)], 0),
        ):
            seconds, megabytes = _run(arguments, status)
            yield Figure(f"{ROWS:,} rows {name}", seconds, "s", most=most)
            yield Figure(f"{ROWS:,} rows {name}, memory", megabytes, "MB", most=500)


def _run(arguments: list[str], status: int) -> tuple[float, float]:
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_installed_base", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=subprocess.DEVNULL,
    )
    _, ended, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(ended) == status, ended
    return time.monotonic() - begun, usage.ru_maxrss / TO_MEGABYTES

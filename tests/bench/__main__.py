"""`make bench`: how fast the portal is, as ratios to floors that are measured in the same run.

    python -m tests.bench [rules] [database] [finance] [--dongles 100000] [--lines 1000000] [--json bench.json]

Without a part's name all are measured. Each measurement prints its figure, the floor, their ratio and what is aimed
at; all of it is written as JSON too. The exit status is 1 where an aim is missed. Databases are made for the run and
removed after it.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

import django

PARTS = ("rules", "database", "finance")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)}; all by itself")
    parser.add_argument("--dongles", type=int, default=100_000, help="size of the large installed base")
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines of the large ledger")
    parser.add_argument("--json", type=Path, default=Path(".local/bench.json"), help="where to write the figures")
    options = parser.parse_args()
    parts = options.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from tests.bench import database, finance, rules

    measured = {
        "rules": rules.measure,
        "database": lambda: database.measure(options.dongles),
        "finance": lambda: finance.measure(options.lines),
    }
    figures = [figure for part in parts for figure in measured[part]()]
    for figure in figures:
        print(figure.sentence())
    options.json.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "python": platform.python_version(),
        "dongles": options.dongles,
        "lines": options.lines,
        "figures": [figure.as_json() for figure in figures],
    }
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Written to {options.json}")
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A campaign over 10,000 dongles, in a process of its own: its time, and its memory against one over 1,000.

python -m tests.bench.campaign DONGLES    works off a campaign in the database of DATABASE_URL, and prints both
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests.bench.measuring import Figure

PROJECT = Path(__file__).resolve().parents[2]
FEW, MANY = 1_000, 10_000
MOST_SECONDS, MOST_MEMORY = 120, 1.2


def measure() -> Iterator[Figure]:
    """Needs an installed base with so many dongles that are due within years and have no quote."""
    few, many = _run(FEW), _run(MANY)
    yield Figure(f"Drafting for {MANY:,} dongles", many["seconds"], "s", most=MOST_SECONDS, note=many["note"])
    yield Figure(
        f"Memory of drafting for {MANY:,} dongles against {FEW:,}",
        many["peak"] / 1e6,
        "MB",
        few["peak"] / 1e6,
        most=MOST_MEMORY,
    )


def _run(dongles: int) -> dict:
    from tests.outbox.conftest import database_url

    command = [sys.executable, "-m", "tests.bench.campaign", str(dongles)]
    surroundings = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    done = subprocess.run(command, cwd=PROJECT, env=surroundings, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main(dongles: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from portal import outbox
    from portal.audit import Actor
    from renewals.models import CampaignItem
    from renewals.overviews.due import Window
    from renewals.services import campaigns

    settings.OUTBOX_DISPATCH = "none"
    today = timezone.localdate()
    window = Window(today, today + timedelta(days=4 * 365))
    begun = time.perf_counter()
    campaign = campaigns.start_campaign(window=window, renew_years=1, actor=Actor("bench"), at=timezone.now())
    outbox.drain()  # notes what is due
    cut = campaign.items.order_by("customer_id", "dongle_id").values_list("pk", flat=True)[dongles:]
    CampaignItem.objects.filter(pk__in=list(cut)).delete()
    while outbox.drain():
        pass
    seconds = time.perf_counter() - begun
    drafted = campaign.items.filter(outcome="drafted").count()
    assert drafted == dongles, f"{drafted} of {dongles}"
    note = f"{campaign.quotes.count()} quotes"
    print(json.dumps({"seconds": seconds, "peak": _peak_bytes(), "note": note}))


def _peak_bytes() -> int:
    """The most memory that this program has had. On Linux getrusage would count what its parent had, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))

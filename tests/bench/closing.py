"""Closing a month of a large ledger, and exporting its lines in flat memory."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.audit import Actor
from portal.models import User
from renewals.calendar import following
from renewals.models import AccountingMonth, RevenueSegment
from renewals.services.closing import close_month
from tests import world
from tests.bench.measuring import Figure

MOST_SECONDS, MOST_MEGABYTES = 60, 64


class Export(NamedTuple):
    """How many lines there were, what they took, and by how many bytes the process grew meanwhile at most."""

    lines: int
    seconds: float
    grown: int


def close_last_month(today: date) -> Figure:
    """The last month that is over, all before it being closed."""
    month = following(today.replace(day=1), -1)
    first = RevenueSegment.objects.order_by("booked_month").values_list("booked_month", flat=True)[0]
    earlier = (following(first, n) for n in range((month.year - first.year) * 12 + month.month - first.month))
    AccountingMonth.objects.bulk_create([AccountingMonth(month=each, is_closed=True) for each in earlier])
    begun = time.perf_counter()
    close = close_month(month=month, actor=Actor("Bench"), at=timezone.now())
    seconds = time.perf_counter() - begun
    return Figure("Closing a month", seconds, "s", most=MOST_SECONDS, note=f"{close.segments:,} segments in it")


def export_lines(today: date) -> Export:
    """What is recognised in the last month, line by line, as CSV, read as a browser does."""
    client = Client()
    world.log_in(client, User.objects.get(role="finance"))
    month = f"{following(today.replace(day=1), -1):%Y-%m}"
    asked = {"figure": "recognised", "first_month": month, "last_month": month, "currency": "EUR"}
    _forget_peak()
    before = _peak()
    begun, lines = time.perf_counter(), 0
    for part in client.get(reverse("renewals:finance_lines_csv"), asked).streaming_content:
        lines += part.count(b"\n")
    return Export(lines - 1, time.perf_counter() - begun, _peak() - before)


def of_exports(tenth: Export, whole: Export) -> Iterator[Figure]:
    yield Figure(f"Exporting {whole.lines:,} lines of a month", whole.seconds, "s")
    yield Figure(
        f"Memory for exporting {whole.lines:,} lines",
        whole.grown / 1e6,
        "MB",
        most=MOST_MEGABYTES,
        note=f"{tenth.grown / 1e6:.3g} MB for {tenth.lines:,}",
    )


def _forget_peak() -> None:
    """Have Linux count the peak from here on."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

"""What a document draws: the coverage timeline, and the QR code of an address. Values only; typst draws them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import segno

from dongles.timeline import Group, Mark, Row, Timeline
from renewals.documents.letters import printable
from renewals.documents.wording import Wording

LABEL_LETTERS = 32  # of a licence beside its bars; the lines below the drawing name it in full


def drawn_timeline(timeline: Timeline, on: date, expires_on: date | None, wording: Wording) -> dict[str, Any]:
    """A timeline as templates/documents/timeline.typ draws it: every x in per cent of the plot's width."""
    return {
        "alt": printable(" ".join([timeline.summary, *(row.words for group in timeline.groups for row in group.rows)])),
        "grid": [
            {"x": line.x, "year": line.is_year, "label": line.label if line.is_labelled_wide else "", "at": line.anchor}
            for line in timeline.grid
        ],
        "today": _mark(timeline.today, f"Quote of {wording.day(on)}"),
        "expiry": _mark(timeline.expiry, f"SMA to {wording.day(expires_on)}")
        if timeline.expiry and expires_on
        else None,
        "groups": [_group(group) for group in timeline.groups],
        "additions": timeline.has_additions,
        "missed": timeline.has_missed,
        "gaps": any(row.gaps for group in timeline.groups for row in group.rows),
    }


def _mark(mark: Mark, label: str) -> dict[str, Any]:
    return {"x": mark.x, "label": label, "at": mark.anchor}


def _group(group: Group) -> dict[str, Any]:
    return {
        "family": shortened(group.family),
        "ticks": [
            {
                "x": tick.x,
                "major": tick.release.is_major,
                "label": printable(tick.release.version) if tick.is_labelled_wide else "",
                "at": tick.anchor,
            }
            for tick in group.ticks
        ],
        "rows": [_row(row) for row in group.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "label": shortened(row.label),
        "bars": [[bar.x, bar.width, bar.is_ahead] for bar in row.bars],
        "gaps": [[bar.x, bar.width] for bar in row.gaps],
        "additions": [[bar.x, bar.width] for bar in row.additions],
        "missed": [mark.x for mark in row.missed],
        "earlier": row.starts_earlier,
    }


def shortened(text: str) -> str:
    """One line of at most that many letters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= LABEL_LETTERS else line[: LABEL_LETTERS - 1].rstrip() + "…"


def qr_modules(address: str) -> dict[str, Any]:
    """The QR code of an address: its size in modules, and its dark runs as [row, first column, length]."""
    rows: Sequence[Sequence[int]] = segno.make(address, micro=False, error="m").matrix
    return {"size": len(rows), "runs": [[y, *run] for y, row in enumerate(rows) for run in _runs(row)]}


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    runs, x = [], 0
    while x < len(row):
        if row[x]:
            start = x
            while x < len(row) and row[x]:
                x += 1
            runs.append((start, x - start))
        x += 1
    return runs

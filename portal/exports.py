"""The audit trail as a CSV: at once where it is short, as long work where it is not."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice

from portal import jobs, trail
from portal.audit import Actor
from portal.jobs import Step, Tell
from portal.models import AuditEvent, Job
from portal.sheets import Cell, Column, csv_lines
from portal.trail import TrailFilters

KIND = "audit_export"
FILE_NAME = "audit.csv"
PIECES_IN_A_SLICE = 5
HEADS = (
    *("Event", "When (UTC)", "Who", "What", "Action", "Kind", "Object", "Its number", "Before", "After", "Reason"),
    *("Position in the chain", "Hash"),
)
COLUMNS = tuple(Column(head, 20) for head in HEADS)


def start_export(*, filters: TrailFilters, actor: Actor, at: datetime) -> Job:
    """Ask for a file of all events that the filters ask for."""
    params = {name: str(value) for name, value in filters._asdict().items() if value}
    return jobs.start_job(kind=KIND, title="Export of the audit trail", params=params, unit="event", actor=actor, at=at)


def export_lines(filters: TrailFilters) -> Iterator[str]:
    """The whole file line by line, in flat memory."""
    pieces = trail.pieces(trail.events_matching(filters))
    return csv_lines(COLUMNS, (row for piece in pieces for row in _rows(piece.events)))


def write_slice(job: Job, tell: Tell) -> Step:
    """The worker: adds some thousand events to the file, from the place where the slice before ended."""
    events = trail.events_matching(_filters_of(job))
    older, done = job.checkpoint.get("older", ""), job.done
    total = job.total if job.total is not None else events.count()
    for piece in islice(trail.pieces(events, older=older), PIECES_IN_A_SLICE):
        lines = csv_lines(COLUMNS, _rows(piece.events))
        jobs.append_to_file(job, FILE_NAME, "".join(lines if done == 0 else islice(lines, 1, None)).encode())
        done, older = done + len(piece.events), piece.older
        tell(done, total)
    return Step(done, max(done, total), {"older": older} if older else None, {"files": [FILE_NAME]})


def _filters_of(job: Job) -> TrailFilters:
    days = {name: date.fromisoformat(job.params[name]) for name in ("from_on", "to_on") if name in job.params}
    return TrailFilters(**{**job.params, **days})


def _rows(events: Sequence[AuditEvent]) -> Iterable[Sequence[Cell]]:
    for row, link in zip(trail.listed(events), trail.links_of(events), strict=True):
        event = row.told.event
        yield (
            event.pk,
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor_name,
            row.told.what,
            event.action,
            row.kind,
            row.name,
            event.subject_id,
            json.dumps(event.before, ensure_ascii=False),
            json.dumps(event.after, ensure_ascii=False),
            event.reason,
            link.position if link else None,
            link.hash if link else "",
        )

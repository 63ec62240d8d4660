"""The chain of hashes over the audit trail, by which an altered or removed event shows.

Events are chained after their commit: in it, every business transaction would have to wait for the one before. An
event is written together with a row that says it is unsealed (a trigger of the database), and a sealing step, run now
and then, gives each a link: position 1, 2, 3 …, and a hash. Links are in the order of sealing, which is nearly that of
the events' ids.

A link's hash is the SHA-256, in lower-case hexadecimal digits, of the UTF-8 text

    <hash of the link before, of the first link 64 zeros> <line feed> <the event>

where the event is a JSON array without spaces, its strings escaped as RFC 8785 does, of all its columns as texts (null
where there is none): id, at (UTC, 2026-08-24T13:05:00.000000Z), actor_id, actor_name, action, subject_kind, subject_id,
before, after, reason. `before` and `after` are as PostgreSQL writes jsonb: keys by length, then by bytes, one space
after each colon and comma, numbers with all their digits.

What the chain can't show by itself is a trail whose end was cut off, or that was written anew from some event on. For
that a hash is noted elsewhere from time to time and looked for in the chain (`expect`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from json import JSONEncoder
from typing import Any, NamedTuple

from django.db import connection, transaction

from portal.models import AuditLink, UnsealedEvent

FIRST = "0" * 64
BATCH = 5000  # events sealed in one transaction, and read at once to verify
LOCK = 0x61756469  # whoever seals holds this advisory lock until the transaction ends
PATIENCE = timedelta(minutes=5)  # for so long an event may wait to be sealed
JSON = JSONEncoder(ensure_ascii=False, separators=(",", ":"))

EVENT = """
    event.id::text, to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), event.actor_id::text,
    event.actor_name, event.action, event.subject_kind, event.subject_id::text, event.before::text, event.after::text,
    event.reason"""
WAITING = f"""
    SELECT {EVENT}
    FROM portal_unsealedevent unsealed JOIN portal_auditevent event ON event.id = unsealed.event_id
    ORDER BY unsealed.event_id LIMIT %s"""  # noqa: S608 - of constants alone
LINKED = f"""
    SELECT link.position, link.event_id, link.hash, {EVENT}
    FROM portal_auditlink link LEFT JOIN portal_auditevent event ON event.id = link.event_id
    WHERE link.position > %s ORDER BY link.position LIMIT %s"""  # noqa: S608 - the same
# One statement each, so that what is sealed meanwhile is seen either before or after.
UNLINKED = """
    SELECT event.id, unsealed.since
    FROM portal_auditevent event
    LEFT JOIN portal_auditlink link ON link.event_id = event.id
    LEFT JOIN portal_unsealedevent unsealed ON unsealed.event_id = event.id
    WHERE link.event_id IS NULL ORDER BY event.id"""
GONE = """
    SELECT unsealed.event_id
    FROM portal_unsealedevent unsealed LEFT JOIN portal_auditevent event ON event.id = unsealed.event_id
    WHERE event.id IS NULL ORDER BY unsealed.event_id"""


class Finding(NamedTuple):
    """Something wrong with the trail: altered, removed, unchained, waiting or cut; and the sentence that says it."""

    kind: str
    sentence: str


def link_hash(before: str, event: Sequence[str | None]) -> str:
    """The hash of the link that continues that hash with the event, its columns as texts."""
    return sha256(f"{before}\n{JSON.encode(event)}".encode()).hexdigest()


def newest_link() -> AuditLink | None:
    """The end of the chain."""
    return AuditLink.objects.order_by("-position").first()


def seal_events(batch: int = BATCH) -> int:
    """Give every committed event its link, in batches of a transaction each; the number of links made.

    Where somebody else is sealing it leaves the rest to them. Run when nothing waits, it costs one query or two.
    """
    sealed = 0
    while made := _seal_batch(batch):
        sealed += made
    return sealed


@transaction.atomic
def _seal_batch(limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(WAITING, [limit])
        events = cursor.fetchall()
    if not events:
        return 0
    newest = newest_link()
    position, latest = (newest.position, newest.hash) if newest else (0, FIRST)
    links = []
    for number, event in enumerate(events, position + 1):
        latest = link_hash(latest, event)
        links.append(AuditLink(position=number, event_id=int(event[0]), hash=latest))
    AuditLink.objects.bulk_create(links)
    UnsealedEvent.objects.filter(event__in=[link.event_id for link in links]).delete()
    return len(links)


def chain_findings(*, at: datetime, expect: str = "") -> Iterator[Finding]:
    """What is wrong with the trail at that moment; nothing where it is whole. Streams in flat memory.

    `expect` is a hash that was noted elsewhere: one of the links must have it.
    """
    yield from _damaged_links(expect)
    for event_id, since in _rows(UNLINKED):
        if since is None:
            yield Finding("unchained", f"Event {event_id} has no link and does not wait for one: it was slipped in.")
        elif at - since > PATIENCE:
            yield Finding("waiting", f"Event {event_id} has waited since {since:%Y-%m-%d %H:%M} UTC to be sealed.")
    for (event_id,) in _rows(GONE):
        yield Finding("removed", f"Event {event_id} was removed before it was sealed.")


def _damaged_links(expect: str) -> Iterator[Finding]:
    position, latest, is_met = 0, FIRST, expect in ("", FIRST)
    while rows := list(_rows(LINKED, position, BATCH)):
        for place, event_id, found, *event in rows:
            if place != position + 1:
                yield Finding("removed", f"Position {place} follows {position}: the links between were removed.")
            elif event[0] is None:
                yield Finding("removed", f"Event {event_id} at position {place} was removed.")
            elif link_hash(latest, event) != found:
                yield Finding("altered", f"Event {event_id} at position {place} was altered, or its link was.")
            position, latest = place, found
            is_met = is_met or found == expect
    if not is_met:
        yield Finding("cut", f"No link has the hash {expect}: the end was cut off, or the trail was written anew.")


def _rows(query: str, *values: int) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(BATCH):
            yield from rows

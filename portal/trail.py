"""The audit trail as people read it: one list with filters, and the history of an object."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from portal.deeds import KINDS, Change, Kind, changes_of, words_for
from portal.models import AuditEvent, AuditLink, User

MOST_NAMES = 300
MOST_FOUND = 1000  # objects of a kind that what was typed may mean
PIECE = 2000  # events read at once where all are
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TrailFilters(NamedTuple):
    """Which events are asked for; days in the business time zone, both included."""

    who: str = ""
    action: str = ""
    kind: str = ""
    number: str = ""
    from_on: date | None = None
    to_on: date | None = None
    reason: str = ""


class ToldEvent(NamedTuple):
    """An audit event in words."""

    what: str
    event: AuditEvent

    @property
    def changes(self) -> list[Change]:
        return changes_of(self.event.before, self.event.after)


class ListedEvent(NamedTuple):
    """A row of the list: the event in words, and its object by name with the address of its page, if it has one."""

    told: ToldEvent
    kind: str
    name: str
    address: str


class TrailPage(NamedTuple):
    """Events of a page, newest first, with the places from which the pages beside it go on."""

    events: Sequence[AuditEvent]
    newer: str
    older: str


def history_of(*subjects: Model) -> list[ToldEvent]:
    """Who did what to these objects, newest first; for any page (templates/parts/history.html)."""
    events = events_of(*subjects).order_by("-pk")
    return [ToldEvent(words_for(event.subject_kind, event.action), event) for event in events]


def events_of(*subjects: Model) -> QuerySet[AuditEvent]:
    """The events of these objects, in no order."""
    kinds: dict[str, list[int]] = {}
    for subject in subjects:
        kinds.setdefault(subject._meta.model_name or "", []).append(subject.pk)
    wanted = Q(pk__in=[])
    for kind, ids in kinds.items():
        wanted |= Q(subject_kind=kind, subject_id__in=ids)
    return AuditEvent.objects.filter(wanted)


def events_matching(filters: TrailFilters) -> QuerySet[AuditEvent]:
    """The events that the filters ask for, in no order."""
    events = AuditEvent.objects.all()
    if filters.who:
        events = events.filter(actor_name=filters.who)
    if filters.action:
        events = events.filter(action=filters.action)
    if filters.number:
        events = events.filter(_named(filters.number, filters.kind))
    elif filters.kind:
        events = events.filter(subject_kind=filters.kind)
    if filters.from_on:
        events = events.filter(at__gte=_beginning_of(filters.from_on))
    if filters.to_on:
        events = events.filter(at__lt=_beginning_of(filters.to_on + timedelta(days=1)))
    if filters.reason:
        events = events.exclude(reason="").filter(reason__icontains=filters.reason)
    return events


def _beginning_of(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())


def _named(text: str, kind: str) -> Q:
    """Events of the objects that people call so: a serial, a number like Q-000012, a name, an address.

    A bare number says something only where the kind is named too.
    """
    wanted = Q(pk__in=[])
    for name, each in KINDS.items():
        lookup, way = each.found_by
        if (kind == name or (not kind and way != "number")) and (value := _read(text, way)):
            found = _model(each)._base_manager.filter(**{lookup: value}).values_list("pk", flat=True)
            wanted |= Q(subject_kind=name, subject_id__in=list(found[:MOST_FOUND]))
    return wanted


def _read(text: str, way: str) -> str | int | date | None:
    """What was typed as the value of a lookup; none where it can't be one."""
    if way == "text":
        return text
    if way == "month":
        return _first_day(text)
    if way == "serial":
        return re.sub("[^A-Z0-9]", "", text.upper())
    prefix = "" if way == "number" else way
    digits = text.upper().removeprefix(prefix)
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 15 and text.upper().startswith(prefix)
    return int(digits) if is_number else None


def _first_day(text: str) -> date | None:
    """The first day of a month like 2026-02."""
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        return None


def _model(kind: Kind) -> type[Model]:
    return apps.get_model(kind.model)


def read_page(events: QuerySet[AuditEvent], length: int, *, older: str = "", newer: str = "") -> TrailPage:
    """The newest events, or those next to a place on its older or newer side. Its cost does not grow with the trail."""
    if place := _place(newer):
        found = list(_beyond(events, place, is_older=False).order_by("at", "id")[: length + 1])
        page, has_newer, has_older = found[:length][::-1], len(found) > length, True
    else:
        place = _place(older)
        found = list((_beyond(events, place, is_older=True) if place else events).order_by("-at", "-id")[: length + 1])
        page, has_newer, has_older = found[:length], place is not None, len(found) > length
    return TrailPage(
        page, _cursor(page[0]) if page and has_newer else "", _cursor(page[-1]) if page and has_older else ""
    )


def _beyond(events: QuerySet[AuditEvent], place: tuple[datetime, int], *, is_older: bool) -> QuerySet[AuditEvent]:
    at, event_id = place
    if is_older:
        return events.filter(Q(at__lt=at) | Q(id__lt=event_id), at__lte=at)
    return events.filter(Q(at__gt=at) | Q(id__gt=event_id), at__gte=at)


def _cursor(event: AuditEvent) -> str:
    """An event's place in the list, for an address: microseconds since 1970 and its id."""
    return f"{(event.at - EPOCH) // timedelta(microseconds=1)}-{event.pk}"


def _place(cursor: str) -> tuple[datetime, int] | None:
    found = re.fullmatch(r"(\d{1,17})-(\d{1,18})", cursor, re.ASCII)
    return (EPOCH + timedelta(microseconds=int(found[1])), int(found[2])) if found else None


def listed(events: Sequence[AuditEvent], reader: User | None = None) -> list[ListedEvent]:
    """Rows of the list, with a query for each kind of object among them. What the reader may not open is no link."""
    names = _names(events)
    rows = []
    for event in events:
        kind, row = KINDS.get(event.subject_kind), names.get((event.subject_kind, event.subject_id))
        rows.append(
            ListedEvent(
                ToldEvent(words_for(event.subject_kind, event.action), event),
                kind.word if kind else event.subject_kind.capitalize(),
                str(row) if row else f"number {event.subject_id}, deleted" if kind else str(event.subject_id),
                _address(kind, row, reader) if kind and row and reader else "",
            )
        )
    return rows


def _names(events: Sequence[AuditEvent]) -> dict[tuple[str, int], Model]:
    wanted: dict[str, set[int]] = {}
    for event in events:
        wanted.setdefault(event.subject_kind, set()).add(event.subject_id)
    return {
        (name, pk): row
        for name, ids in wanted.items()
        if (kind := KINDS.get(name))
        for pk, row in _model(kind)._base_manager.select_related(*kind.related or (None,)).in_bulk(list(ids)).items()
    }


def _address(kind: Kind, row: Model, reader: User) -> str:
    if not kind.page or (kind.page.startswith("admin:") and not reader.is_staff):
        return ""
    return reverse(kind.page, args=[attrgetter(name)(row) for name in kind.address])


def actor_names() -> list[str]:
    """The names of who has done anything, skipping from one to the next through the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE names AS (
                (SELECT actor_name FROM portal_auditevent ORDER BY actor_name LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT event.actor_name FROM portal_auditevent event
                    WHERE event.actor_name > names.actor_name ORDER BY event.actor_name LIMIT 1
                )
                FROM names WHERE names.actor_name IS NOT NULL
            )
            SELECT actor_name FROM names WHERE actor_name IS NOT NULL LIMIT %s""",
            [MOST_NAMES],
        )
        return [name for (name,) in cursor.fetchall()]


def count_to(events: QuerySet[AuditEvent], most: int) -> int:
    """How many there are, counted no further than one above `most`."""
    return events.order_by()[: most + 1].count()


def pieces(events: QuerySet[AuditEvent], *, older: str = "") -> Iterator[TrailPage]:
    """All of these events, newest first, in long pages from a place on."""
    while (page := read_page(events, PIECE, older=older)).events:
        yield page
        if not page.older:
            return
        older = page.older


def links_of(events: Sequence[AuditEvent]) -> list[AuditLink | None]:
    """The link of each event in the chain; none of those that wait for it."""
    found = AuditLink.objects.in_bulk([event.pk for event in events], field_name="event_id")
    return [found.get(event.pk) for event in events]

"""No dongle's date is beyond its least covered licence (C3), and its newest code states what it carries.

A bridge (Q7) may go beyond for a few days, and what restates a ragged dongle, after a cancellation (Q6) or on the
dongle that takes another's place (Q8), may give back the date that stood. A date with which a dongle came on record was
never moved by the portal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from dongles import coverage
from dongles import queries as dongle_queries
from dongles.coverage import LicenceCoverage
from dongles.models import Dongle, Licence, Replacement, UnlockCode
from portal.models import AuditEvent
from portal.wording import write_day
from renewals.invariants.codes import CANCELLATION, causes_of_exchanges
from renewals.invariants.findings import BATCH, Batch, Finding

# Codes that don't state as their previous date what the one before them states.
BREAKS = """
    SELECT code.id, dongle.serial, code.before, code.previous_expiry_on
    FROM (
        SELECT id, dongle_id, previous_expiry_on, lag(expiry_on) OVER (PARTITION BY dongle_id ORDER BY id) AS before
        FROM dongles_unlockcode
    ) code JOIN dongles_dongle dongle ON dongle.id = code.dongle_id
    WHERE code.before IS DISTINCT FROM code.previous_expiry_on AND code.before IS NOT NULL
    ORDER BY code.id"""


class Held(NamedTuple):
    """A dongle that has codes: the newest of them, and its licences with their coverage, withdrawn ones apart."""

    dongle: Dongle
    newest: UnlockCode
    carried: Sequence[tuple[Licence, LicenceCoverage]]
    withdrawn: Sequence[Licence]

    @property
    def subject(self) -> str:
        return f"dongle {self.dongle.serial}"


def check(at: datetime) -> Iterator[Batch]:
    """Dongles whose date is beyond what it may be, or not what their codes say; codes that state other licences."""
    yield Batch(0, list(_breaks()))
    last = 0
    with_codes = Dongle.objects.filter(Exists(UnlockCode.objects.filter(dongle=OuterRef("pk")))).order_by("pk")
    while dongles := list(with_codes.filter(pk__gt=last)[:BATCH]):
        yield Batch(len(dongles), list(_of_dongles(dongles)))
        last = dongles[-1].pk


def _breaks() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(BREAKS)
        for pk, serial, before, previous in cursor:
            expected = f"{write_day(before)} as the date before, which the code before it states"
            yield Finding(f"code {pk} of dongle {serial}", expected, write_day(previous) if previous else "none")


def _of_dongles(dongles: Sequence[Dongle]) -> Iterator[Finding]:
    replaced = set(Replacement.objects.filter(predecessor__in=dongles).values_list("predecessor_id", flat=True))
    doubtful = []
    for held in _read(dongles):
        if held.dongle.issued_expiry_on != held.newest.expiry_on:
            stands = held.dongle.issued_expiry_on
            expected = f"the date of its newest code, {write_day(held.newest.expiry_on)}"
            yield Finding(held.subject, expected, write_day(stands) if stands else "none")
        if held.dongle.pk in replaced:  # what it carried went over; its last code says what once was
            continue
        if not _is_within(held.newest.expiry_on, held.carried) or not _states_what_is_there(held):
            doubtful.append(held)
    if doubtful:
        yield from _of_doubtful(doubtful)


def _read(dongles: Sequence[Dongle]) -> Iterator[Held]:
    """Three queries for a batch."""
    newest = {
        code.dongle_id: code
        for code in UnlockCode.objects.filter(dongle__in=dongles)
        .defer("letters")
        .order_by("dongle", "-pk")
        .distinct("dongle")
    }
    carried: dict[int, list[tuple[Licence, LicenceCoverage]]] = defaultdict(list)
    withdrawn: dict[int, list[Licence]] = defaultdict(list)
    for licence in dongle_queries.licences_of(dongles, withdrawn_too=True):
        if licence.withdrawn_on is None:
            carried[licence.dongle_id].append((licence, dongle_queries.coverage_of(licence)))
        else:
            withdrawn[licence.dongle_id].append(licence)
    return (Held(each, newest[each.pk], carried[each.pk], withdrawn[each.pk]) for each in dongles)


def _is_within(day: date, carried: Iterable[tuple[Licence, LicenceCoverage]]) -> bool:
    """C3; a dongle without licences has nothing that its date could be beyond."""
    least = coverage.least_covered_on(covered for _, covered in carried)
    return least is None or day <= least


def _states_what_is_there(held: Held) -> bool:
    """Whether the newest code states the licences of its day: those withdrawn since too, on that day maybe."""
    stated: Counter[int] = Counter(dict(held.newest.licences))
    day = held.newest.issued_on
    least = _seats(each for each, _ in held.carried)
    least += _seats(each for each in held.withdrawn if each.withdrawn_on and each.withdrawn_on > day)
    most = least + _seats(each for each in held.withdrawn if each.withdrawn_on == day)
    return least <= stated <= most


def _seats(licences: Iterable[Licence]) -> Counter[int]:
    seats: Counter[int] = Counter()
    for licence in licences:
        seats[licence.product.number] += licence.seats
    return seats


def _of_doubtful(doubtful: Sequence[Held]) -> Iterator[Finding]:
    """Judge by all codes of the dongles, and by what came in from files since."""
    ids = [held.dongle.pk for held in doubtful]
    imported = AuditEvent.objects.filter(action="import", subject_kind="dongle", subject_id__in=ids).order_by("pk")
    since: dict[int, list[AuditEvent]] = defaultdict(list)
    for event in imported:
        since[event.subject_id].append(event)
    codes = _codes_of(ids)
    stood = _dates_that_stood(codes)
    for held in doubtful:
        moving = next((code for code in reversed(codes[held.dongle.pk]) if _moves(code)), None)
        events = since[held.dongle.pk]
        stating = held._replace(carried=_but_imported(held.carried, events, held.newest.issued_at))
        if not _states_what_is_there(stating):
            carries = _written(_seats(licence for licence, _ in held.carried))
            expected = f"products × seats as it carries them in its newest code, {carries}"
            yield Finding(held.subject, expected, _written(dict(held.newest.licences)))
        if moving is None:
            continue
        carried = _but_imported(held.carried, events, moving.issued_at)
        if carried and moving.expiry_on > (limit := _limit(moving, carried, stood.get(moving.pk))):
            expected = f"a date through {write_day(limit)} at most, by its code {moving.pk} for “{moving.cause}”"
            yield Finding(held.subject, expected, write_day(moving.expiry_on))


def _moves(code: UnlockCode) -> bool:
    return code.expiry_on != code.previous_expiry_on


def _but_imported(
    carried: Sequence[tuple[Licence, LicenceCoverage]], events: Iterable[AuditEvent], since: datetime
) -> list[tuple[Licence, LicenceCoverage]]:
    """What is carried, without what came in from a file after the moment: the code could not know of it."""
    named = {
        (licence["product"], licence["seats"], licence["acquired_on"])
        for event in events
        if event.at > since
        for licence in event.after.get("licences", ())
    }
    return [
        (licence, covered)
        for licence, covered in carried
        if (covered.product, covered.seats, str(covered.acquired_on)) not in named
    ]


def _limit(moving: UnlockCode, carried: Sequence[tuple[Licence, LicenceCoverage]], stood: date | None) -> date:
    """The latest date that the code may have moved the dongle to, by what stands now."""
    covered = [each for _, each in carried]
    if hasattr(moving, "bridge"):
        bridge = moving.bridge
        return bridge.paid_through + timedelta(days=bridge.version.policy.bridge_days)
    least = coverage.least_covered_on(covered)
    assert least is not None
    return least if stood is None else coverage.date_to_restate(covered, stood)


def _dates_that_stood(codes: Mapping[int, Sequence[UnlockCode]]) -> dict[int, date]:
    """By the codes (id) that restate a date the one that stood before, as far as there was one."""
    came = _predecessors_of(codes)
    before = {old.pk for line in came.values() for old in line}
    histories = {**_codes_of(before - codes.keys()), **codes}
    exchanges = causes_of_exchanges(before)
    stood: dict[int, date] = {}
    for dongle_id, its_codes in codes.items():
        line = came[dongle_id]
        for code in its_codes:
            day = None
            if code.cause.startswith(CANCELLATION):
                cause = code.cause.removeprefix(CANCELLATION)
                ways = (
                    _stood_before(cause, histories.get(each, ())) for each in (dongle_id, *(old.pk for old in line))
                )
                day = next((found for found in ways if found), None)
            elif line and code.cause in exchanges[line[0].pk]:
                day = line[0].issued_expiry_on
            if day is not None:
                stood[code.pk] = day
    return stood


def _predecessors_of(dongle_ids: Iterable[int]) -> dict[int, list[Dongle]]:
    """Q8: by each id the dongles whose place it took, one after the other back in time; a query for each step."""
    chains: dict[int, list[Dongle]] = {dongle_id: [] for dongle_id in dongle_ids}
    ends = {dongle_id: dongle_id for dongle_id in chains}
    while found := {
        each.successor_id: each.predecessor
        for each in Replacement.objects.filter(successor__in=ends.values()).select_related("predecessor")
    }:
        by_id = {each.pk: each for each in found.values()}
        ends = {last: found[end].pk for last, end in ends.items() if end in found}
        for last, end in ends.items():
            chains[last].append(by_id[end])
    return chains


def _stood_before(cause: str, codes: Iterable[UnlockCode]) -> date | None:
    """The dongle's date before its code of that cause; of a bridge's (Q7) the one before, since it was not paid."""
    stood, is_first = None, True
    for code in codes:
        if is_first:
            stood, is_first = code.previous_expiry_on, False
        if code.cause == cause:
            return stood
        if _moves(code) and not hasattr(code, "bridge"):
            stood = code.expiry_on
    return None


def _codes_of(dongle_ids: Iterable[int]) -> dict[int, list[UnlockCode]]:
    """The dongles' codes in their order, with the bridges that they are for."""
    codes: dict[int, list[UnlockCode]] = defaultdict(list)
    rows = UnlockCode.objects.filter(dongle__in=list(dongle_ids)).select_related("bridge__version__policy")
    for code in rows.defer("letters").order_by("pk"):
        codes[code.dongle_id].append(code)
    return codes


def _written(seats: Mapping[int, int]) -> str:
    """Products by number with their seats."""
    return ", ".join(f"{number} × {count}" for number, count in sorted(seats.items()) if count) or "none"

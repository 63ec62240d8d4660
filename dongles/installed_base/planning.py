"""Compares what a file says with what is on record, and says what is to be made and what contradicts. Pure.

Dongles are one by serial. A licence of a file is the one on record with its product, seats and day of acquisition. What
is new is added; nothing on record is overwritten.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from dongles.coverage import Period
from dongles.installed_base.faults import Fault
from dongles.installed_base.owners import Customers
from dongles.installed_base.plans import (
    Flags,
    Key,
    Plan,
    PlannedDongle,
    PlannedLicence,
    Record,
    RecordedDongle,
    RecordedLicence,
)
from dongles.installed_base.rows import Choices, Row

MOST_PRODUCTS = 60


def plan_import(rows: Sequence[Row], record: Record, choices: Choices) -> Plan:
    """What the rows ask for, given what is on record."""
    by_serial: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_serial[row.serial].append(row)
    customers = Customers(record, choices, rows)
    faults: list[Fault] = []
    dongles: list[PlannedDongle] = []
    ragged, without_periods, without_owner = [], [], []
    unchanged = 0
    for serial, its_rows in by_serial.items():
        owner, found = customers.owner_of(its_rows)
        licences, more = _licences_in(its_rows)
        known = record.dongles.get(serial)
        found += more + _contradictions(its_rows)
        owner_ids = customers.ids_of(owner)
        if known is not None:
            planned, more = _compared(known, its_rows, owner, owner_ids, licences)
            found += more
        else:
            planned = _new_dongle(serial, its_rows, owner, licences, choices)
        faults += found
        if found:
            continue
        carried = _carried(known, licences)
        if len({product for product, _ in carried}) > MOST_PRODUCTS:
            sentence = f"Dongle {serial} would carry {len({product for product, _ in carried})} products."
            faults.append(Fault("too_many_products", its_rows[0].number, "product", sentence))
        if len({through for _, through in carried}) > 1:
            ragged.append(serial)
        if any(through is None for _, through in carried):
            without_periods.append(serial)
        if owner is None and (known is None or known.customer_id is None):
            without_owner.append(serial)
        if planned is None:
            unchanged += 1
        else:
            dongles.append(planned)
    planned_customers = customers.planned()
    faults += customers.faults
    faults.sort(key=lambda fault: fault.row)
    flags = Flags(ragged, without_periods, without_owner, customers.without_email)
    return Plan(planned_customers, customers.on_record(), dongles, faults, flags, unchanged, _days_in(rows))


def _days_in(rows: Iterable[Row]) -> tuple[date, date] | None:
    days = {day for row in rows for day in (row.acquired_on, row.sma_starts_on, row.sma_ends_on) if day}
    return (min(days), max(days)) if days else None


def _contradictions(rows: Sequence[Row]) -> list[Fault]:
    """Where rows of a dongle say different things of it."""
    found = []
    for name, what in (("kind", "kind"), ("expiry_on", "date in the dongle")):
        stated = [row for row in rows if getattr(row, name) is not None]
        for row in stated[1:]:
            first = getattr(stated[0], name)
            if getattr(row, name) != first:
                value = str(getattr(row, name)).replace("_", " ")
                sentence = f"The {what} is {value} here and {str(first).replace('_', ' ')} in row {stated[0].number}."
                found.append(Fault("dongle_differs", row.number, name, sentence))
    return found


def _licences_in(rows: Sequence[Row]) -> tuple[list[PlannedLicence], list[Fault]]:
    """The licences that the rows of a dongle say, each with its periods in order."""
    found: list[Fault] = []
    licences = []
    for same in _by_licence(rows):
        acquired = {row.acquired_on for row in same} - {None}
        starts = [day for row in same if (day := row.sma_starts_on) is not None]
        acquired_on = next(iter(acquired), None) or min(starts, default=None)
        first = same[0]
        if acquired_on is None:
            sentence = f"Neither says when {first.product} was acquired nor when its SMA starts."
            found.append(Fault("acquired_missing", first.number, "acquired_on", sentence))
            continue
        periods, more = _periods_in(same, acquired_on)
        found += more
        seats = next((row.seats for row in same if row.seats), 1)
        licences.append(PlannedLicence(None, first.product, seats, acquired_on, periods))
    return licences, found


def _by_licence(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of a dongle licence by licence: alike in product, licence number, seats and day of acquisition; a row
    that leaves seats or day open belongs to the licence that alone could be meant."""
    of_product: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        of_product[row.product, row.licence].append(row)
    groups: list[list[Row]] = []
    for same in of_product.values():
        days = {row.acquired_on for row in same} - {None}
        seats = {row.seats for row in same} - {None}
        only_day = next(iter(days)) if len(days) == 1 else None
        only_seats = next(iter(seats)) if len(seats) == 1 else 1
        alike: dict[tuple[date | None, int | None], list[Row]] = defaultdict(list)
        for row in same:
            alike[row.acquired_on or only_day, row.seats or only_seats].append(row)
        groups += alike.values()
    return groups


def _periods_in(rows: Sequence[Row], acquired_on: date) -> tuple[tuple[Period, ...], list[Fault]]:
    """The periods of one licence; faults where rows say the same or overlap."""
    found = []
    spans: list[tuple[Period, Row]] = []
    empty: Row | None = None
    for row in rows:
        if row.sma_ends_on is None:
            if empty:
                found.append(Fault("row_twice", row.number, "", f"It says the same as row {empty.number}."))
            empty = empty or row
            continue
        period = Period(row.sma_starts_on or acquired_on, row.sma_ends_on)
        if period.starts_on < acquired_on or period.ends_on < period.starts_on:
            sentence = (
                f"The licence was acquired on {acquired_on}; this SMA runs {period.starts_on} to {period.ends_on}."
            )
            found.append(Fault("period_before_acquired", row.number, "sma_starts_on", sentence))
            continue
        spans.append((period, row))
    spans.sort(key=lambda pair: (pair[0], pair[1].number))
    for (before, its_row), (period, row) in pairwise(spans):
        later, earlier = sorted((row, its_row), key=lambda each: each.number, reverse=True)
        if period == before:
            found.append(Fault("row_twice", later.number, "", f"It says the same as row {earlier.number}."))
        elif period.starts_on <= before.ends_on:
            sentence = f"This SMA and the one in row {earlier.number} both cover {period.starts_on}."
            found.append(Fault("periods_overlap", later.number, "sma_starts_on", sentence))
    return tuple(period for period, _ in spans), found


def _last_day(periods: Iterable[Period]) -> date | None:
    return max((period.ends_on for period in periods), default=None)


def _new_dongle(
    serial: str, rows: Sequence[Row], owner: Key | None, licences: Sequence[PlannedLicence], choices: Choices
) -> PlannedDongle:
    kind = next((row.kind for row in rows if row.kind), choices.kind)
    stated = next((row.expiry_on for row in rows if row.expiry_on), None)
    expiry_on = stated or _last_day(period for licence in licences for period in licence.periods)
    return PlannedDongle(rows[0].number, None, serial, kind, owner, expiry_on, tuple(licences))


def _compared(
    known: RecordedDongle,
    rows: Sequence[Row],
    owner: Key | None,
    owner_ids: set[int],
    licences: Sequence[PlannedLicence],
) -> tuple[PlannedDongle | None, list[Fault]]:
    """What the file adds to a dongle on record; none if nothing. Faults where it contradicts."""
    found: list[Fault] = []

    def differs(field: str, sentence: str) -> None:
        found.append(Fault("differs_from_record", rows[0].number, field, sentence))

    kind = next((row.kind for row in rows if row.kind), known.kind)
    if kind != known.kind:
        differs("kind", f"Dongle {known.serial} is a {known.kind.replace('_', ' ')} on record.")
    if owner and known.customer_id is not None and known.customer_id not in owner_ids:
        differs("customer", f"Dongle {known.serial} belongs to another customer on record.")
    stated = next((row.expiry_on for row in rows if row.expiry_on), None)
    if stated and known.expiry_on and stated != known.expiry_on and not known.has_codes:
        differs("expiry_on", f"Dongle {known.serial} has the date {known.expiry_on} on record, the file says {stated}.")
    added, more = _added(known, licences)
    for sentence in more:
        differs("product", sentence)
    sets_owner = owner if owner and known.customer_id is None else None
    expiry_on = None
    if not known.has_codes:
        last = stated or _last_day(period for licence in added for period in licence.periods)
        expiry_on = last if last and (known.expiry_on is None or last > known.expiry_on) else None
    if not (added or sets_owner or expiry_on):
        return None, found
    if known.state != "active":
        sentence = f"Dongle {known.serial} is {known.state} on record, and the file would add to it."
        found.append(Fault("dongle_not_active", rows[0].number, "serial", sentence))
    return PlannedDongle(rows[0].number, known.id, known.serial, known.kind, sets_owner, expiry_on, tuple(added)), found


def _added(known: RecordedDongle, licences: Sequence[PlannedLicence]) -> tuple[list[PlannedLicence], list[str]]:
    """The licences and periods that are new on a dongle, and sentences about what contradicts.

    A licence of the file is one on record that is alike in product, seats and day, of several the one that has most of
    its periods. One that finds none is new, unless the record has another of its product that the file does not name:
    then one of the two is wrong.
    """
    left = list(known.licences)
    matches: dict[int, RecordedLicence] = {}
    for index in sorted(range(len(licences)), key=lambda each: -len(licences[each].periods)):
        licence = licences[index]
        alike = [each for each in left if (each.product, each.seats, each.acquired_on) == licence[1:4]]
        if alike:
            matches[index] = max(
                alike, key=lambda each: (len(each.periods & {*licence.periods}), not each.is_withdrawn)
            )
            left.remove(matches[index])
    added, unmatched, sentences = [], [], []
    for index, licence in enumerate(licences):
        match = matches.get(index)
        if match is None:
            unmatched.append(licence)
            continue
        new = [period for period in licence.periods if period not in match.periods]
        for period in new:
            if overlapped := next((each for each in match.standing if _overlap(each, period)), None):
                sentences.append(
                    f"{licence.product} has an SMA {overlapped.starts_on} to {overlapped.ends_on} on record, the"
                    f" file says {period.starts_on} to {period.ends_on}."
                )
        if new and match.is_withdrawn:
            sentences.append(f"{licence.product} was withdrawn from the dongle.")
        if new:
            added.append(licence._replace(id=match.id, periods=tuple(new)))
    for licence in unmatched:
        other = next((each for each in left if each.product == licence.product and not each.is_withdrawn), None)
        if other is None:
            added.append(licence)
        else:
            left.remove(other)
            sentences.append(
                f"{licence.product} with {other.seats} seats, acquired on {other.acquired_on}, is on record; the"
                f" file says {licence.seats} seats, acquired on {licence.acquired_on}."
            )
    return added, sentences


def _overlap(one: Period, other: Period) -> bool:
    return one.starts_on <= other.ends_on and other.starts_on <= one.ends_on


def _carried(known: RecordedDongle | None, licences: Sequence[PlannedLicence]) -> list[tuple[str, date | None]]:
    """Product and last covered day of every licence that the dongle will carry."""
    carried = [(licence.product, _last_day(licence.periods)) for licence in licences]
    if known is None:
        return carried
    named = [(licence.product, licence.seats, licence.acquired_on) for licence in licences]
    for each in known.licences:
        key = (each.product, each.seats, each.acquired_on)
        if each.is_withdrawn:
            continue
        if key in named:
            named.remove(key)
        else:
            carried.append((each.product, _last_day(each.standing)))
    return carried

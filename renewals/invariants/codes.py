"""Codes and what they were issued for agree, both ways (Q6, Q7, Q8)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from dongles import queries as dongle_queries
from dongles.models import Dongle, Replacement, UnlockCode
from portal.wording import write_day
from renewals.invariants.findings import BATCH, Batch, Finding
from renewals.models import Bridge, Order, QuoteDongle
from renewals.states import OrderState

CANCELLATION = "cancellation of "
OF_ORDER = re.compile(rf"({CANCELLATION})?order O-0*([1-9][0-9]{{0,17}})")
OF_BRIDGE = re.compile(r"bridge of quote Q-[0-9]+ version [0-9]+")
OF_REPLACEMENT = re.compile(r"replacement of ([A-Z0-9]{1,32})")


class Code(NamedTuple):
    pk: int
    dongle_id: int
    serial: str
    cause: str

    @property
    def subject(self) -> str:
        return f"code {self.pk} of dongle {self.serial} for “{self.cause}”"


class Quoted(NamedTuple):
    """A dongle of a fulfilled order."""

    dongle_id: int
    serial: str
    order_id: int
    is_cancelled: bool
    is_replacement: bool

    @property
    def subject(self) -> str:
        return f"order O-{self.order_id:06d} dongle {self.serial}"


class Exchanged(NamedTuple):
    """A dongle and the one that took its place."""

    predecessor_id: int
    successor_id: int
    serial: str  # of the predecessor
    cause: str


def check(at: datetime) -> Iterator[Batch]:
    """Each fulfilled order, cancellation, bridge and replacement has its codes; each code is one of these."""
    for orders in _fulfilled_orders():
        yield Batch(0, list(_codes_missing(orders)))
    for replacements in _replacements():
        yield Batch(0, list(_codes_of_replacements_missing(replacements)))
    yield Batch(0, list(_bridges_unlike_their_codes()))
    last = 0
    while (
        rows := UnlockCode.objects.filter(pk__gt=last)
        .order_by("pk")[:BATCH]
        .values_list("pk", "dongle_id", "dongle__serial", "cause")
    ):
        codes = [Code(*row) for row in rows]
        yield Batch(len(codes), list(_without_cause(codes)))
        last = codes[-1].pk


def _fulfilled_orders() -> Iterator[Sequence[Quoted]]:
    last = 0
    fulfilled = Order.objects.filter(fulfilled_on__isnull=False).order_by("pk")
    while orders := dict(fulfilled.filter(pk__gt=last)[:BATCH].values_list("version", "pk")):
        rows = QuoteDongle.objects.filter(version__in=orders).order_by("version", "pk")
        facts = ("dongle_id", "dongle__serial", "version__order", "version__order__state", "replacement")
        yield [
            Quoted(dongle, serial, order, state == OrderState.CANCELLED, bool(replacement))
            for dongle, serial, order, state, replacement in rows.values_list(*facts)
        ]
        last = max(orders.values())


def _codes_missing(quoted: Sequence[Quoted]) -> Iterator[Finding]:
    """Q6: of each dongle of an order its code; of a cancelled one also that of whichever has its licences (Q8)."""
    chains = dongle_queries.successors_of({each.dongle_id for each in quoted})
    causes = _causes_of({*chains, *(dongle for chain in chains.values() for dongle in chain)})
    for each in quoted:
        line = {each.dongle_id, *chains[each.dongle_id]}
        held_by = set(chains[each.dongle_id][:1]) if each.is_replacement else {each.dongle_id}
        ordered = f"order O-{each.order_id:06d}"
        if not any(ordered in causes[dongle] for dongle in held_by):
            yield Finding(each.subject, f"a code for “{ordered}”", "none")
        if each.is_cancelled and not each.is_replacement:
            cancelled = f"{CANCELLATION}{ordered}"
            if not any(cancelled in causes[dongle] for dongle in line):
                yield Finding(each.subject, f"a code for “{cancelled}”", "none")


def _causes_of(dongle_ids: Iterable[int]) -> dict[int, set[str]]:
    causes: dict[int, set[str]] = defaultdict(set)
    for dongle, cause in UnlockCode.objects.filter(dongle__in=list(dongle_ids)).values_list("dongle_id", "cause"):
        causes[dongle].add(cause)
    return causes


def _replacements() -> Iterator[Sequence[Exchanged]]:
    last = 0
    facts = ("pk", "predecessor_id", "successor_id", "predecessor__serial", "cause")
    while rows := Replacement.objects.filter(pk__gt=last).order_by("pk")[:BATCH].values_list(*facts):
        yield [Exchanged(*row[1:]) for row in rows]
        last = max(row[0] for row in rows)


def _codes_of_replacements_missing(replacements: Sequence[Exchanged]) -> Iterator[Finding]:
    """Q8: the dongle that came has a code, and so has the one that may still live, for the same cause."""
    causes = _causes_of({dongle for each in replacements for dongle in (each.predecessor_id, each.successor_id)})
    exchanges = causes_of_exchanges(each.predecessor_id for each in replacements)
    for each in replacements:
        right = exchanges[each.predecessor_id] & causes[each.successor_id]
        subject = f"replacement of dongle {each.serial}"
        if not right:
            yield Finding(subject, "a code for the dongle that took its place", "none")
        elif each.cause == Replacement.Cause.LOST and not right & causes[each.predecessor_id]:
            yield Finding(subject, "a code without licences, since it may still live", "none")


def causes_of_exchanges(predecessor_ids: Iterable[int]) -> dict[int, set[str]]:
    """Q8: by each dongle whose place was taken what the codes of that may have been issued for: itself, or an order."""
    causes = {
        pk: {f"replacement of {serial}"}
        for pk, serial in Dongle.objects.filter(pk__in=list(predecessor_ids)).values_list("pk", "serial")
    }
    ordered = QuoteDongle.objects.filter(dongle__in=causes, version__order__fulfilled_on__isnull=False)
    for dongle, order in ordered.exclude(replacement={}).values_list("dongle_id", "version__order"):
        causes[dongle].add(f"order O-{order:06d}")
    return causes


def _bridges_unlike_their_codes() -> Iterator[Finding]:
    """Q7: a bridge's code is its dongle's, states its day, and is for its version of the quote."""
    facts = ("pk", "dongle__serial", "code__dongle__serial", "ends_on", "code__expiry_on", "code__cause")
    version = ("version__quote", "version__number")
    for pk, serial, its_serial, ends_on, expiry_on, cause, quote, number in (
        Bridge.objects.order_by("pk").values_list(*facts, *version).iterator()
    ):
        right = f"bridge of quote Q-{quote:06d} version {number}"
        if (serial, ends_on, right) != (its_serial, expiry_on, cause):
            expected = f"a code through {write_day(ends_on)} for “{right}”"
            found = f"one of dongle {its_serial} through {write_day(expiry_on)} for “{cause}”"
            yield Finding(f"bridge {pk} of dongle {serial}", expected, found)


class Causes(NamedTuple):
    """What the codes of a batch may have been issued for."""

    orders: dict[int, tuple[bool, bool]]  # by id whether it was fulfilled, and whether cancelled
    dongles: dict[int, set[int]]  # by order the dongles quoted, and those that took their places
    bridges: set[int]  # codes
    replacements: dict[str, set[int]]  # by serial the dongle replaced and the one that took its place


def _without_cause(codes: Sequence[Code]) -> Iterator[Finding]:
    causes = _read_causes(codes)
    for code in codes:
        if expected := _objection(code, causes):
            yield Finding(code.subject, expected, "none")


def _read_causes(codes: Sequence[Code]) -> Causes:
    named = {int(match[2]) for code in codes if (match := OF_ORDER.fullmatch(code.cause))}
    orders = {
        pk: (fulfilled_on is not None, state == OrderState.CANCELLED)
        for pk, fulfilled_on, state in Order.objects.filter(pk__in=named).values_list("pk", "fulfilled_on", "state")
    }
    quoted = list(QuoteDongle.objects.filter(version__order__in=orders).values_list("version__order", "dongle_id"))
    chains = dongle_queries.successors_of({dongle for _, dongle in quoted})
    dongles: dict[int, set[int]] = defaultdict(set)
    for order, dongle in quoted:
        dongles[order] |= {dongle, *chains[dongle]}
    serials = {match[1] for code in codes if (match := OF_REPLACEMENT.fullmatch(code.cause))}
    exchanged = Replacement.objects.filter(predecessor__serial__in=serials)
    return Causes(
        orders,
        dongles,
        set(Bridge.objects.filter(code__in=[code.pk for code in codes]).values_list("code_id", flat=True)),
        {
            serial: {old, new}
            for serial, old, new in exchanged.values_list("predecessor__serial", "predecessor_id", "successor_id")
        },
    )


def _objection(code: Code, causes: Causes) -> str | None:
    """What is missing for the code's cause to stand; nothing where it does."""
    if match := OF_ORDER.fullmatch(code.cause):
        is_fulfilled, is_cancelled = causes.orders.get(int(match[2]), (False, False))
        if not is_fulfilled or (match[1] and not is_cancelled):
            return "an order that was cancelled after it was fulfilled" if match[1] else "an order that was fulfilled"
        return None if code.dongle_id in causes.dongles[int(match[2])] else "an order for this dongle"
    if OF_BRIDGE.fullmatch(code.cause):
        return None if code.pk in causes.bridges else "a bridge with this code"
    if match := OF_REPLACEMENT.fullmatch(code.cause):
        return None if code.dongle_id in causes.replacements.get(match[1], ()) else "that replacement, of this dongle"
    return "a cause that the portal issues codes for"

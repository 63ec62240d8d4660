"""Q1: the dates of a quote that is fulfilled on a later day than it was priced. Pure.

Lines that start on the day of ordering (P5, P6, P7) start on the day of fulfilment; the others keep their start; all
end on the new T. Prices stay: the additional days are free.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from dongles.terms import ONE_DAY, Months, term_end
from renewals.pricing.target import target_candidates
from renewals.pricing.terms import Policy, Request


class QuotedLine(NamedTuple):
    """A line as quoted; one without dates stays without."""

    kind: str
    licence: int
    starts_on: date | None
    ends_on: date | None
    months: Months


class QuotedDongle(NamedTuple):
    """What a quote knows of a dongle: T, E, the request as of the quote's day, and which licences were lapsed then.

    `lapsed` has an entry for each licence on the dongle; the added ones come after them.
    """

    policy: Policy
    request: Request
    covered_through: date
    paid_through: date | None
    lapsed: Sequence[bool]
    lines: Sequence[QuotedLine]

    def starts_on_ordering(self, licence: int) -> bool:
        """Whether the licence's SMA starts on the day of ordering (P5–P7): it is added, or was lapsed."""
        return licence >= len(self.lapsed) or self.lapsed[licence]


class DatedLine(NamedTuple):
    """The final dates of a line and how many of its days were not paid for."""

    starts_on: date | None
    ends_on: date | None
    free_days: int


class Extension(NamedTuple):
    """Free days of a licence that was covered to the quoted T already and had no line."""

    licence: int
    starts_on: date
    ends_on: date
    free_days: int


class Redated(NamedTuple):
    """The new T, the lines in their order with their final dates, and the free extensions."""

    covered_through: date
    lines: tuple[DatedLine, ...]
    extended: tuple[Extension, ...]


def redate(quoted: QuotedDongle, fulfilled_on: date) -> Redated:
    """Q1: the dates as fulfilled. On the day of the quote, and where no line starts on ordering, all dates stay."""
    passed = fulfilled_on - quoted.request.on
    if passed.days < 0:
        raise ValueError("A quote can't be fulfilled before the day it was priced.")
    moves = not quoted.request.replacement and any(quoted.starts_on_ordering(line.licence) for line in quoted.lines)
    if not passed or not moves:
        lines = tuple(DatedLine(line.starts_on, line.ends_on, 0) for line in quoted.lines)
        return Redated(quoted.covered_through, lines, ())
    until = _target(quoted, fulfilled_on)
    return Redated(until, _dated(quoted, _starts(quoted, fulfilled_on), until), _extended(quoted, until))


def _target(quoted: QuotedDongle, fulfilled_on: date) -> date:
    """Q1: the later of the quoted T moved by the days that passed, and P2's target on the day of fulfilment."""
    candidates = target_candidates(
        quoted.policy,
        quoted.request._replace(on=fulfilled_on),
        quoted.paid_through,
        any_lapsed=any(quoted.lapsed),
        upgrade_due=any(line.kind == "upgrade" for line in quoted.lines),
    )
    moved = quoted.covered_through + (fulfilled_on - quoted.request.on)
    return max(moved, *(day for _, day in candidates))


def _starts(quoted: QuotedDongle, fulfilled_on: date) -> list[date | None]:
    """The first day of each line: chains from the day of fulfilment, counted as P3 does; the others as quoted."""
    starts: list[date | None] = []
    following: dict[int, date] = {}  # licence → the day on which its next line starts
    counted: dict[int, tuple[date, int]] = {}  # licence → what P3 counts from, months counted so far
    for line in quoted.lines:
        if line.starts_on is None or not quoted.starts_on_ordering(line.licence):
            starts.append(line.starts_on)
            continue
        begun = following.get(line.licence, fulfilled_on)
        starts.append(begun)
        if line.kind in ("licence", "upgrade"):
            counted[line.licence] = (term_end(begun, line.months.whole) + ONE_DAY, 0)
            following[line.licence] = counted[line.licence][0]
        else:
            since, months = counted.get(line.licence, (begun, 0))
            counted[line.licence] = (since, months + line.months.whole)
            following[line.licence] = term_end(since, months + line.months.whole) + ONE_DAY
    return starts


def _dated(quoted: QuotedDongle, starts: Sequence[date | None], until: date) -> tuple[DatedLine, ...]:
    """Each line ends before the licence's next one starts, its last one on the new T, which takes up the free days.

    Months are of unequal length: where those before it would reach T, the last line still keeps a day of its own.
    """
    dated: list[DatedLine] = []
    following: dict[int, date] = {}  # licence → the day on which its next line starts
    for line, counted in reversed(list(zip(quoted.lines, starts, strict=True))):
        if counted is None:
            dated.append(DatedLine(None, None, 0))
            continue
        ends_on = following.get(line.licence, until + ONE_DAY) - ONE_DAY
        free_days = 0 if line.licence in following else _free_days(quoted, line.licence, starts, until)
        starts_on = following[line.licence] = min(counted, ends_on)
        dated.append(DatedLine(starts_on, ends_on, free_days))
    return tuple(reversed(dated))


def _free_days(quoted: QuotedDongle, licence: int, starts: Sequence[date | None], until: date) -> int:
    """How many days more the licence's lines cover together than as quoted."""
    first, quoted_first = next(
        (start, line.starts_on)
        for line, start in zip(quoted.lines, starts, strict=True)
        if line.licence == licence and start and line.starts_on
    )
    return (until - first).days - (quoted.covered_through - quoted_first).days


def _extended(quoted: QuotedDongle, until: date) -> tuple[Extension, ...]:
    """Licences that were covered to T and had no line: they too end on the new T."""
    priced = {line.licence for line in quoted.lines}
    starts_on = quoted.covered_through + ONE_DAY
    if starts_on > until:
        return ()
    return tuple(
        Extension(licence, starts_on, until, (until - quoted.covered_through).days)
        for licence in range(len(quoted.lapsed))
        if licence not in priced
    )

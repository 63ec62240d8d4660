"""The coverage timeline as a drawing: who is covered when, what was released, what a quote would add. Pure.

Every x is a percentage of the plot's width, 0 on the left edge of the axis, so that one drawing fits any width and
letters keep their size. A day starts at its x and ends at the next day's: a period's bar includes its last day.
What has room only on a wide plot (or only on a narrow one) is marked so; templates/parts/timeline.html draws it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dongles.coverage import Period, Release, is_valid_on
from portal.wording import MONTH_NAMES, write_day

DAY = timedelta(days=1)
# The plot in CSS pixels where it is narrow (a phone) and wide (a desk), and what a letter of a label takes there.
NARROW, WIDE, LETTER = 320, 640, 7.0
LABEL_STEPS = (1, 2, 5, 10, 20)


class TimelineLicence(NamedTuple):
    """A row to draw: the licence's periods in any order, those that a quote would add, the majors that it missed."""

    label: str
    family: str
    acquired_on: date
    periods: tuple[Period, ...]
    additions: tuple[Period, ...] = ()
    missed: tuple[Release, ...] = ()


class Bar(NamedTuple):
    """A span of days from x on. `is_ahead`: from today on; otherwise it is over."""

    x: float
    width: float
    is_ahead: bool
    title: str


class Mark(NamedTuple):
    """A day with its label; `anchor` (start, middle, end) keeps the label inside the plot."""

    x: float
    label: str
    anchor: str


class GridLine(NamedTuple):
    """The first day of a year, quarter or month, with its label where one is written."""

    x: float
    is_year: bool
    label: str
    anchor: str
    is_labelled_narrow: bool
    is_labelled_wide: bool


class Tick(NamedTuple):
    """A release. Its label is left out where it would run into a more telling one."""

    x: float
    release: Release
    anchor: str
    is_labelled_narrow: bool
    is_labelled_wide: bool

    @property
    def words(self) -> str:
        """“7.0 (major), 25 Apr 2024”."""
        return (
            f"{self.release.version}{' (major)' if self.release.is_major else ''}, {write_day(self.release.build_on)}"
        )


class Row(NamedTuple):
    """A licence: bars where it is covered, gaps between them, additions hatched, and the same in words."""

    label: str
    through: str
    bars: tuple[Bar, ...]
    gaps: tuple[Bar, ...]
    additions: tuple[Bar, ...]
    missed: tuple[Mark, ...]
    starts_earlier: bool
    words: str


class Group(NamedTuple):
    """The licences of one family under its releases."""

    family: str
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]

    @property
    def releases_in_words(self) -> str:
        return "; ".join(tick.words for tick in self.ticks)


class Timeline(NamedTuple):
    """The whole drawing. Without licences there are no groups, and there is nothing to draw."""

    starts_on: date
    ends_on: date
    grid: tuple[GridLine, ...]
    today: Mark
    expiry: Mark | None
    groups: tuple[Group, ...]
    summary: str

    @property
    def has_additions(self) -> bool:
        return any(row.additions for group in self.groups for row in group.rows)

    @property
    def has_missed(self) -> bool:
        return any(row.missed for group in self.groups for row in group.rows)


class Axis(NamedTuple):
    """From the first to the last day drawn, both included."""

    starts_on: date
    ends_on: date

    def x(self, day: date) -> float:
        """Where a day begins."""
        days = (self.ends_on - self.starts_on).days + 1
        return round(min(max((day - self.starts_on).days / days, 0), 1) * 100, 3)

    def shows(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on

    def mark(self, day: date, label: str) -> Mark:
        return Mark(self.x(day), label, _anchor(self.x(day), label))


def build_timeline(
    licences: Sequence[TimelineLicence],
    releases: Iterable[Release],
    today: date,
    *,
    expires_on: date | None = None,
    most_years_back: int = 12,
) -> Timeline:
    """Lay out the coverage of a dongle's licences, in their order, families as they come.

    `expires_on` is the date programmed into the dongle. What lies more than `most_years_back` years behind today is
    not drawn, but said.
    """
    axis = _axis(licences, today, expires_on, most_years_back)
    families = list(dict.fromkeys(licence.family for licence in licences))
    shown = [release for release in releases if axis.shows(release.build_on)]
    groups = tuple(
        Group(
            family,
            _ticks(axis, [release for release in shown if release.family == family]),
            tuple(_row(axis, licence, today) for licence in licences if licence.family == family),
        )
        for family in families
    )
    today_mark = axis.mark(today, f"Today, {write_day(today)}")
    expiry_mark = axis.mark(expires_on + DAY, f"Dongle to {write_day(expires_on)}") if expires_on else None
    return Timeline(
        axis.starts_on, axis.ends_on, _grid(axis), today_mark, expiry_mark, groups, _summary(axis, licences, today)
    )


def _axis(licences: Sequence[TimelineLicence], today: date, expires_on: date | None, most_years_back: int) -> Axis:
    """From the quarter in which the records begin to a margin after the last day that matters; a year at least."""
    days = [today, *([expires_on] if expires_on else [])]
    for licence in licences:
        days += [licence.acquired_on, *(day for period in licence.periods + licence.additions for day in period)]
    oldest = date(today.year - most_years_back, 1, 1)
    first, last = max(min(days), oldest), max(days)
    if (last - first).days < 365:
        first = max(min(first, last - timedelta(days=365)), oldest)
    quarter = date(first.year, first.month - (first.month - 1) % 3, 1)
    return Axis(quarter, last + timedelta(days=max(14, (last - quarter).days // 25)))


def _row(axis: Axis, licence: TimelineLicence, today: date) -> Row:
    periods = sorted(licence.periods)
    gaps = _gaps(licence, periods, today)
    earliest = periods[0].starts_on if periods else licence.acquired_on
    return Row(
        label=licence.label,
        through=f"to {write_day(max(period.ends_on for period in periods))}" if periods else "never covered",
        bars=tuple(bar for period in periods for bar in _bars(axis, period, today, "Covered")),
        gaps=tuple(bar for gap in gaps for bar in _bars(axis, gap, gap.ends_on + DAY, "Not covered")),
        additions=tuple(
            bar for each in sorted(licence.additions) for bar in _bars(axis, each, each.starts_on, "The quote adds")
        ),
        missed=tuple(
            axis.mark(release.build_on, f"Missed {release.version}, {write_day(release.build_on)}")
            for release in licence.missed
            if axis.shows(release.build_on)
        ),
        starts_earlier=earliest < axis.starts_on,
        words=_words(licence, periods, gaps),
    )


def _bars(axis: Axis, period: Period, today: date, what: str) -> list[Bar]:
    """A period as one bar, or as two where today falls into it; none where the axis doesn't reach."""
    title = f"{what} {_span(period)}"
    starts_on, ends_on = max(period.starts_on, axis.starts_on), min(period.ends_on, axis.ends_on)
    parts = [(starts_on, min(ends_on, today - DAY), False), (max(starts_on, today), ends_on, True)]
    return [
        Bar(axis.x(first), round(axis.x(last + DAY) - axis.x(first), 3), is_ahead, title)
        for first, last, is_ahead in parts
        if first <= last
    ]


def _gaps(licence: TimelineLicence, periods: Sequence[Period], today: date) -> list[Period]:
    """The uncovered spans from the day of acquisition to today, or between what is covered or would be."""
    gaps, next_on = [], licence.acquired_on
    for starts_on, ends_on in sorted([*periods, *licence.additions]):
        if next_on < starts_on:
            gaps.append(Period(next_on, starts_on - DAY))
        next_on = max(next_on, ends_on + DAY)
    if next_on < today:
        gaps.append(Period(next_on, today - DAY))
    return gaps


def _ticks(axis: Axis, releases: Sequence[Release]) -> tuple[Tick, ...]:
    """The releases as ticks; majors, the newest first, are the first to be given room for their label."""
    ordered = sorted(releases, key=lambda release: release.build_on)
    by_weight = sorted(ordered, key=lambda release: (release.is_major, release.build_on), reverse=True)
    places = [(axis.x(release.build_on), release.version) for release in by_weight]
    narrow = _with_room(places, NARROW, ())
    wide = _with_room(places, WIDE, narrow)
    labelled = {by_weight[i]: (i in narrow, True) for i in wide}
    return tuple(
        Tick(
            x := axis.x(release.build_on), release, _anchor(x, release.version), *labelled.get(release, (False, False))
        )
        for release in ordered
    )


def _with_room(places: Sequence[tuple[float, str]], plot: int, already: Iterable[int]) -> tuple[int, ...]:
    """The indices of the labels that fit beside each other in a plot of that many pixels, the first ones first."""
    taken: list[tuple[float, float]] = []
    chosen: list[int] = []
    for i in dict.fromkeys([*already, *range(len(places))]):
        x, label = places[i]
        width = len(label) * LETTER + 8
        left = x / 100 * plot - {"start": 0.0, "middle": width / 2, "end": width}[_anchor(x, label)]
        if all(left >= end or left + width <= start for start, end in taken):
            taken.append((left, left + width))
            chosen.append(i)
    return tuple(chosen)


def _anchor(x: float, label: str) -> str:
    """Where a label hangs on its x so that it stays inside even a narrow plot."""
    half = len(label) * LETTER / 2 / NARROW * 100
    return "start" if x < half else "end" if x > 100 - half else "middle"


def _grid(axis: Axis) -> tuple[GridLine, ...]:
    """Years, with quarters between them up to eight years and months up to two; labels as far as there is room."""
    years = (axis.ends_on - axis.starts_on).days / 365.25
    every = 1 if years <= 2 else 3 if years <= 8 else 12
    days = []
    for year in range(axis.starts_on.year, axis.ends_on.year + 1):
        for month in range(1, 13, every):
            day = date(year, month, 1)
            if axis.shows(day):
                days.append(day)
    return tuple(_grid_line(axis, day, years, is_first=day == days[0]) for day in days)


def _grid_line(axis: Axis, day: date, years: float, is_first: bool) -> GridLine:
    is_year = day.month == 1
    month = MONTH_NAMES[day.month - 1]
    label = str(day.year) if is_year else f"{month} {day.year}" if is_first else month
    x = axis.x(day)
    is_labelled = []
    for plot in (NARROW, WIDE):
        per_year = plot / years
        if is_year:
            step = next(step for step in LABEL_STEPS if step * per_year >= 44 or step == LABEL_STEPS[-1])
            has_room = day.year % step == 0
        else:
            months = next((each for each in (1, 3, 6) if each * per_year / 12 >= 44), None)
            has_room = years <= 2 and months is not None and (day.month - 1) % months == 0
        is_labelled.append(has_room and x < 97)
    return GridLine(x, is_year, label, _anchor(x, label), *is_labelled)


def _words(licence: TimelineLicence, periods: Sequence[Period], gaps: Sequence[Period]) -> str:
    """The row as a sentence."""
    parts = [f"covered {_listed(_joined(periods))}" if periods else "never covered"]
    if gaps:
        parts.append(f"not covered {_listed(gaps)}")
    if licence.missed:
        missed = ", ".join(f"{release.version} ({write_day(release.build_on)})" for release in licence.missed)
        parts.append(f"missed {missed}")
    if licence.additions:
        parts.append(f"the quote adds {_listed(_joined(sorted(licence.additions)))}")
    return f"{licence.label}: {'; '.join(parts)}."


def _joined(periods: Sequence[Period]) -> list[Period]:
    """Periods that follow each other without a gap, as one."""
    joined: list[Period] = []
    for starts_on, ends_on in periods:
        if joined and starts_on <= joined[-1].ends_on + DAY:
            joined[-1] = Period(joined[-1].starts_on, max(joined[-1].ends_on, ends_on))
        else:
            joined.append(Period(starts_on, ends_on))
    return joined


def _span(period: Period) -> str:
    return f"{write_day(period.starts_on)} – {write_day(period.ends_on)}"


def _listed(periods: Iterable[Period]) -> str:
    return ", ".join(map(_span, periods))


def _summary(axis: Axis, licences: Sequence[TimelineLicence], today: date) -> str:
    number = "1 licence" if len(licences) == 1 else f"{len(licences)} licences"
    covered = sum(is_valid_on(each.periods, today) for each in licences)
    return (
        f"SMA coverage of {number} from {write_day(axis.starts_on)} to {write_day(axis.ends_on)}; "
        f"on {write_day(today)} {covered} of {len(licences)} covered."
    )

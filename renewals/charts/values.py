"""What a chart shows: its kind, labels, series and unit, and the sizes that it is drawn in."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple
from unicodedata import east_asian_width

from portal.wording import MONTH_NAMES, count

Kind = Literal["bars", "stacked", "lines", "band"]
Label = date | str
Series = tuple[str, Sequence[int | float | None]]

WIDE, NARROW = 880, 360  # CSS pixels: beside a desk's tables, and a phone's whole page
MOST_SERIES, MOST_BARS = 8, 24  # told apart, and read, in one chart
UPRIGHT_LETTERS = 9  # a longer label stands to the left of its bar
NOT_WRITTEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no characters of XML 1.0


class Size(NamedTuple):
    """In CSS pixels."""

    width: int
    height: int


class ChartSpec(NamedTuple):
    """A chart to draw.

    `labels` are months (their first days) or words; each series is its name and a value per label, None where there is
    none. `unit` is a currency (values in its minor units), “count” or “rate” (values as parts of one: 0.93 is 93%).
    `bars` stand for themselves, beside each other where there are several series; `stacked` ones add up; `lines` are
    compared; a `band` lies between its first two series, further ones are lines. What is from `ahead_from` on (for
    months: the first one not before it) is still to come, and looks so.

    Of more series than can be told apart a stack adds up the smallest, the other kinds leave out the last; bars beyond
    the most that are drawn are left out: the words below the chart say so, and the table has them.
    """

    kind: Kind
    labels: Sequence[Label]
    series: Sequence[Series]
    unit: str
    ahead_from: Label | None = None

    @property
    def is_lying(self) -> bool:
        """Bars lie, each with its label at the left, where a label is too long to stand below one."""
        names = [label for label in self.labels if isinstance(label, str)]
        return self.kind in ("bars", "stacked") and any(letters(name) > UPRIGHT_LETTERS for name in names)

    @property
    def ahead_index(self) -> int | None:
        """Where what is still to come begins among the labels."""
        ahead = self.ahead_from
        for index, label in enumerate(self.labels):
            if label == ahead or (isinstance(ahead, date) and isinstance(label, date) and label >= ahead):
                return index
        return None


def has_values(spec: ChartSpec) -> bool:
    """Whether there is anything to draw."""
    return any(value is not None for _, values in spec.series for value in values)


def shown(spec: ChartSpec) -> tuple[ChartSpec, str]:
    """The chart without what is too much for one picture, and what was left out, in words."""
    left_out = []
    series: list[Series] = [(name, tuple(values)) for name, values in spec.series]
    if len(series) > MOST_SERIES and spec.kind == "stacked":
        series = _smallest_added(series)
    elif len(series) > MOST_SERIES:
        left_out.append(count(len(series) - MOST_SERIES, "more name"))
        series = series[:MOST_SERIES]
    labels = list(spec.labels)
    if spec.is_lying and len(labels) > MOST_BARS:
        left_out.append(count(len(labels) - MOST_BARS, "more row"))
        labels = labels[:MOST_BARS]
        series = [(name, values[:MOST_BARS]) for name, values in series]
    words = f"The table also has {' and '.join(left_out)}." if left_out else ""
    return spec._replace(labels=tuple(labels), series=tuple(series)), words


def _smallest_added(series: list[Series]) -> list[Series]:
    """All but the largest added up, in the order given; the sum stands last."""
    by_size = sorted(series, key=lambda each: sum(abs(value or 0) for value in each[1]), reverse=True)
    kept = by_size[: MOST_SERIES - 1]
    rest = [each for each in series if each not in kept]
    added = tuple(sum(value or 0 for value in values) for values in zip(*(each[1] for each in rest), strict=True))
    return [*(each for each in series if each in kept), (f"{len(rest)} others", added)]


def written(label: Label) -> str:
    """A label or name as it stands in a chart: “Jan 2026”, or the words on one line, without what XML can't hold."""
    if isinstance(label, date):
        return f"{MONTH_NAMES[label.month - 1]} {label.year}"
    return " ".join(NOT_WRITTEN.sub("\ufffd", label).split())


def letters(text: str) -> int:
    """How many letters' room a text takes; a wide one counts as two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, most: int) -> str:
    """A text of no more than that many letters' room, an ellipsis in place of what is too much."""
    if letters(text) <= most:
        return text
    kept, room = "", most - 1
    for letter in text:
        room -= letters(letter)
        if room < 0:
            break
        kept += letter
    return kept.rstrip() + "…"

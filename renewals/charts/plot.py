"""The plot of a chart as SVG: bars, lines or a band to scale, with axes, and what is still to come.

A coordinate of the plot is a place along the labels and one along the values, from 0 to 1 each: `Frame` turns both into
pixels, whether bars stand or lie.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from renewals.charts.axes import LETTER, Labels, Values, labels_axis, values_axis, whole_units
from renewals.charts.looks import EDGE, FILLS, LINE, PAPER, QUIET, RAISED, STROKES, painted
from renewals.charts.values import ChartSpec, Size, letters

FONT_SIZE, MARK_REACH = 13, 4  # pixels
WIDER = 1.15  # letters of a page may be wider than LETTER
PER_CENT = 6  # pixels that its sign is wider than a letter
GAP, UNDER, OVER, BESIDE = 8, 26, 8, 16  # pixels: words to plot; room below, above and at the right of a plot
BAR = 0.8  # of the place of a label
MARKED = 20  # pixels of a label’s place from which each value has its mark
THIN = 6  # pixels: bars so thin have no room for an edge
AHEAD, AHEAD_ROOM = "still to come", 16


class Frame(NamedTuple):
    """Where a plot is in its picture, in pixels, its axes, and whether its bars lie."""

    left: float
    top: float
    width: float
    height: float
    values: Values
    labels: Labels
    is_lying: bool

    def along(self, value: float) -> float:
        """The pixel of a value."""
        share = (value - self.values.least) / (self.values.most - self.values.least)
        return self.left + share * self.width if self.is_lying else self.top + (1 - share) * self.height

    def across(self, label: float) -> float:
        """The pixel of a label's middle; its place reaches half a label to both sides."""
        share = (label + 0.5) / len(self.labels.words)
        return self.top + share * self.height if self.is_lying else self.left + share * self.width

    def line_at(self, value: float) -> str:
        """The path of a line through the plot at a value."""
        at = _px(self.along(value))
        if self.is_lying:
            return f"M{at},{_px(self.top)}v{_px(self.height)}"
        return f"M{_px(self.left)},{at}h{_px(self.width)}"

    @property
    def place(self) -> float:
        """The pixels of a label's place."""
        return (self.height if self.is_lying else self.width) / len(self.labels.words)


def plot_svg(spec: ChartSpec, size: Size) -> str:
    """The plot of a chart that has values, of that size with its axes."""
    series = whole_units(spec)
    frame = _frame(spec, series, size)
    parts = [*_ahead(spec, frame), _grid(frame), *_words(frame)]
    if spec.kind in ("bars", "stacked"):
        rects = _stacked(series, frame) if spec.kind == "stacked" else _bars(series, frame)
        parts += ['<g class="bars">', *rects, "</g>", _ground(frame)]
    else:
        if spec.kind == "band":
            parts += _band(series, frame)
        parts += _lines(series, frame)
    return "".join(parts)


def _frame(spec: ChartSpec, series: Sequence[Sequence[float | None]], size: Size) -> Frame:
    top = OVER + (AHEAD_ROOM if spec.ahead_index is not None else 0)
    height = size.height - top - UNDER
    values = values_axis(spec, _extremes(spec, series), max(size.width // 130 if spec.is_lying else height // 45, 2))
    labels = labels_axis(spec, size.width * 0.4 / WIDER if spec.is_lying else size.width - 60)
    longest = max(map(letters, labels.words if spec.is_lying else values.words))
    left = longest * LETTER * WIDER + GAP + (PER_CENT if spec.unit == "rate" else 0)
    right = letters(values.words[-1]) * LETTER * WIDER / 2 if spec.is_lying else BESIDE
    return Frame(left, top, size.width - left - right, height, values, labels, spec.is_lying)


def _extremes(spec: ChartSpec, series: Sequence[Sequence[float | None]]) -> list[float]:
    """Values as far as any is drawn: of a stack the sums above and below nought."""
    if spec.kind != "stacked":
        return [value for values in series for value in values if value is not None]
    columns = [[value or 0 for value in column] for column in zip(*series, strict=True)]
    return [sum(v for v in column if v * side > 0) for column in columns for side in (1, -1)]


def _bars(series: Sequence[Sequence[float | None]], frame: Frame) -> Iterator[str]:
    breadth = frame.place * BAR / len(series)
    for number, values in enumerate(series):
        for label, value in enumerate(values):
            if value is not None:
                begin = frame.across(label) - frame.place * BAR / 2 + number * breadth
                yield _rect(frame, number, begin, breadth, 0, value)


def _stacked(series: Sequence[Sequence[float | None]], frame: Frame) -> Iterator[str]:
    """What is below nought hangs from it, each side in the order of the series."""
    breadth = frame.place * BAR
    for label in range(len(frame.labels.words)):
        reached = {True: 0.0, False: 0.0}
        for number, values in enumerate(series):
            value = values[label]
            if value:
                begin = reached[value > 0]
                reached[value > 0] += value
                yield _rect(frame, number, frame.across(label) - breadth / 2, breadth, begin, begin + value)


def _rect(frame: Frame, number: int, begin: float, breadth: float, low: float, high: float) -> str:
    low, high = sorted((frame.along(low), frame.along(high)))
    sides = (low, begin, high - low, breadth) if frame.is_lying else (begin, low, breadth, high - low)
    edge = f' stroke="{FILLS[number].edge}"' if breadth > THIN else ""
    names = zip(("x", "y", "width", "height"), sides, strict=True)
    measures = " ".join(f'{name}="{_px(value)}"' for name, value in names)
    return f'<rect {measures} fill="{painted(number)}"{edge}/>'


def _runs(values: Sequence[object]) -> Iterator[range]:
    """The spans of labels without a gap."""
    gaps = [-1, *(n for n, value in enumerate(values) if value is None), len(values)]
    yield from (range(before + 1, after) for before, after in pairwise(gaps) if after > before + 1)


def _lines(series: Sequence[Sequence[float | None]], frame: Frame) -> Iterator[str]:
    """Lines, broken where a value is missing, with marks at all values as far as there is room, else where a label is
    written and at the ends."""
    for number, values in enumerate(series):
        look = STROKES[number]
        marked = set(range(len(values)) if frame.place >= MARKED else frame.labels.written)
        marked |= {end for run in _runs(values) for end in (run[0], run[-1])}
        dashes = f' stroke-dasharray="{",".join(map(str, look.dashes))}"' if look.dashes else ""
        yield f'<path d="{_line(values, frame)}" fill="none" stroke="{look.colour}" stroke-width="2"{dashes}/>'
        for label in sorted(marked):
            value = values[label]
            if value is not None:
                yield mark_svg(number, frame.across(label), frame.along(value))


def _line(values: Sequence[float | None], frame: Frame) -> str:
    """The path through the values."""
    runs = ("L".join(_point(frame, label, values[label] or 0) for label in run) for run in _runs(values))
    return "".join(f"M{run}" for run in runs)


def mark_svg(number: int, x: float, y: float) -> str:
    """The mark on a series' line."""
    look = STROKES[number]
    where = f"translate({_px(x)},{_px(y)}) scale({MARK_REACH})"
    return f'<path class="mark" transform="{where}" d="{look.mark}" fill="{look.colour}"/>'


def _band(series: Sequence[Sequence[float | None]], frame: Frame) -> Iterator[str]:
    low, high = series[0], series[1]
    for run in _runs([None if one is None or other is None else 0 for one, other in zip(low, high, strict=True)]):
        there = [_point(frame, label, low[label] or 0) for label in run]
        back = [_point(frame, label, high[label] or 0) for label in reversed(run)]
        yield f'<path class="band" d="M{"L".join(there + back)}Z" fill="{painted(1)}"/>'
    for values in series:  # under each line its way is clear, which the hatching would else swallow
        yield f'<path d="{_line(values, frame)}" fill="none" stroke="{PAPER}" stroke-width="5"/>'


def _point(frame: Frame, label: int, value: float) -> str:
    return f"{_px(frame.across(label))},{_px(frame.along(value))}"


def _grid(frame: Frame) -> str:
    return f'<path d="{"".join(frame.line_at(tick) for tick in frame.values.ticks)}" stroke="{LINE}"/>'


def _ground(frame: Frame) -> str:
    """The line of nought, over the bars."""
    return f'<path d="{frame.line_at(0)}" stroke="{EDGE}"/>'


def _words(frame: Frame) -> Iterator[str]:
    """The words of both axes."""
    below, beside = frame.top + frame.height + FONT_SIZE + 8, frame.left - GAP
    for tick, words in zip(frame.values.ticks, frame.values.words, strict=True):
        at = frame.along(tick)
        yield _text(at, below, words, "middle") if frame.is_lying else _text(beside, at + 4.5, words, "end")
    for label in frame.labels.written:
        at, words = frame.across(label), frame.labels.words[label]
        yield _text(beside, at + 4.5, words, "end") if frame.is_lying else _text(at, below, words, "middle")


def _ahead(spec: ChartSpec, frame: Frame) -> Iterator[str]:
    """A wash behind what is still to come, and these words over it."""
    if spec.ahead_index is None:
        return
    begin = frame.across(spec.ahead_index - 0.5)
    x, y = (frame.left, begin) if frame.is_lying else (begin, frame.top)
    right, bottom = frame.left + frame.width, frame.top + frame.height
    measures = f'x="{_px(x)}" y="{_px(y)}" width="{_px(right - x)}" height="{_px(bottom - y)}"'
    yield f'<rect class="ahead" {measures} fill="{RAISED}" stroke="{LINE}"/>'
    is_at_end = frame.is_lying or begin > frame.left + frame.width * 0.6
    yield _text(right if is_at_end else begin, y - 6, AHEAD, "end" if is_at_end else "start")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    colours = f'font-size="{FONT_SIZE}" fill="{QUIET}"'
    return f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}" {colours}>{escape(words)}</text>'


def _px(value: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")

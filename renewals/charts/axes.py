"""The axes of a plot: which round values and which labels are written, where, and in which words."""

from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10
from typing import NamedTuple

from portal.wording import currency_exponent
from renewals.charts.values import ChartSpec, letters, shortened, written

LETTER = 7.2  # pixels that a letter of a chart takes in the middle
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
ROUND = (1, 2, 5, 10)
LARGE = ((1_000_000_000, 1_000_000_000, "\u00a0bn"), (1_000_000, 1_000_000, "\u00a0M"), (10_000, 1000, "\u00a0k"))


class Values(NamedTuple):
    """The axis of the values, in whole units: its ends and its round values in order, the ends among them."""

    least: float
    most: float
    ticks: Sequence[float]
    words: Sequence[str]


class Labels(NamedTuple):
    """The words of all labels, and which of them there is room for."""

    words: Sequence[str]
    written: Sequence[int]


def whole_units(spec: ChartSpec) -> list[list[float | None]]:
    """The values of each series as they are drawn, never to be reckoned with: in whole units, floating."""
    parts = 1 if spec.unit in ("count", "rate") else 10 ** currency_exponent(spec.unit)
    return [[None if value is None else value / parts for value in values] for _, values in spec.series]


def values_axis(spec: ChartSpec, extremes: Sequence[float], most_ticks: int) -> Values:
    """The axis for values as far as these; from nought on, but for lines of rates, which are all near one."""
    is_near = spec.kind == "lines" and spec.unit == "rate"
    least, most = min(extremes), max(extremes)
    if not is_near:
        least, most = min(least, 0), max(most, 0)
    if least == most:
        least, most = (least - 0.01, most + 0.01) if is_near else (0, 1)
    step = _round_step((most - least) / most_ticks)
    if spec.unit == "count":
        step = max(step, 1)
    first, last = floor(least / step + 1e-9), ceil(most / step - 1e-9)
    ticks = [round(number * step, 10) for number in range(first, last + 1)]
    return Values(ticks[0], ticks[-1], ticks, _written(ticks, spec.unit))


def _round_step(rough: float) -> float:
    """The nearest of 1, 2 or 5 × 10ⁿ, as ratios go."""
    power: float = 10.0 ** floor(log10(rough))
    return power * min(ROUND, key=lambda each: abs(log10(each * power / rough)))


def _written(ticks: Sequence[float], unit: str) -> list[str]:
    """Round values in words, all in the same measure: “0.5 M”, “1 M”."""
    parts, name = (0.01, "%") if unit == "rate" else (1, "")
    if unit != "rate":
        largest = max(abs(tick) for tick in ticks)
        parts, name = next(((parts, name) for limit, parts, name in LARGE if largest >= limit), (parts, name))
    return [
        f"{'−' if tick < 0 else ''}{abs(tick) / parts:,.6g}{name if tick or unit == 'rate' else ''}" for tick in ticks
    ]


def labels_axis(spec: ChartSpec, width: float) -> Labels:
    """The labels of an axis so wide: all of lying bars, of months those that begin a quarter, a half, a year, …"""
    every = range(len(spec.labels))
    if spec.is_lying:
        return Labels([shortened(written(label), int(width / LETTER)) for label in spec.labels], every)
    words = [shortened(written(label), 14) for label in spec.labels]
    months = [label for label in spec.labels if isinstance(label, date)]
    if len(months) < len(every):
        return Labels(words, every[:: ceil(len(every) / _room(words, width))])
    years = [str(month.year) for month in months]
    for step in MONTH_STEPS:
        found = [n for n, month in enumerate(months) if (month.year * 12 + month.month - 1) % step == 0]
        named = words if step < 12 else years
        if found and len(found) <= _room(named, width):
            return Labels(named, found)
    return Labels(words, every[:1])


def _room(words: Sequence[str], width: float) -> int:
    """How many of the words fit beside each other."""
    return max(int(width / (max(map(letters, words), default=0) * LETTER + 12)), 1)

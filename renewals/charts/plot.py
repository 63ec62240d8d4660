"""The plot of a chart: what Vega-Lite is told, without key and words around it.

Words reach Vega-Lite as values only, never as expressions: labels are numbers there, looked up in a list of words.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from portal.wording import currency_exponent
from renewals.charts.looks import EDGE, FILLS, LINE, MEASURED_FONT, QUIET, RAISED, STROKES, painted
from renewals.charts.values import ChartSpec, Size, letters, shortened, written

FONT_SIZE, LETTER = 13, 7.2  # in pixels; what a letter takes in the middle of a text
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
MARK_SIZE = 64  # in square pixels, of a path between −1 and 1
AHEAD = "still to come"

# How the values of an axis are written. They are round numbers, so three digits say them exactly.
AMOUNT = (
    "(datum.value < 0 ? '−' : '') + (abs(datum.value) >= 1e9 ? format(abs(datum.value) / 1e9, ',.3~r') + '\u00a0bn'"
    " : abs(datum.value) >= 1e6 ? format(abs(datum.value) / 1e6, ',.3~r') + '\u00a0M'"
    " : abs(datum.value) >= 1e4 ? format(abs(datum.value) / 1e3, ',.3~r') + '\u00a0k'"
    " : format(abs(datum.value), ',~f'))"
)
RATE = "format(datum.value * 100, ',.1~f') + '%'"

Channels = Mapping[str, Any]


def plot_of(spec: ChartSpec, size: Size) -> dict[str, Any]:
    """The Vega-Lite specification of a chart's plot of exactly that size, axes included."""
    across, along = ("y", "x") if spec.is_lying else ("x", "y")
    place, value = _place(spec, size.width), _value(spec, size)
    if spec.kind == "band":
        marks = [*_band(spec, place, value), *_lines(spec, place, value)]
    elif spec.kind == "lines":
        marks = list(_lines(spec, place, value))
    else:
        marks = [
            _bars(spec, {across: place, along: value}, size.width),
            _layer("ground", [{}], {"type": "rule", "color": EDGE}, {along: {"datum": 0}}),
        ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": size.width,
        "height": size.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": _padding(spec, size.width),
        "background": None,
        "params": [{"name": "words", "value": ticks_of(spec, size.width).words}],
        "layer": [*_ahead(spec, place, across), *marks],
        "config": _config(),
    }


class Ticks(NamedTuple):
    """The words of all labels, and which of them there is room for."""

    words: list[str]
    written: list[int]


def ticks_of(spec: ChartSpec, width: int) -> Ticks:
    """The labels of an axis: all of lying bars, of months those that begin a quarter, a half, a year, …"""
    every = list(range(len(spec.labels)))
    if spec.is_lying:
        return Ticks([shortened(written(label), width // 22) for label in spec.labels], every)
    words = [shortened(written(label), 14) for label in spec.labels]
    months = [label for label in spec.labels if isinstance(label, date)]
    if len(months) < len(every):
        return Ticks(words, every[:: -(-len(every) // _room(words, width))])
    years = [str(month.year) for month in months]
    for step in MONTH_STEPS:
        found = [n for n, month in enumerate(months) if (month.year * 12 + month.month - 1) % step == 0]
        named = words if step < 12 else years
        if found and len(found) <= _room(named, width):
            return Ticks(named, found)
    return Ticks(words, every[:1])


def _room(words: list[str], width: int) -> int:
    """How many of the words fit beside each other."""
    return max(int((width - 60) / (max(map(letters, words), default=0) * LETTER + 12)), 1)


def _padding(spec: ChartSpec, width: int) -> dict[str, int]:
    """Room at the left for letters a fifth wider than those that are measured, and above for the words there."""
    longest = max(map(letters, ticks_of(spec, width).words), default=0)
    left = int(longest * LETTER / 5) if spec.is_lying else 12
    return {"left": left, "right": 12, "top": 8 if spec.ahead_index is None else 24, "bottom": 0}


def _config() -> dict[str, Any]:
    axis = {
        "aria": False,
        "title": None,
        "labelColor": QUIET,
        "labelFontSize": FONT_SIZE,
        "labelLimit": 0,
        "labelPadding": 6,
        "gridColor": LINE,
        "domain": False,
        "tickColor": EDGE,
    }
    return {"aria": False, "font": MEASURED_FONT, "view": {"stroke": None}, "axis": axis}


def _layer(name: str, rows: list[dict[str, Any]], mark: dict[str, Any], channels: Channels) -> dict[str, Any]:
    return {"name": name, "data": {"values": rows}, "mark": mark, "encoding": channels}


def _place(spec: ChartSpec, width: int) -> dict[str, Any]:
    """Where the labels are, and which of them are written."""
    scale = {"type": "band", "domain": list(range(len(spec.labels))), "paddingInner": 0.2, "paddingOuter": 0.1}
    axis = {
        "labelExpr": "words[datum.value]",
        "values": ticks_of(spec, width).written,
        "labelAngle": 0,
        "labelOverlap": False,
        "ticks": not spec.is_lying,
        "grid": False,
    }
    return {"field": "label", "type": "ordinal", "scale": scale, "axis": axis}


def _value(spec: ChartSpec, size: Size) -> dict[str, Any]:
    """The scale of the values, from nought on but for lines of rates, which are all near one."""
    length = size.width if spec.is_lying else size.height
    numbers = [number for _, values in spec.series for number in values if number]
    scale: dict[str, Any] = {"zero": spec.unit != "rate" or spec.kind != "lines", "nice": True}
    if not numbers:
        scale["domain"] = [0, 1]
    axis: dict[str, Any] = {
        "labelExpr": RATE if spec.unit == "rate" else AMOUNT,
        "tickCount": max(length // (90 if spec.is_lying else 50), 2),
        "ticks": False,
    }
    if spec.unit == "count":
        axis["tickMinStep"] = 1
    return {"field": "value", "type": "quantitative", "scale": scale, "axis": axis}


def _rows(spec: ChartSpec) -> Iterator[dict[str, Any]]:
    """A row for each label and series, in whole units: floating point is for drawing only."""
    whole = 1 if spec.unit in ("count", "rate") else 10 ** currency_exponent(spec.unit)
    for number, (_, values) in enumerate(spec.series):
        for label, value in enumerate(values):
            yield {"label": label, "series": number, "value": None if value is None else value / whole}


def _looked_up(values: list[Any], field: str = "series") -> dict[str, Any]:
    """A channel by the series' number."""
    scale = {"domain": list(range(len(values))), "range": values}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def _bars(spec: ChartSpec, positions: Channels, width: int) -> dict[str, Any]:
    count = len(spec.series)
    channels = {
        **positions,
        "fill": _looked_up([painted(number) for number in range(count)]),
        "stroke": _looked_up([FILLS[number].edge for number in range(count)]),
    }
    if spec.kind == "stacked":
        channels["order"] = {"field": "series"}
    elif count > 1:
        offset = "yOffset" if spec.is_lying else "xOffset"
        channels[offset] = {"field": "series", "type": "nominal", "scale": {"domain": list(range(count))}}
    rows = [row for row in _rows(spec) if row["value"] is not None]
    edge = 1 if spec.is_lying or len(spec.labels) < width / 8 else 0  # round thin bars there is no room for an edge
    return _layer("bars", rows, {"type": "bar", "strokeWidth": edge}, channels)


def _band(spec: ChartSpec, place: Channels, value: Channels) -> Iterator[dict[str, Any]]:
    low, high, *_ = (values for _, values in spec.series)
    bounds = [
        {"label": row["label"], "value": row["value"]}
        for row in _rows(spec._replace(series=spec.series[:2]))
        if low[row["label"]] is not None and high[row["label"]] is not None
    ]
    half = len(bounds) // 2
    rows = [{**one, "other": two["value"]} for one, two in zip(bounds[:half], bounds[half:], strict=True)]
    yield _layer("band", rows, {"type": "area", "fill": painted(1)}, {"x": place, "y": value, "y2": {"field": "other"}})


def _lines(spec: ChartSpec, place: Channels, value: Channels) -> Iterator[dict[str, Any]]:
    """Lines, with a mark where a label is written, at the end and where a value stands alone."""
    looks = STROKES[: len(spec.series)]
    rows = list(_rows(spec))
    lines = {
        "x": place,
        "y": value,
        "stroke": _looked_up([look.colour for look in looks]),
        "strokeDash": _looked_up([list(look.dashes) for look in looks]),
    }
    yield _layer("lines", rows, {"type": "line", "strokeWidth": 2, "strokeCap": "butt"}, lines)
    marks = {
        "x": place,
        "y": value,
        "fill": _looked_up([look.colour for look in looks]),
        "shape": _looked_up([look.mark for look in looks]),
    }
    marked = [row for row in rows if row["value"] is not None and _is_marked(spec, row["series"], row["label"], place)]
    yield _layer("marks", marked, {"type": "point", "size": MARK_SIZE, "opacity": 1, "strokeWidth": 0}, marks)


def _is_marked(spec: ChartSpec, series: int, label: int, place: Channels) -> bool:
    values = spec.series[series][1]
    is_alone = (label == 0 or values[label - 1] is None) and (label + 1 == len(values) or values[label + 1] is None)
    return is_alone or label + 1 == len(values) or label in place["axis"]["values"]


def _ahead(spec: ChartSpec, place: Channels, across: str) -> Iterator[dict[str, Any]]:
    """A wash behind what is still to come, and these words."""
    begin, end = spec.ahead_index, len(spec.labels) - 1
    if begin is None:
        return
    span = {
        across: {**place, "field": "begin", "bandPosition": 0},
        f"{across}2": {"field": "end", "bandPosition": 1},
    }
    yield _layer("ahead", [{"begin": begin, "end": end}], {"type": "rect", "fill": RAISED, "stroke": LINE}, span)
    words = {"type": "text", "text": AHEAD, "fill": QUIET, "fontSize": FONT_SIZE}
    if across == "y":
        at = {"y": {**place, "field": "begin", "bandPosition": 0}, "x": {"value": "width"}}
        yield _layer("ahead-words", [{"begin": begin}], {**words, "align": "right", "dx": -6, "dy": 12}, at)
        return
    is_near_end = begin > end * 0.6
    at = {"x": {**place, "field": "at", "bandPosition": 1 if is_near_end else 0}, "y": {"value": 0}}
    words |= {"align": "right" if is_near_end else "left", "dy": -10}
    yield _layer("ahead-words", [{"at": end if is_near_end else begin}], words, at)

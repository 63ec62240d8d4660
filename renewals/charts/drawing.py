"""Draws a chart: the plot, above it the key and the unit, below it what was left out."""

from collections.abc import Iterator
from html import escape

from renewals.charts.axes import LETTER
from renewals.charts.looks import FILLS, INK, QUIET, STROKES, STYLE, painted, patterns
from renewals.charts.plot import FONT_SIZE, mark_svg, plot_svg
from renewals.charts.values import NARROW, WIDE, ChartSpec, Size, has_values, letters, shortened, shown, written

ROW, SAMPLE = 24, 36  # pixels: a row of words, and the sample before a name in the key
UPRIGHT, LYING_ROW, LYING_BAR, AXIS = 300, 28, 14, 40  # pixels: a plot's height; with lying bars of each row, bar, rest
NOTHING = "No figures in this period."
UNITS = {"count": "Number", "rate": "Share"}


def chart_size(spec: ChartSpec, *, narrow: bool) -> Size:
    """The size of the picture that `draw_chart` draws."""
    if not has_values(spec):
        return Size(NARROW if narrow else WIDE, ROW)
    spec, left_out = shown(spec)
    width = NARROW if narrow else WIDE
    rows = -(-len(_keyed(spec)) // _columns(spec, width)) + 1 + bool(left_out)
    return Size(width, rows * ROW + _plot_height(spec))


def draw_chart(spec: ChartSpec, title: str, description: str, *, narrow: bool = False) -> bytes:
    """A chart as SVG: wide for a desk and for paper, or narrow for a phone. Title and description are for who can't
    see it. The same bytes for the same chart. ValueError where a series has not a value (or None) for each label."""
    if any(len(values) != len(spec.labels) for _, values in spec.series):
        raise ValueError("Every series needs a value for each label.")
    size = chart_size(spec, narrow=narrow)
    spec, left_out = shown(spec)
    key = "".join(_key(spec, size.width))
    top = -(-len(_keyed(spec)) // _columns(spec, size.width)) * ROW
    body = _text(0, top + 16, UNITS.get(spec.unit, spec.unit), QUIET)
    if has_values(spec):
        plot = plot_svg(spec, Size(size.width, _plot_height(spec)))
        body += f'<g transform="translate(0,{top + ROW})">{plot}</g>'
    else:
        key, body = "", _text(0, 16, NOTHING, QUIET)
    if left_out:
        body += _text(0, size.height - 8, left_out, QUIET)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" width="{size.width}" '
        f'height="{size.height}" viewBox="0 0 {size.width} {size.height}">'
        f'<title id="title">{escape(written(title))}</title>'
        f'<desc id="description">{escape(written(description))}</desc>'
        f"<style>{STYLE}</style><defs>{patterns()}</defs>{key}{body}</svg>\n"
    ).encode()


def _plot_height(spec: ChartSpec) -> int:
    if not spec.is_lying:
        return UPRIGHT
    bars = len(spec.series) if spec.kind == "bars" else 1
    return AXIS + len(spec.labels) * max(LYING_ROW, bars * LYING_BAR + 8)


def _keyed(spec: ChartSpec) -> list[str]:
    """The names in the key; one series needs none, the title names it."""
    return [written(name) for name, _ in spec.series] if len(spec.series) > 1 else []


def _columns(spec: ChartSpec, width: int) -> int:
    longest = max(map(letters, _keyed(spec)), default=0)
    return max(int(width // (SAMPLE + longest * LETTER + 16)), 1)


def _key(spec: ChartSpec, width: int) -> Iterator[str]:
    names, columns = _keyed(spec), _columns(spec, width)
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        x, y = column * (width // columns), row * ROW
        sample = _line_sample(x, y, number) if spec.kind in ("lines", "band") else _area_sample(x, y, number)
        yield sample + _text(x + SAMPLE, y + 16, shortened(name, int((width // columns - SAMPLE) / LETTER)), INK)


def _area_sample(x: int, y: int, number: int) -> str:
    colours = f'fill="{painted(number)}" stroke="{FILLS[number].edge}"'
    return f'<rect x="{x + 0.5}" y="{y + 4.5}" width="28" height="14" {colours}/>'


def _line_sample(x: int, y: int, number: int) -> str:
    look = STROKES[number]
    dashes = f' stroke-dasharray="{",".join(map(str, look.dashes))}"' if look.dashes else ""
    line = f'<path d="M{x},{y + 12}h28" stroke="{look.colour}" stroke-width="2"{dashes}/>'
    return line + mark_svg(number, x + 14, y + 12)


def _text(x: int, y: int, words: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="{FONT_SIZE}" fill="{colour}">{escape(words)}</text>'

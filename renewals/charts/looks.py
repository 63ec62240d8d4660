"""The looks of charts: which colour, pattern, dash and mark a series has, in light and dark. Colour never speaks alone.

A chart holds the colours of the light page as plain attributes, so that any program shows it; STYLE says what each
turns into on a dark page. Ink, quiet, line, raised, edge and paper are those of portal.css. Green, amber and red mean
the state of an SMA and are not used. Neighbouring series differ in lightness and in pattern, lines in dash and mark.
"""

import base64
import hashlib
from typing import NamedTuple

INK, QUIET, LINE, RAISED, EDGE, PAPER = "#17212b", "#556270", "#dce2e7", "#f6f8f9", "#7c8894", "#ffffff"
BLUE, SKY = "#0b4a8b", "#b5d3ee"
VIOLET, LILAC = "#5b4590", "#d6cbea"
PETROL, SEA = "#1f6168", "#b4dadd"
SLATE, MIST = "#45525f", "#cbd5dd"

LETTERS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'

DARK = {
    INK: "#e6ebf0",
    QUIET: "#9eabb8",
    LINE: "#2a343e",
    RAISED: "#171e25",
    EDGE: "#75818d",
    PAPER: "#0f1419",
    BLUE: "#7ab7f5",
    SKY: "#1f4468",
    VIOLET: "#bda8f0",
    LILAC: "#433566",
    PETROL: "#6fc6ce",
    SEA: "#1c484e",
    SLATE: "#b6c2cd",
    MIST: "#384550",
}

STYLE = (
    f"text{{font-family:{LETTERS};font-variant-numeric:tabular-nums}}"
    "@media (prefers-color-scheme:dark){"
    + "".join(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in DARK.items())
    + "}"
)
# What a Content-Security-Policy must let be for the style to count where the picture is opened by itself.
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


class Fill(NamedTuple):
    """An area's colour, the colour of its pattern and edge, and the pattern: the path of an 8 px tile, stroked."""

    colour: str
    edge: str
    tile: str = ""


FILLS = (
    Fill(BLUE, BLUE),
    Fill(SKY, BLUE, "M-2,2l4,-4M0,8l8,-8M6,10l4,-4"),
    Fill(VIOLET, LILAC, "M2,2h2M6,6h2"),
    Fill(LILAC, VIOLET, "M1.5,0v8M5.5,0v8"),
    Fill(PETROL, SEA, "M0,2h8M0,6h8"),
    Fill(SEA, PETROL),
    Fill(SLATE, MIST, "M0,0l8,8M-2,6l4,4M6,-2l4,4"),
    Fill(MIST, SLATE, "M0,4h8M4,0v8"),
)


class Stroke(NamedTuple):
    """A line's colour, its dashes (lengths in pixels, drawn and left out in turn) and the mark on it: a path between
    −1 and 1."""

    colour: str
    dashes: tuple[int, ...]
    mark: str


_DISC = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z"
_SQUARE = "M-0.9,-0.9H0.9V0.9H-0.9Z"
_UP, _DOWN = "M0,-1.1L1.1,0.9H-1.1Z", "M0,1.1L1.1,-0.9H-1.1Z"
_DIAMOND = "M0,-1.3L1.3,0L0,1.3L-1.3,0Z"
_PLUS = "M-0.4,-1.2H0.4V-0.4H1.2V0.4H0.4V1.2H-0.4V0.4H-1.2V-0.4H-0.4Z"
_BAR = "M-0.35,-1.3H0.35V1.3H-0.35Z"
_FLAT = "M-1.3,-0.35H1.3V0.35H-1.3Z"

STROKES = (
    Stroke(BLUE, (), _DISC),
    Stroke(VIOLET, (8, 4), _SQUARE),
    Stroke(PETROL, (2, 3), _UP),
    Stroke(SLATE, (10, 3, 2, 3), _DIAMOND),
    Stroke(BLUE, (4, 2), _DOWN),
    Stroke(VIOLET, (), _PLUS),
    Stroke(PETROL, (12, 4), _BAR),
    Stroke(SLATE, (5, 2, 1, 2, 1, 2), _FLAT),
)


def painted(number: int) -> str:
    """The `fill` of a series' areas."""
    fill = FILLS[number]
    return f"url(#area-{number})" if fill.tile else fill.colour


def patterns() -> str:
    """The patterns that `painted` names, as SVG definitions."""
    return "".join(
        f'<pattern id="area-{number}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{fill.colour}"/>'
        f'<path d="{fill.tile}" fill="none" stroke="{fill.edge}" stroke-width="1.5"/></pattern>'
        for number, fill in enumerate(FILLS)
        if fill.tile
    )

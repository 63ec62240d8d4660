"""Charts: what is drawn stands to scale, can be told apart without colour, and hostile names are text in it."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from renewals.charts import STYLE_SOURCE, ChartSpec, chart_size, draw_chart
from renewals.charts.looks import DARK, EDGE, FILLS, INK, LINE, QUIET, RAISED, STROKES
from renewals.charts.values import MOST_BARS, MOST_SERIES

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "]]>&amp;\" onload='x'",
    "שלום \u202e",
    "👩‍👩‍👧 \x00\x1b\ud800",
    "x" * 400,
    "words[0]+1",
]


def months(count, year=2026):
    return tuple(date(year + n // 12, n % 12 + 1, 1) for n in range(count))


def drawn(spec, **how):
    return ElementTree.fromstring(draw_chart(spec, "Bookings", "Bookings by month.", **how))


def words(picture):
    return [element.text for element in picture.iter(f"{SVG}text")]


def bars(picture):
    """Of each bar: left edge, top edge, width and height in pixels."""
    groups = [group for group in picture.iter(f"{SVG}g") if group.get("class") == "bars"]
    return [
        tuple(float(rect.get(part)) for part in ("x", "y", "width", "height"))
        for group in groups
        for rect in group.iter(f"{SVG}rect")
    ]


@pytest.mark.parametrize("narrow", [False, True])
def test_bars_are_as_high_as_their_values_and_stand_on_nought(narrow):
    # 30, 10 and −20 euros: the first is three times the second, the third hangs below the line, twice the second.
    spec = ChartSpec("bars", months(3), [("Net", (3000, 1000, -2000))], "EUR")
    heights = [bar[3] for bar in bars(drawn(spec, narrow=narrow))]
    assert len(heights) == 3
    assert abs(heights[0]) == pytest.approx(3 * abs(heights[1]), abs=0.1)
    assert abs(heights[2]) == pytest.approx(2 * abs(heights[1]), abs=0.1)


def test_a_stack_is_as_high_as_the_sum_of_its_parts():
    spec = ChartSpec("stacked", ("a",), [("One", (100,)), ("Two", (300,))], "count")
    one, two = bars(drawn(spec))
    assert abs(two[3]) == pytest.approx(3 * abs(one[3]), abs=0.1)
    assert one[0] == two[0]


def test_bars_lie_where_their_labels_are_long():
    spec = ChartSpec("bars", ("Imaging License Server", "Volocity"), [("Net", (1000, 4000))], "EUR")
    first, second = bars(drawn(spec))
    assert second[2] == pytest.approx(4 * first[2], abs=0.1)
    assert "Imaging License Server" in words(drawn(spec))


def test_a_value_that_is_missing_is_not_drawn_as_nought():
    assert len(bars(drawn(ChartSpec("bars", months(3), [("Net", (5, None, 5))], "count")))) == 2


@pytest.mark.parametrize(
    ("kind", "unit", "value", "label"),
    [
        ("bars", "EUR", 123_456_789, "1.2\u00a0M"),  # € 1,234,567.89
        ("bars", "JPY", 40_000, "40\u00a0k"),  # a yen has no minor unit
        ("bars", "EUR", 500_000, "5,000"),
        ("bars", "count", 3, "3"),
        ("lines", "rate", 0.9, "90%"),
    ],
)
def test_an_axis_is_written_for_people(kind, unit, value, label):
    found = words(drawn(ChartSpec(kind, months(2), [("x", (value, value))], unit)))
    assert label in found
    assert unit in found or unit in ("count", "rate")


def test_months_are_named_and_thinned_to_what_there_is_room_for():
    assert {"Jan 2026", "Feb 2026", "Mar 2026"} <= set(
        words(drawn(ChartSpec("lines", months(3), [("x", (1, 2, 3))], "count")))
    )
    years = ChartSpec("stacked", months(120), [("x", (1,) * 120)], "count")
    found = [word for word in words(drawn(years, narrow=True)) if word.startswith("20")]
    assert found == ["2026", "2028", "2030", "2032", "2034"]


@pytest.mark.parametrize("kind", ["bars", "stacked", "lines", "band"])
@pytest.mark.parametrize("narrow", [False, True])
def test_hostile_names_are_text_and_nothing_else(kind, narrow):
    spec = ChartSpec(kind, tuple(HOSTILE), [(name, range(len(HOSTILE))) for name in HOSTILE], "count")
    content = draw_chart(spec, HOSTILE[0], HOSTILE[1], narrow=narrow)
    picture = ElementTree.fromstring(content)
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
        "svg", "title", "desc", "style", "defs", "pattern", "g", "path", "rect", "line", "text"
    }  # fmt: skip
    assert picture.findtext(f"{SVG}title") == HOSTILE[0]
    assert any("<script>"[: len(word)] in word for word in words(picture))
    values = [value for element in picture.iter() for value in element.attrib.values()]
    assert not [
        value for value in values if "alert" in value or ("url(" in value and not value.startswith("url(#area-"))
    ]
    assert not [
        name for element in picture.iter() for name in element.attrib if name.startswith("on") or "href" in name
    ]
    assert b"://" not in content.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")


def test_a_chart_says_what_it_is_to_who_cannot_see_it():
    picture = drawn(ChartSpec("bars", months(1), [("x", (1,))], "EUR"))
    assert picture.get("role") == "img"
    assert [picture.findtext(f"{SVG}{part}") for part in ("title", "desc")] == ["Bookings", "Bookings by month."]
    assert picture.get("aria-labelledby") == "title description"


def test_the_same_chart_has_the_same_bytes_and_the_size_that_is_said():
    spec = ChartSpec(
        "band", months(6), [("Sold", (5, 4, 3, 2, 1, 0)), ("Expected", (5, 5, 5, 5, 5, 5))], "EUR", date(2026, 3, 1)
    )
    for narrow in (False, True):
        content = draw_chart(spec, "t", "d", narrow=narrow)
        assert content == draw_chart(spec, "t", "d", narrow=narrow)
        picture = ElementTree.fromstring(content)
        assert (int(picture.get("width")), int(picture.get("height"))) == chart_size(spec, narrow=narrow)
    assert "still to come" in words(picture)


def test_what_is_too_much_for_a_picture_is_added_up_or_named_as_left_out():
    series = [(f"Product {n}", (n + 1, n + 1)) for n in range(MOST_SERIES + 2)]  # 1, 1, 2, 2 … 10, 10
    stack = drawn(ChartSpec("stacked", months(2), series, "count"))
    assert "3 others" in words(stack)  # the first three, 1 + 2 + 3 a month: as high as the sixth
    heights = [abs(bar[3]) for bar in bars(stack)]
    assert len(heights) == 2 * MOST_SERIES
    assert heights.count(pytest.approx(heights[-1], abs=0.1)) == 4  # the sums of two months, and the sixth's two
    lines = drawn(ChartSpec("lines", months(2), series, "count"))
    assert "The table also has 2 more names." in words(lines)
    rows = tuple(f"Customer number {n}" for n in range(MOST_BARS + 1))
    assert "The table also has 1 more row." in words(drawn(ChartSpec("bars", rows, [("x", range(len(rows)))], "count")))


@pytest.mark.parametrize(("labels", "values"), [((), ()), (months(2), (None, None))])
def test_a_chart_of_nothing_says_so(labels, values):
    assert words(drawn(ChartSpec("lines", labels, [("x", values)], "EUR"))) == ["No figures in this period."]


def test_series_of_another_length_than_the_labels_are_refused():
    with pytest.raises(ValueError, match="each label"):
        draw_chart(ChartSpec("bars", months(2), [("x", (1,))], "EUR"), "t", "d")


def lightness(colour):
    """The relative luminance of WCAG 2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    lighter, darker = sorted((lightness(one), lightness(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", [lambda colour: colour, DARK.__getitem__], ids=["light", "dark"])
def test_neighbours_differ_in_grey_and_each_stands_out_from_the_page(mode):
    page = {"#17212b": "#ffffff", "#e6ebf0": "#0f1419"}[mode(INK)]
    for one, other in pairwise(FILLS):
        assert contrast(mode(one.colour), mode(other.colour)) >= 3
    for fill in FILLS:
        assert max(contrast(mode(fill.colour), page), contrast(mode(fill.edge), page)) >= 3
    assert min(contrast(mode(stroke.colour), page) for stroke in STROKES) >= 4.5
    assert min(contrast(mode(INK), page), contrast(mode(QUIET), page)) >= 4.5


def test_no_two_series_share_a_pattern_or_a_dash_and_mark():
    assert len({(fill.tile, lightness(fill.colour) > 0.3) for fill in FILLS}) == len(FILLS) == MOST_SERIES
    assert len({(stroke.dashes, stroke.mark) for stroke in STROKES}) == len(STROKES) == MOST_SERIES
    assert len({stroke.mark for stroke in STROKES}) == MOST_SERIES


def test_ink_and_lines_are_those_of_the_pages():
    css = (ROOT / "portal/static/portal/portal.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark", 1)
    for name, colour in (("ink", INK), ("quiet", QUIET), ("line", LINE), ("raised", RAISED), ("edge", EDGE)):
        assert f"--{name}: {colour};" in light
        assert f"--{name}: {DARK[colour]};" in dark.split("}\n}", 1)[0]


def test_a_dark_page_gets_dark_counterparts_of_every_colour_that_is_drawn():
    spec = ChartSpec("stacked", months(3), [(str(n), (1, 2, 3)) for n in range(MOST_SERIES)], "EUR", date(2026, 2, 1))
    content = draw_chart(spec, "t", "d").decode()
    assert set(re.findall(r'(?:fill|stroke)="(#[^"]*)"', content)) <= set(DARK)
    assert STYLE_SOURCE.startswith("'sha256-")

"""The geometry of the coverage timeline, and its drawing."""

import itertools
import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from dongles.coverage import Period, Release
from dongles.timeline import NARROW, WIDE, Timeline, TimelineLicence, build_timeline

TODAY = date(2026, 8, 24)


def licence(*periods: Period, additions: tuple[Period, ...] = (), **more: object) -> TimelineLicence:
    facts = {"label": "Volocity Visualisation", "family": "Volocity", "acquired_on": date(2020, 1, 1), **more}
    return TimelineLicence(periods=periods, additions=additions, **facts)  # type: ignore[arg-type]


def only_row(timeline: Timeline):
    (group,) = timeline.groups
    (row,) = group.rows
    return row


def release(version: str, build_on: date, is_major: bool = True, family: str = "Volocity") -> Release:
    return Release(family, version, build_on, is_major)


def test_a_bar_includes_the_last_day_of_its_period() -> None:
    timeline = build_timeline([licence(Period(date(2025, 1, 1), date(2025, 12, 31)))], [], TODAY)
    days = (timeline.ends_on - timeline.starts_on).days + 1
    (bar,) = only_row(timeline).bars
    assert bar.width == pytest.approx(365 / days * 100, abs=0.002)


def test_the_period_of_today_is_split_where_today_begins() -> None:
    timeline = build_timeline([licence(Period(date(2026, 1, 1), date(2026, 12, 31)))], [], TODAY)
    past, ahead = only_row(timeline).bars
    assert (past.is_ahead, ahead.is_ahead) == (False, True)
    assert ahead.x == timeline.today.x == pytest.approx(past.x + past.width, abs=0.002)


def test_periods_back_to_back_leave_no_gap() -> None:
    row = only_row(
        build_timeline(
            [licence(Period(date(2020, 1, 1), date(2024, 12, 31)), Period(date(2025, 1, 1), date(2027, 1, 1)))],
            [],
            TODAY,
        )
    )
    assert row.gaps == ()
    assert row.words == "Volocity Visualisation: covered 1 Jan 2020 – 1 Jan 2027."


def test_a_gap_is_drawn_and_said() -> None:
    row = only_row(
        build_timeline(
            [licence(Period(date(2020, 1, 1), date(2021, 3, 31)), Period(date(2023, 9, 15), date(2027, 3, 31)))],
            [],
            TODAY,
        )
    )
    assert [gap.title for gap in row.gaps] == ["Not covered 1 Apr 2021 – 14 Sep 2023"]
    assert "not covered 1 Apr 2021 – 14 Sep 2023" in row.words


def test_a_lapsed_licence_has_a_gap_up_to_yesterday_and_names_what_it_missed() -> None:
    missed = (release("8.0", date(2026, 3, 14)),)
    row = only_row(build_timeline([licence(Period(date(2020, 1, 1), date(2025, 3, 31)), missed=missed)], missed, TODAY))
    assert row.gaps[-1].title == "Not covered 1 Apr 2025 – 23 Aug 2026"
    assert [mark.label for mark in row.missed] == ["Missed 8.0, 14 Mar 2026"]
    assert "missed 8.0 (14 Mar 2026)" in row.words


def test_what_the_quote_adds_closes_the_gap() -> None:
    row = only_row(
        build_timeline(
            [
                licence(
                    Period(date(2020, 1, 1), date(2026, 10, 31)),
                    additions=(Period(date(2026, 11, 1), date(2027, 10, 31)),),
                )
            ],
            [],
            TODAY,
        )
    )
    assert row.gaps == ()
    (addition,) = row.additions
    assert addition.x == pytest.approx(row.bars[-1].x + row.bars[-1].width, abs=0.002)
    assert row.words.endswith("the quote adds 1 Nov 2026 – 31 Oct 2027.")


def test_what_began_long_ago_is_cut_off_and_cued_but_still_said() -> None:
    row = only_row(
        build_timeline(
            [licence(Period(date(2001, 5, 1), date(2027, 4, 30)), acquired_on=date(2001, 5, 1))],
            [],
            TODAY,
            most_years_back=12,
        )
    )
    assert row.starts_earlier
    assert row.bars[0].x == 0
    assert "covered 1 May 2001 – 30 Apr 2027" in row.words


def test_releases_stand_over_the_licences_of_their_family() -> None:
    timeline = build_timeline(
        [licence(), licence(label="Openlab", family="Openlab")],
        [release("7.0", date(2024, 3, 1)), release("5.0", date(2025, 3, 1), family="Openlab")],
        TODAY,
    )
    assert [(group.family, [tick.release.version for tick in group.ticks]) for group in timeline.groups] == [
        ("Volocity", ["7.0"]),
        ("Openlab", ["5.0"]),
    ]


def test_a_major_is_labelled_before_a_minor_that_wants_its_room() -> None:
    timeline = build_timeline(
        [licence()], [release("7.1", date(2024, 3, 1), False), release("8.0", date(2024, 3, 20))], TODAY
    )
    minor, major = timeline.groups[0].ticks
    assert (major.is_labelled_narrow, major.is_labelled_wide) == (True, True)
    assert (minor.is_labelled_narrow, minor.is_labelled_wide) == (False, False)


def test_the_expiry_of_the_dongle_stands_after_its_last_day() -> None:
    expires_on = date(2026, 9, 30)
    timeline = build_timeline([licence(Period(date(2020, 1, 1), expires_on))], [], TODAY, expires_on=expires_on)
    bar = only_row(timeline).bars[-1]
    assert timeline.expiry is not None
    assert timeline.expiry.x == pytest.approx(bar.x + bar.width, abs=0.002)


def test_a_dongle_without_licences_has_nothing_to_draw() -> None:
    timeline = build_timeline([], [release("8.0", date(2026, 3, 14))], TODAY)
    assert timeline.groups == ()
    assert "No licence" in render_to_string("parts/timeline.html", {"timeline": timeline})


def test_a_short_life_is_labelled_by_months_and_a_long_one_by_years() -> None:
    short = build_timeline(
        [licence(Period(date(2026, 7, 1), date(2026, 9, 30)), acquired_on=date(2026, 7, 1))], [], TODAY
    )
    long = build_timeline([licence(acquired_on=date(2006, 5, 3))], [], TODAY, most_years_back=25)
    assert {"Jul", "2026"} <= {line.label for line in short.grid if line.is_labelled_wide}
    assert all(line.is_year for line in long.grid)


days = st.dates(date(2000, 1, 1), date(2036, 12, 31))
periods = st.lists(days, max_size=8, unique=True).map(
    lambda ds: tuple(
        Period(a, b) for a, b in zip(sorted(ds)[::2], sorted(ds)[1::2], strict=False)
    )  # sorted pairs never overlap
)
licences = st.lists(
    st.tuples(
        st.sampled_from(["Visualisation", "Quantitation"]),
        st.sampled_from(["Volocity", "Openlab"]),
        days,
        periods,
    ).map(lambda facts: TimelineLicence(*facts)),
    min_size=1,
    max_size=5,
)
releases = st.lists(
    st.builds(Release, st.just("Volocity"), st.from_regex(r"\A[1-9]{1,2}\.[0-9]\Z"), days, st.booleans()),
    max_size=20,
    unique_by=lambda each: each.version,
)


@given(licences, releases, days, st.none() | days)
def test_nothing_is_drawn_outside_the_plot(licences, releases, today, expires_on) -> None:
    timeline = build_timeline(licences, releases, today, expires_on=expires_on)
    assert timeline.starts_on <= today <= timeline.ends_on
    for row in (row for group in timeline.groups for row in group.rows):
        for bar in (*row.bars, *row.gaps):
            assert 0 <= bar.x <= bar.x + bar.width <= 100.002
            assert bar.width >= 0
    assert sum(len(group.rows) for group in timeline.groups) == len(licences)


@given(licences, st.none() | days)
def test_bars_and_gaps_of_a_row_never_lie_over_each_other(licences, expires_on) -> None:
    timeline = build_timeline(licences, [], TODAY, expires_on=expires_on)
    for row in (row for group in timeline.groups for row in group.rows):
        pieces = sorted((bar.x, bar.x + bar.width) for bar in (*row.bars, *row.gaps))
        assert all(left[1] <= right[0] + 0.002 for left, right in itertools.pairwise(pieces))


@given(releases)
def test_labels_of_releases_never_run_into_each_other(releases) -> None:
    timeline = build_timeline([licence()], releases, TODAY)
    for plot, shown in ((NARROW, "is_labelled_narrow"), (WIDE, "is_labelled_wide")):
        ends = []
        for tick in timeline.groups[0].ticks:
            if getattr(tick, shown):
                width = len(tick.release.version) * 7
                left = tick.x / 100 * plot - {"start": 0, "middle": width / 2, "end": width}[tick.anchor]
                ends.append((left, left + width))
        ends.sort()
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(ends))


def test_the_drawing_is_well_formed_and_carries_no_style_script_or_outside_address() -> None:
    timeline = build_timeline(
        [licence(Period(date(2020, 1, 1), date(2026, 10, 31)), label="<b>Visual & more</b>")],
        [release("8.0", date(2026, 3, 14))],
        TODAY,
        expires_on=date(2026, 10, 31),
    )
    markup = render_to_string("parts/timeline.html", {"timeline": timeline})
    ElementTree.fromstring(markup.strip())
    assert "&lt;b&gt;Visual &amp; more&lt;/b&gt;" in markup
    assert not re.search(r"style=|<script|\son\w+=|https?:|data:", markup)


def test_forty_licences_of_twenty_years_are_laid_out_quickly() -> None:
    years = tuple(Period(date(2006 + i, 1, 1), date(2006 + i, 12, 31)) for i in range(20))
    many = [licence(*years, label=f"Licence {i}", acquired_on=date(2006, 1, 1)) for i in range(40)]
    built = [release(f"{i}.0", date(2006, 1, 1) + timedelta(days=60 * i), i % 6 == 0) for i in range(120)]
    timeline = build_timeline(many, built, TODAY, most_years_back=25)
    assert len(timeline.groups[0].rows) == 40
    assert sum(len(row.bars) for row in timeline.groups[0].rows) == 800

"""When somebody is reminded: the stages, what is caught up, and that no two come on one day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.reminding import (
    MOST_DAYS_LATE,
    STAGES,
    Span,
    ends_with_a_stage_coming,
    ends_with_a_stage_due,
    stage_due,
    stage_in_words,
    stages_coming,
)

END = date(2026, 12, 24)
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
distances = st.integers(-400, 400)


@pytest.mark.parametrize(
    ("on", "stage"),
    [
        ("2026-09-24", None),
        ("2026-09-25", -90),  # 24 Dec is 90 days after 25 Sep: 5 + 31 + 30 + 24
        ("2026-10-25", -60),
        ("2026-11-24", -30),
        ("2026-12-17", -7),
        ("2026-12-24", -7),  # a week late, on the last day
        ("2026-12-25", 1),
        ("2027-01-01", 1),
        ("2027-01-02", None),
        ("2027-01-23", 30),
        ("2027-01-30", 30),
        ("2027-01-31", None),
    ],
)
def test_each_stage_is_due_from_its_day_on_for_a_week(on, stage):
    assert stage_due(END, date.fromisoformat(on)) == stage


def test_a_stage_that_was_missed_for_more_than_a_week_is_not_given():
    assert stage_due(END, date(2026, 10, 2)) == -90  # 83 days before the end
    assert stage_due(END, date(2026, 10, 3)) is None
    assert stage_due(END, date(2026, 10, 24)) is None


@given(days, distances)
def test_whoever_runs_once_a_week_at_least_gives_every_stage_once_and_in_order(end, distance):
    start = end + timedelta(days=distance)
    given_stages = []
    for step in range(200):
        stage = stage_due(end, start + timedelta(days=step * MOST_DAYS_LATE))
        if stage is not None and stage not in given_stages[-1:]:
            given_stages.append(stage)
    assert given_stages == [stage for stage in STAGES if stage >= distance - MOST_DAYS_LATE]


@given(days, distances)
def test_the_ends_that_are_asked_for_are_those_with_a_stage_due(on, distance):
    end = on - timedelta(days=distance)
    spans = [span for span in ends_with_a_stage_due(on) if span.first <= end <= span.last]
    assert len(spans) == (stage_due(end, on) is not None)


@given(days, distances, st.integers(0, 30))
def test_what_is_coming_is_what_will_be_due_on_its_first_day(on, distance, length):
    end, span = on + timedelta(days=distance), Span(on, on + timedelta(days=length))
    coming = stages_coming(end, span)
    every = [on + timedelta(days=ahead) for ahead in range(length + 1)]
    first_days = [
        day for day in every if stage_due(end, day) and stage_due(end, day) != stage_due(end, day - timedelta(days=1))
    ]
    assert [each.on for each in coming] == first_days
    assert [each.stage for each in coming] == [stage_due(end, day) for day in first_days]
    assert bool(coming) == any(each.first <= end <= each.last for each in ends_with_a_stage_coming(span))


def test_stages_in_words():
    assert [stage_in_words(stage) for stage in (-90, -7, 1, 30)] == [
        "90 days before the end",
        "7 days before the end",
        "1 day after the end",
        "30 days after the end",
    ]

"""Calendar arithmetic: rules D1 and D2."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.terms import Months, months_in, term_end

VECTORS = [json.loads(line) for line in (Path(__file__).parent.parent / "vectors/terms.jsonl").open()]
D = date.fromisoformat
days = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize("case", [case for case in VECTORS if "months" in case], ids=str)
def test_term_ends_are_as_in_the_vectors_d1(case):
    assert term_end(D(case["starts_on"]), case["months"]) == D(case["ends_on"])


@pytest.mark.parametrize("case", [case for case in VECTORS if "gap" in case], ids=str)
def test_gaps_are_as_in_the_vectors_d2(case):
    assert list(months_in(D(case["starts_on"]), D(case["ends_on"]))) == case["gap"]


def test_every_vector_is_one_or_the_other():
    assert all(("months" in case) != ("gap" in case) for case in VECTORS)


@given(days, st.integers(1, 240))
def test_a_term_is_as_long_in_months_as_it_was_sold_d2(starts_on, months):
    assert months_in(starts_on, term_end(starts_on, months)) == Months(months, 0, 0)


@given(days, st.integers(0, 5000))
def test_months_and_days_lead_back_to_the_last_day_d2(starts_on, length):
    ends_on = starts_on + timedelta(length)
    whole, over, of = months_in(starts_on, ends_on)
    through = term_end(starts_on, whole)
    assert through + timedelta(over) == ends_on
    if over:
        assert 0 < over < of == (term_end(starts_on, whole + 1) - through).days
    else:
        assert of == 0


@given(days, st.integers(1, 120))
def test_a_longer_term_ends_later_d1(starts_on, months):
    assert term_end(starts_on, months) < term_end(starts_on, months + 1)


@given(days.filter(lambda day: day.day <= 28), st.integers(1, 10), st.integers(1, 10))
def test_terms_bought_one_by_one_end_with_those_bought_at_once_d1(starts_on, first, second):
    following = term_end(starts_on, 12 * first) + timedelta(1)
    assert term_end(following, 12 * second) == term_end(starts_on, 12 * (first + second))


@given(days, st.integers(1, 10), st.integers(1, 10))
def test_only_after_a_start_at_a_months_end_can_they_end_a_day_later_d1(starts_on, first, second):
    following = term_end(starts_on, 12 * first) + timedelta(1)
    drift = term_end(following, 12 * second) - term_end(starts_on, 12 * (first + second))
    assert timedelta(0) <= drift <= timedelta(1)
    assert not drift or starts_on.day >= 29

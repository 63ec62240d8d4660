"""Coverage: rules C1–C5."""

from datetime import date

import pytest

from dongles.coverage import (
    LicenceCoverage,
    Period,
    Release,
    covered_through,
    fingerprint,
    is_lapsed,
    is_valid_on,
    least_covered_on,
    missed_majors,
    paid_through,
    runs,
    sma_status,
)

D = date.fromisoformat


def licence(*periods: tuple[str, str], family: str = "Volocity", seats: int = 1) -> LicenceCoverage:
    spans = tuple(Period(D(starts), D(ends)) for starts, ends in periods)
    return LicenceCoverage("VOL-VIS", family, seats, D("2020-01-01"), spans)


def major(version: str, build_on: str, family: str = "Volocity", is_major: bool = True) -> Release:
    return Release(family, version, D(build_on), is_major)


@pytest.mark.parametrize(
    ("day", "valid"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_both_ends_of_a_period_are_valid_days_c1(day, valid):
    assert is_valid_on([Period(D("2026-01-01"), D("2026-12-31"))], D(day)) is valid


def test_a_gap_is_not_valid_c1():
    periods = [Period(D("2024-01-01"), D("2024-12-31")), Period(D("2026-01-01"), D("2026-12-31"))]
    assert not is_valid_on(periods, D("2025-06-01"))


def test_a_build_of_the_expiry_day_runs_and_one_of_the_next_day_does_not_c2():
    assert runs(D("2026-03-31"), D("2026-03-31"))
    assert not runs(D("2026-04-01"), D("2026-03-31"))


def test_the_least_covered_licence_bounds_the_dongles_date_c3():
    two = [licence(("2020-01-01", "2026-03-31")), licence(("2020-01-01", "2026-06-30"))]
    assert least_covered_on(two) == D("2026-03-31")
    assert least_covered_on([]) is None


def test_a_licence_is_covered_through_its_latest_end_or_its_first_day_c4():
    assert covered_through(licence(("2025-01-01", "2025-12-31"), ("2020-01-01", "2020-12-31"))) == D("2025-12-31")
    assert covered_through(licence()) == D("2020-01-01")


@pytest.mark.parametrize(
    ("on", "grace", "lapsed"),
    [
        ("2026-03-31", 0, False),
        ("2026-04-01", 0, True),
        ("2026-04-10", 10, False),
        ("2026-04-11", 10, True),
    ],
)
def test_a_licence_lapses_the_day_after_its_last_covered_day_and_its_grace_c4(on, grace, lapsed):
    assert is_lapsed(D("2026-03-31"), D(on), grace) is lapsed


def test_paid_through_is_the_latest_of_those_that_are_not_lapsed_c4():
    some = [licence(("2020-01-01", "2026-03-31")), licence(("2020-01-01", "2026-06-30")), licence()]
    assert paid_through(some, D("2026-02-01"), 0) == D("2026-06-30")
    assert paid_through(some, D("2026-07-01"), 0) is None
    assert paid_through(some, D("2026-07-01"), 1) == D("2026-06-30")


RELEASES = [
    major("8.0", "2026-06-01"),
    major("7.0", "2026-04-01"),
    major("6.9", "2026-03-31"),
    major("7.1", "2026-05-01", is_major=False),
    major("6.0", "2026-05-05", family="Openlab"),
]


@pytest.mark.parametrize(
    ("on", "missed"),
    [
        ("2026-03-31", []),  # not lapsed
        ("2026-04-01", ["7.0"]),  # released on the very day counts
        ("2026-05-31", ["7.0"]),
        ("2026-06-01", ["7.0", "8.0"]),
    ],
)
def test_the_majors_of_its_family_since_then_are_missed_in_order_c5(on, missed):
    lapsed = licence(("2020-01-01", "2026-03-31"))
    assert [release.version for release in missed_majors(lapsed, RELEASES, D(on), 0)] == missed


def test_within_the_grace_days_nothing_has_been_missed_c4_c5():
    lapsed = licence(("2020-01-01", "2026-03-31"))
    assert missed_majors(lapsed, RELEASES, D("2026-04-05"), 10) == ()
    assert [release.version for release in missed_majors(lapsed, RELEASES, D("2026-04-11"), 10)] == ["7.0"]


@pytest.mark.parametrize(
    ("licences", "status"),
    [
        ([], "empty"),
        ([licence(("2020-01-01", "2027-03-31"))], "valid"),
        ([licence(("2020-01-01", "2026-06-30"))], "expiring"),
        ([licence(("2020-01-01", "2027-03-31")), licence(("2020-01-01", "2026-05-02"))], "lapsed"),
        ([licence(("2020-01-01", "2027-03-31")), licence(("2020-01-01", "2026-03-31"))], "lapsed_over_major"),
    ],
)
def test_a_dongle_stands_as_its_worst_licence_c4_c5(licences, status):
    assert sma_status(licences, RELEASES, D("2026-05-04"), 0) == status


def test_a_fingerprint_changes_with_licences_seats_acquisition_and_periods_and_not_with_their_order():
    one = licence(("2020-01-01", "2026-03-31"), ("2026-04-01", "2027-03-31"))
    same = one._replace(periods=one.periods[::-1])
    assert fingerprint([(1, one)]) == fingerprint([(1, same)])
    different = [
        [(2, one)],
        [(1, one), (2, one)],
        [(1, one._replace(seats=2))],
        [(1, one._replace(acquired_on=D("2019-12-31")))],
        [(1, one._replace(periods=one.periods[:1]))],
        [],
    ]
    assert len({fingerprint(each) for each in [*different, [(1, one)]]}) == len(different) + 1

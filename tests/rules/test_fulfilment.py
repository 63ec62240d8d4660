"""Q1: the dates of a quote that is fulfilled later than it was priced."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.coverage import covered_through, is_lapsed
from dongles.terms import term_end
from renewals.pricing import AddedLicence, Policy, Request
from renewals.pricing.fulfilment import Extension, QuotedDongle, QuotedLine, redate
from tests.rules.pricing import PLAIN, D, licence, major, priced
from tests.rules.test_properties import cases


def quoted(policy: Policy, request: Request, carried, result) -> QuotedDongle:
    return QuotedDongle(
        policy,
        request,
        result.covered_through,
        result.paid_through,
        [is_lapsed(covered_through(each), request.on, policy.grace_days) for each in carried],
        [QuotedLine(line.kind, line.licence, line.starts_on, line.ends_on, line.months) for line in result.lines],
    )


def redated(carried, on: str, later: str, years=None, *, releases=(), add=(), policy=PLAIN, align_to=None):
    result = priced(carried, on, years, releases=releases, add=add, policy=policy, align_to=align_to)
    request = Request(D(on), years, D(align_to) if align_to else None, tuple(AddedLicence(*each) for each in add))
    return redate(quoted(policy, request, carried, result), D(later))


def dates(new):
    return [(str(line.starts_on or ""), str(line.ends_on or ""), line.free_days) for line in new.lines]


def test_back_to_back_lines_keep_their_dates_q1():
    new = redated([licence()], "2026-02-01", "2026-02-20", 2)
    assert dates(new) == [("2026-04-01", "2027-03-31", 0), ("2027-04-01", "2028-03-31", 0)]
    assert str(new.covered_through) == "2028-03-31"


def test_a_licence_that_comes_back_starts_on_the_day_of_fulfilment_q1():
    new = redated([licence("2025-12-31")], "2026-02-01", "2026-02-11", 2)
    assert dates(new) == [("2026-02-11", "2027-02-10", 0), ("2027-02-11", "2028-02-10", 0)]


def test_an_upgrade_and_its_year_start_on_the_day_of_fulfilment_q1():
    new = redated([licence("2025-12-31")], "2026-02-01", "2026-02-11", 2, releases=[major("7.0", "2026-01-15")])
    assert dates(new) == [("2026-02-11", "2027-02-10", 0), ("2027-02-11", "2028-02-10", 0)]


def test_with_an_added_licence_the_others_get_the_days_that_passed_free_q1():
    # Quoted to 31 Jan 2027; ten days later the new licence's year ends on 10 Feb 2027, and so does all.
    new = redated([licence()], "2026-02-01", "2026-02-11", add=[("VOL-QNT", 1)])
    assert dates(new) == [("2026-04-01", "2027-02-10", 10), ("2026-02-11", "2027-02-10", 0)]


def test_a_licence_without_a_line_is_extended_free_q1():
    # Paid through 31 Mar 2028, later than the year of the added one: T was 31 Mar 2028 and moves by ten days.
    new = redated([licence("2028-03-31")], "2026-02-01", "2026-02-11", add=[("VOL-QNT", 1)])
    assert str(new.covered_through) == "2028-04-10"
    assert new.extended == (Extension(0, D("2028-04-01"), D("2028-04-10"), 10),)


def test_an_alignment_date_moves_with_the_lines_that_start_on_ordering_q1():
    new = redated([licence("2025-12-31")], "2026-02-01", "2026-02-03", align_to="2027-06-30")
    assert dates(new) == [("2026-02-03", "2027-02-02", 0), ("2027-02-03", "2027-07-02", 0)]


def test_a_last_line_keeps_a_day_where_the_year_before_it_has_grown_a_leap_day_q1():
    # Quoted 20 Feb 2027 … 19 Feb 2028 and one day more, 366 days. From 5 Mar 2027 the year alone has 366 days, and
    # T moves by 13 days to 4 Mar 2028: the part keeps that day, and the year ends the day before.
    new = redated([licence("2026-12-31")], "2027-02-20", "2027-03-05", align_to="2028-02-20")
    assert dates(new) == [("2027-03-05", "2028-03-03", 0), ("2028-03-04", "2028-03-04", 0)]
    assert str(new.covered_through) == "2028-03-04"


def test_lines_without_dates_stay_without_q1():
    policy = PLAIN._replace(back_pay=True, upgrade_includes_months=0)
    new = redated([licence("2025-12-31")], "2026-02-01", "2026-02-11", 1, policy=policy)
    assert dates(new) == [("", "", 0), ("2026-02-11", "2027-02-10", 0)]


def test_nothing_is_fulfilled_before_it_was_priced_q1():
    with pytest.raises(ValueError, match="before the day"):
        redated([licence()], "2026-02-01", "2026-01-31", 1)


@given(cases())
def test_on_the_day_of_the_quote_nothing_changes_q1(case):
    policy, _, carried, _, request, result = case
    new = redate(quoted(policy, request, carried, result), request.on)
    assert new.covered_through == result.covered_through
    assert [(line.starts_on, line.ends_on) for line in new.lines] == [
        (line.starts_on, line.ends_on) for line in result.lines
    ]
    assert not new.extended


@given(cases(), st.integers(0, 30))
def test_later_all_end_on_the_new_target_and_nobody_loses_a_day_q1(case, wait):
    policy, _, carried, _, request, result = case
    old = quoted(policy, request, carried, result)
    later = request.on + timedelta(wait)
    new = redate(old, later)
    if any(line.starts_on == request.on for line in result.lines if old.starts_on_ordering(line.licence)):
        due = [result.covered_through + timedelta(wait), term_end(later, 12)]
        if request.renew_years:
            since = later if result.paid_through is None else result.paid_through + timedelta(1)
            due.append(term_end(since, 12 * request.renew_years))
        if result.missed_majors and policy.upgrade_includes_months:
            due.append(term_end(later, policy.upgrade_includes_months))
        assert new.covered_through == max(due)
    else:
        assert new.covered_through == result.covered_through
    for index in range(len(carried) + len(request.added)):
        spans = [
            (dated.starts_on, dated.ends_on, line)
            for dated, line in zip(new.lines, result.lines, strict=True)
            if line.licence == index and dated.starts_on
        ]
        spans += [(more.starts_on, more.ends_on, None) for more in new.extended if more.licence == index]
        ends = [ends_on for _, ends_on, _ in spans] + (
            [covered_through(carried[index])] if index < len(carried) else []
        )
        assert max(ends) == new.covered_through
        for (_, ended, _), (begun, _, _) in itertools.pairwise(spans):
            assert begun == ended + timedelta(1)
        for starts_on, ends_on, line in spans:
            assert starts_on <= ends_on
            if line and not old.starts_on_ordering(index):
                assert starts_on == line.starts_on
        if spans and old.starts_on_ordering(index):
            assert spans[0][0] == later
        was = sum((line.ends_on - line.starts_on).days + 1 for _, _, line in spans if line)
        free = sum(
            dated.free_days for dated, line in zip(new.lines, result.lines, strict=True) if line.licence == index
        )
        free += sum(more.free_days for more in new.extended if more.licence == index)
        assert sum((ended - begun).days + 1 for begun, ended, _ in spans) == was + free
        assert free >= 0

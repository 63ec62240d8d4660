"""Who may call the support desk (rule S1), by the policy of the product family."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.coverage import LicenceCoverage, Period, Release, is_valid_on
from dongles.support import latest_release, may_call, valid_through
from tests.rules.pricing import D, licence

LATEST = Release("Volocity", "8.1", D("2026-03-31"), False)


def openlab(end):
    return licence(end, product="OPL-FUL")


def by_sma(licences, today):
    return may_call("sma_required", licences, None, None, D(today))


def test_with_a_valid_sma_openlab_is_supported_through_its_last_day_s1():
    answer = by_sma([openlab("2026-03-31")], "2026-03-31")
    assert (answer.may_call, str(answer.on)) == (True, "2026-03-31")
    assert answer.reason == "Openlab support needs a valid SMA, and there is one through 31 Mar 2026."
    assert answer.rule == "Openlab support needs a valid SMA, whatever version you run."
    assert answer.standing == "SMA valid until 31 Mar 2026."


def test_a_day_later_it_is_not_whatever_version_is_run_s1():
    answer = by_sma([openlab("2026-03-31")], "2026-04-01")
    assert (answer.may_call, str(answer.on)) == (False, "2026-03-31")
    assert "whatever version you run, and the last one ended on 31 Mar 2026" in answer.reason
    assert answer.standing == "SMA ended on 31 Mar 2026."
    assert answer.remedy == "Renew the SMA: support begins again with it."


def test_who_never_had_an_sma_is_told_to_buy_one_s1():
    answer = by_sma([openlab(None)], "2026-04-01")
    assert (answer.may_call, answer.on, answer.remedy) == (False, None, "Buy an SMA: support begins with it.")
    assert answer.standing == "Never had an SMA."


def test_between_two_periods_it_begins_again_with_the_next_s1():
    gap = openlab("2026-01-31")._replace(
        periods=(Period(D("2025-01-01"), D("2026-01-31")), Period(D("2026-06-01"), D("2027-05-31")))
    )
    answer = by_sma([gap], "2026-03-01")
    assert (answer.may_call, str(answer.on), answer.remedy) == (False, "2026-06-01", "Call from 1 Jun 2026 on.")
    assert answer.standing == "The next SMA starts on 1 Jun 2026."


def test_on_a_ragged_dongle_the_product_without_an_sma_is_named_s1():
    answer = by_sma([openlab("2027-01-31"), openlab("2026-01-31")._replace(product="Openlab Darkroom")], "2026-03-01")
    assert answer.may_call
    assert answer.reason.endswith("through 31 Jan 2027. Not for Openlab Darkroom: its SMA is not valid.")
    assert answer.standing == "SMA valid until 31 Jan 2027. Not for Openlab Darkroom: its SMA is not valid."


def test_volocity_is_supported_without_an_sma_where_the_latest_version_runs_s1():
    # The SMA ended on 31 Mar 2026, the day on which 8.1 was built; it is asked a year later.
    answer = may_call("latest_version", [licence()], LATEST, D("2026-03-31"), D("2027-04-01"))
    assert answer.may_call
    assert "only the latest version is supported: 8.1, released 31 Mar 2026." in answer.reason
    assert answer.remedy == "If you run an older one, install 8.1 first."
    assert answer.standing == "8.1 runs with its SMA date of 31 Mar 2026."


def test_volocity_is_not_supported_where_the_latest_version_does_not_run_s1():
    answer = may_call("latest_version", [licence()], LATEST, D("2026-03-30"), D("2026-03-30"))
    assert (answer.may_call, answer.remedy) == (False, "Renew the SMA, then install 8.1.")
    assert answer.reason.endswith("It does not run with the SMA date of 30 Mar 2026.")
    assert answer.standing == "8.1 does not run with its SMA date of 30 Mar 2026."


def test_before_any_version_is_out_nothing_limits_volocity_support_s1():
    assert may_call("latest_version", [licence()], None, None, D("2026-03-30")).may_call


def test_the_latest_version_is_the_familys_build_of_the_last_day_that_has_come_s1():
    releases = [
        LATEST,
        Release("Volocity", "8.0", D("2026-01-01"), True),
        Release("Volocity", "9.0", D("2026-08-01"), True),
        Release("Openlab", "7.0", D("2026-06-01"), True),
    ]
    assert latest_release(releases, "Volocity", D("2026-07-31")) == LATEST
    assert latest_release(releases, "Volocity", D("2026-08-01")).version == "9.0"
    assert latest_release(releases, "Darkroom", D("2026-08-01")) is None


def test_back_to_back_periods_are_one_validity_s1():
    periods = [Period(D("2026-07-01"), D("2027-06-30")), Period(D("2025-07-01"), D("2026-06-30"))]
    assert valid_through(periods, D("2026-01-01")) == D("2027-06-30")
    assert valid_through(periods, D("2027-07-01")) is None


spans = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300)), max_size=4)


@pytest.mark.parametrize("policy", ["sma_required", "latest_version"])
@given(spans=spans, today=st.integers(0, 1300), built=st.integers(0, 1300), expires=st.integers(0, 1300))
def test_the_answer_is_that_of_its_policy_alone_s1(policy, spans, today, built, expires):
    first = D("2024-01-01")

    def day(number):
        return first + timedelta(number)

    periods = tuple(Period(day(start), day(start + length)) for start, length in spans)
    carried = [LicenceCoverage("OPL-FUL", "Volocity", 1, first, periods)]
    latest = Release("Volocity", "8.1", day(built), False)
    answer = may_call(policy, carried, latest, day(expires), day(today))
    if policy == "sma_required":
        assert answer.may_call == any(start <= today <= start + length for start, length in spans)
        assert answer.may_call == is_valid_on(periods, day(today))
    else:
        assert answer.may_call == (built <= expires)
    assert answer.may_call or answer.remedy
    assert answer.rule
    assert answer.standing

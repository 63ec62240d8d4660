"""Q3: waived upgrades and free months, sums worked by hand. VOL-VIS: SMA year 1,200.00, upgrade 2,400.00."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.terms import ONE_DAY, term_end
from portal.errors import DomainError
from renewals.pricing import AddedLicence, Request
from renewals.pricing.engine import price_dongle
from renewals.pricing.explain import explain_steps
from tests.rules.pricing import EUR, PLAIN, D, licence, lines, major

SEVEN = major("7.0", "2026-05-01")


def priced(licences, on, years=1, *, releases=(), policy=PLAIN, add=(), align_to=None, **conceded):
    added = tuple(AddedLicence(*each) for each in add)
    request = Request(D(on), years, D(align_to) if align_to else None, added, **conceded)
    return price_dongle(policy, EUR, licences, releases, request)


def test_a_waived_upgrade_is_priced_as_if_nothing_had_been_missed_q3_p6():
    # lapsed since 31 Mar, 7.0 missed: an upgrade of 2,400.00; waived, a year of SMA from the day of the order
    charged = priced([licence()], "2026-06-01", releases=[SEVEN])
    waived = priced([licence()], "2026-06-01", releases=[SEVEN], waives_upgrades=True)
    assert lines(charged) == [("upgrade", 0, "2026-06-01", "2027-05-31", 240_000)]
    assert lines(waived) == [("sma_year", 0, "2026-06-01", "2027-05-31", 120_000)]
    assert waived.lines[0].rules == ("P6", "Q3", "P3")
    assert [release.version for release in waived.missed_majors[0]] == ["7.0"]


def test_a_waiver_changes_nothing_where_no_upgrade_is_due_q3():
    assert priced([licence()], "2026-02-01", waives_upgrades=True) == priced([licence()], "2026-02-01")


def test_a_waived_upgrade_still_pays_the_fee_of_a_lapse_q3_p6():
    policy = PLAIN._replace(reinstatement_fee=Fraction(1, 10))
    waived = priced([licence()], "2026-06-01", releases=[SEVEN], policy=policy, waives_upgrades=True)
    # 10 % of 1,200.00
    assert lines(waived)[0] == ("reinstatement_fee", 0, "", "", 12_000)


def test_free_months_extend_the_last_line_of_each_licence_at_its_price_q3():
    result = priced([licence(), licence(product="VOL-QNT")], "2026-02-01", 2, free_months=3)
    # two years from 1 Apr 2026 end on 31 Mar 2028; three months more on 30 Jun 2028
    assert lines(result) == [
        ("sma_year", 0, "2026-04-01", "2027-03-31", 120_000),
        ("sma_year", 0, "2027-04-01", "2028-06-30", 120_000),
        ("sma_year", 1, "2026-04-01", "2027-03-31", 90_000),
        ("sma_year", 1, "2027-04-01", "2028-06-30", 90_000),
    ]
    assert result.covered_through == D("2028-06-30")
    assert result.net == priced([licence(), licence(product="VOL-QNT")], "2026-02-01", 2).net
    assert explain_steps(result.lines[1].steps, "EUR")[-1] == "Q3  3 months more, free"
    assert result.lines[1].rules == ("P4", "P3", "Q3")


def test_a_licence_that_was_covered_already_gets_the_free_months_for_nothing_q3():
    # aligned to the second's end, 30 Jun 2026: the first buys three months, both go on to 31 Jul
    result = priced([licence(), licence("2026-06-30")], "2026-02-01", None, align_to="2026-06-30", free_months=1)
    assert lines(result) == [
        ("sma_part", 0, "2026-04-01", "2026-07-31", 30_000),
        ("sma_part", 1, "2026-07-01", "2026-07-31", 0),
    ]


def test_free_months_alone_sell_nothing_q3():
    with pytest.raises(DomainError) as error:
        priced([licence()], "2026-02-01", None, align_to="2026-03-31", free_months=3)
    assert error.value.code == "nothing_to_buy"


@pytest.mark.parametrize("months", [-1, 13])
def test_free_months_are_twelve_at_most_q3(months):
    with pytest.raises(DomainError) as error:
        priced([licence()], "2026-02-01", free_months=months)
    assert (error.value.code, error.value.data) == ("free_months_out_of_range", {"field": "free_months"})


def test_free_months_past_what_a_code_can_state_are_refused_q3_p2():
    with pytest.raises(DomainError) as error:
        priced([licence()], "2026-02-01", None, align_to="2036-01-31", free_months=1)
    assert error.value.code == "too_far_ahead"


@given(st.integers(1, 4), st.integers(1, 12), st.booleans(), st.integers(0, 900), st.sampled_from(["exact", "whole"]))
def test_free_months_never_change_a_price_and_move_every_end_alike_q3(years, months, adds, days, part_month):
    on = D("2026-02-01") + ONE_DAY * days
    licences = [licence(), licence("2026-08-15", "VOL-QNT", 2)]
    asked = {"years": years, "releases": [SEVEN], "add": [("VOL-VIS", 3)] if adds else []}
    policy = PLAIN._replace(part_month=part_month)
    plain = priced(licences, str(on), policy=policy, **asked)
    free = priced(licences, str(on), policy=policy, free_months=months, **asked)
    assert (free.net, free.total) == (plain.net, plain.total)
    assert free.covered_through == term_end(plain.covered_through + ONE_DAY, months)
    for index in range(len(licences) + len(asked["add"])):
        assert (
            max(line.ends_on for line in free.lines if line.licence == index and line.ends_on) == free.covered_through
        )

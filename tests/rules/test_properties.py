"""What a sceptic would ask of the pricing rules, over dongles and requests of every kind."""

import itertools
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from dongles.coverage import LicenceCoverage, Period, Release, covered_through, is_lapsed
from dongles.terms import term_end
from portal.errors import DomainError
from portal.wording import currency_exponent
from renewals.pricing import AddedLicence, Policy, Price, PricedDongle, PriceList, Request
from renewals.pricing.engine import price_dongle
from renewals.pricing.lapsed import back_pay
from renewals.pricing.rounding import round_half_up
from renewals.pricing.scenarios import write_amount

ONE_DAY = timedelta(1)
PRODUCTS = ("A", "B", "C")
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@st.composite
def price_lists(draw):
    prices = {}
    for product in PRODUCTS:
        sma_year = draw(st.integers(1, 10**7))
        prices[product] = Price(draw(st.integers(0, 10**8)), sma_year, 2 * sma_year + draw(st.integers(1, 10**7)))
    return PriceList(draw(st.sampled_from(["EUR", "JPY", "KWD"])), prices)


policies = st.builds(
    Policy,
    part_month=st.sampled_from(["exact", "whole"]),
    missed_majors=st.sampled_from(["once", "each"]),
    upgrade_includes_months=st.sampled_from([0, 6, 12, 24]),
    upgrade_cap=st.sampled_from([None, Fraction(1), Fraction(3, 4), Fraction(1, 10)]),
    multi_year_discount=st.sampled_from([{}, {2: Fraction(1, 20), 3: Fraction(1, 10)}]),
    max_years=st.just(5),
    align_min_months=st.just(3),
    back_pay=st.booleans(),
    reinstatement_fee=st.sampled_from([Fraction(0), Fraction(1, 5)]),
    grace_days=st.sampled_from([0, 30]),
)


@st.composite
def licences(draw, on: date):
    acquired_on = on - timedelta(draw(st.integers(0, 4000)))
    ends_on = acquired_on + timedelta(draw(st.integers(0, 6000)))
    periods = (Period(acquired_on, ends_on),) if draw(st.booleans()) else ()
    return LicenceCoverage(draw(st.sampled_from(PRODUCTS)), "F", draw(st.integers(1, 100)), acquired_on, periods)


@st.composite
def cases(draw, **fixed):
    """A dongle with a request that the rules do not refuse, and its price."""
    on = draw(days)
    carried = draw(st.lists(licences(on), min_size=1, max_size=4))
    releases = [
        Release("F", str(number), on - timedelta(draw(st.integers(-100, 3000))), draw(st.booleans()))
        for number in range(draw(st.integers(0, 4)))
    ]
    wanted = draw(st.sampled_from(["years", "date", "add"]))
    request = Request(
        on=on,
        renew_years=draw(st.integers(1, 5)) if wanted == "years" else None,
        align_to=on + timedelta(draw(st.integers(30, 3650))) if wanted == "date" else None,
        added=tuple(
            AddedLicence(draw(st.sampled_from(PRODUCTS)), draw(st.integers(1, 50)))
            for _ in range(draw(st.integers(1 if wanted == "add" else 0, 2)))
        ),
        discount=fixed.get("discount", draw(st.sampled_from([Fraction(0), Fraction(1, 8), Fraction(3333, 10000)]))),
        tax_rate=draw(st.sampled_from([Fraction(0), Fraction(19, 100)])),
    )
    policy, prices = fixed.get("policy") or draw(policies), draw(price_lists())
    try:
        result = price_dongle(policy, prices, carried, releases, request)
    except DomainError:
        assume(False)
    return policy, prices, carried, releases, request, result


def bought(result: PricedDongle, licence: int) -> list[Period]:
    return [
        Period(line.starts_on, line.ends_on)
        for line in result.lines
        if line.licence == licence and line.starts_on and line.ends_on
    ]


@given(cases())
def test_all_licences_end_on_the_target_p1_p2(case):
    _, _, carried, _, request, result = case
    for index in range(len(carried) + len(request.added)):
        ends = [period.ends_on for period in bought(result, index)]
        before = [covered_through(carried[index])] if index < len(carried) else []
        assert max(ends + before) == result.covered_through


@given(cases())
def test_no_day_is_paid_twice_p3(case):
    _, _, carried, _, request, result = case
    for index in range(len(carried) + len(request.added)):
        had = list(carried[index].periods) if index < len(carried) else []
        periods = sorted(had + bought(result, index))
        for earlier, later in itertools.pairwise(periods):
            assert earlier.ends_on < later.starts_on


@given(cases())
def test_what_a_licence_buys_has_no_gap_inside_p3(case):
    _, _, carried, _, request, result = case
    for index in range(len(carried) + len(request.added)):
        periods = bought(result, index)
        for earlier, later in itertools.pairwise(periods):
            assert later.starts_on == earlier.ends_on + ONE_DAY


@given(cases())
def test_paid_time_never_shrinks_p2(case):
    policy, _, carried, _, request, result = case
    assert result.paid_through is None or result.covered_through >= result.paid_through
    for licence in carried:
        if not is_lapsed(covered_through(licence), request.on, policy.grace_days):
            assert result.covered_through >= covered_through(licence)


@given(cases())
def test_sums_are_those_of_the_lines_and_nothing_is_negative_p8_p9(case):
    *_, request, result = case
    for line in result.lines:
        assert line.net == line.list + sum(discount.amount for discount in line.discounts)
        assert 0 <= line.net <= line.list
    assert result.net == sum(line.net for line in result.lines)
    assert result.tax == round_half_up(result.net * request.tax_rate.numerator, request.tax_rate.denominator)
    assert result.total == result.net + result.tax


@given(cases(), st.randoms())
def test_permuting_licences_permutes_lines_only_p1(case, random):
    policy, prices, carried, releases, request, result = case
    order = list(range(len(carried)))
    random.shuffle(order)
    permuted = price_dongle(policy, prices, [carried[index] for index in order], releases, request)
    assert permuted[:4] == result[:4]
    assert (permuted.net, permuted.total) == (result.net, result.total)
    for new, old in enumerate(order):
        ours = [line._replace(licence=old) for line in permuted.lines if line.licence == new]
        assert ours == [line for line in result.lines if line.licence == old]


@given(days, price_lists(), st.data(), st.sampled_from(["exact", "whole"]))
def test_without_discounts_a_later_target_never_costs_less_p3(on, prices, data, part_month):
    carried = data.draw(st.lists(licences(on), min_size=1, max_size=3))
    policy = Policy(part_month=part_month)
    first = on + timedelta(data.draw(st.integers(400, 2000)))
    second = first + timedelta(data.draw(st.integers(0, 1500)))
    try:
        nearer, farther = (
            price_dongle(policy, prices, carried, (), Request(on, align_to=until)) for until in (first, second)
        )
    except DomainError:
        assume(False)
    assert nearer.net <= farther.net


@given(days.filter(lambda day: day.day <= 28), price_lists(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 99))
def test_two_consecutive_renewals_cost_what_one_of_both_costs_p3(last_day, prices, first, second, seats):
    # Starts on a 29th to 31st aside (D1), and without discounts, which reward buying ahead.
    assume((last_day + ONE_DAY).day <= 28)
    acquired_on = last_day - timedelta(500)
    licence = LicenceCoverage("A", "F", seats, acquired_on, (Period(acquired_on, last_day),))
    on, policy = last_day - timedelta(30), Policy()
    at_once = price_dongle(policy, prices, [licence], (), Request(on, renew_years=first + second))
    one = price_dongle(policy, prices, [licence], (), Request(on, renew_years=first))
    then = licence._replace(periods=licence.periods + tuple(bought(one, 0)))
    two = price_dongle(policy, prices, [then], (), Request(on, renew_years=second))
    assert one.net + two.net == at_once.net
    assert two.covered_through == at_once.covered_through


@given(days, price_lists(), st.integers(1, 11), st.integers(1, 99), st.sampled_from(["exact", "whole"]))
def test_whole_months_cost_exactly_a_twelfth_each_p3(last_day, prices, months, seats, part_month):
    acquired_on = last_day - timedelta(500)
    licence = LicenceCoverage("A", "F", seats, acquired_on, (Period(acquired_on, last_day),))
    policy = Policy(part_month=part_month, align_min_months=1)
    until = term_end(last_day + ONE_DAY, months)
    result = price_dongle(policy, prices, [licence], (), Request(last_day, align_to=until))
    assert result.net == round_half_up(prices.prices["A"].sma_year * seats * months, 12)


@given(policies, price_lists(), st.integers(1, 99), days, st.integers(1, 5000))
def test_having_missed_nothing_never_costs_more_than_having_missed_a_release_p6(policy, prices, seats, on, gap):
    price = prices.prices["A"]
    owed = back_pay(policy, price, seats, on - timedelta(gap), on)
    if owed:
        included = Fraction(price.sma_year * policy.upgrade_includes_months * seats, 12)
        assert owed[1] <= round_half_up(
            price.upgrade * seats * included.denominator - included.numerator, included.denominator
        )


@given(cases())
def test_an_upgrade_is_never_below_the_sma_that_it_includes_p7(case):
    policy, prices, _, _, _, result = case
    for line in result.lines:
        if line.kind == "upgrade":
            months = max(12, policy.upgrade_includes_months)
            assert line.list >= round_half_up(prices.prices[line.product].sma_year * line.seats * months, 12)


@given(st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_amounts_are_written_with_the_digits_of_their_currency(amount, currency):
    exponent = currency_exponent(currency)
    text = write_amount(amount, exponent)
    assert len(text.partition(".")[2]) == exponent
    assert int(text.replace(".", "")) == amount


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_halves_are_rounded_away_from_zero(numerator, denominator):
    exact = Fraction(numerator, denominator)
    rounded = round_half_up(numerator, denominator)
    assert abs(exact - rounded) <= Fraction(1, 2)
    if abs(exact - rounded) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)
    assert rounded == -round_half_up(-numerator, denominator)

"""The rules against a second reading of the rulebook, over dongles, policies and requests of every kind (P1–P10)."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dongles.coverage import LicenceCoverage, Period, Release
from dongles.terms import term_end
from portal.errors import DomainError
from renewals.pricing import AddedLicence, Policy, Price, PriceList, Request
from renewals.pricing.engine import price_dongle
from tests.rules.second_reading import SecondReading

PRODUCTS = ("A", "B", "C")
SEATS = st.sampled_from([1, 3, 25, 65_535])
# Days around which months are of unequal length, and all others.
days = st.sampled_from([date(2024, 2, 29), date(2025, 1, 31), date(2025, 8, 30), date(2027, 3, 1)]) | st.dates(
    date(2023, 1, 1), date(2028, 12, 31)
)
rates = st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(333, 1000), Fraction(1)])
policies = st.builds(
    Policy,
    part_month=st.sampled_from(["exact", "whole"]),
    missed_majors=st.sampled_from(["once", "each"]),
    upgrade_includes_months=st.sampled_from([0, 6, 7, 12, 15]),
    upgrade_cap=st.sampled_from([None, Fraction(0), Fraction(1, 10), Fraction(3, 4), Fraction(1), Fraction(2)]),
    multi_year_discount=st.sampled_from([{}, {1: Fraction(1, 50)}, {2: Fraction(1, 20), 3: Fraction(0)}]),
    max_years=st.sampled_from([3, 5, 10]),
    align_min_months=st.sampled_from([0, 1, 3]),
    back_pay=st.booleans(),
    reinstatement_fee=rates,
    grace_days=st.sampled_from([0, 30, 90]),
)


@st.composite
def price_lists(draw):
    prices = {}
    for product in PRODUCTS[: draw(st.sampled_from([3] * 11 + [2]))]:
        sma_year = draw(st.integers(1, 60) | st.integers(1, 200_000))
        upgrade = sma_year * draw(st.sampled_from([2] * 11 + [1])) + draw(st.integers(0, 100_000))
        prices[product] = Price(draw(st.integers(0, 900_000)), sma_year, upgrade)
    return PriceList("EUR", prices)


@st.composite
def licences(draw, on):
    acquired_on = on - timedelta(draw(st.integers(0, 40) | st.integers(0, 3000)))
    periods, begins_on = [], acquired_on
    for length in draw(st.lists(st.sampled_from([1, 30, 364, 365, 366, 800]), max_size=3)):
        begins_on += timedelta(draw(st.sampled_from([0, 0, 1, 45])))
        periods.append(Period(begins_on, begins_on + timedelta(length - 1)))
        begins_on = periods[-1].ends_on + timedelta(1)
    family = draw(st.sampled_from("XY"))
    return LicenceCoverage(draw(st.sampled_from(PRODUCTS)), family, draw(SEATS), acquired_on, tuple(periods))


@st.composite
def questions(draw):
    on = draw(days)
    carried = draw(st.lists(licences(on), max_size=4))
    ends = [period.ends_on for each in carried for period in each.periods]
    built = st.sampled_from([on, on + timedelta(1), *ends]) | st.dates(on - timedelta(900), on)
    releases = [
        Release(draw(st.sampled_from("XY")), str(number), draw(built), draw(st.sampled_from([True, True, False])))
        for number in range(draw(st.integers(0, 4)))
    ]
    wanted = draw(st.sampled_from(["years"] * 4 + ["date"] * 4 + ["both", "neither"]))
    edges = [on, term_end(on, 12), term_end(on, 120), *ends, *ends]
    aligned = st.builds(lambda day, off: day + timedelta(off), st.sampled_from(edges), st.sampled_from([-1, 0, 1, 90]))
    request = Request(
        on,
        draw(st.sampled_from([1, 1, 2, 3, 5, 6, 10, 0, -1])) if wanted in ("years", "both") else None,
        draw(aligned | st.dates(on, on + timedelta(4000))) if wanted in ("date", "both") else None,
        tuple(draw(st.lists(st.builds(AddedLicence, st.sampled_from(PRODUCTS), SEATS), max_size=2))),
        draw(rates),
    )
    return draw(policies), draw(price_lists()), carried, releases, request


@given(questions())
@settings(max_examples=3 * settings.default.max_examples)
def test_both_readings_come_to_the_same_lines_and_refusals_p1(question):
    try:
        priced = price_dongle(*question)
    except DomainError as refusal:
        ours = refusal.code
    else:
        ours = [(line[:2] + line[4:8] + (line.net,)) for line in priced.lines]
        assert priced.net == sum(line.net for line in priced.lines)
    event(ours if isinstance(ours, str) else " ".join(sorted({kind for kind, *_ in ours})))
    assert SecondReading(*question).outcome() == ours

"""Which builds may be downloaded (rule S2): by the run rule alone, and what a newer one takes by P2."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.coverage import LicenceCoverage, Period, Release, paid_through
from dongles.entitlement import Holding, RenewalTerms, dongles_that_run, entitled_through, is_entitled, sma_needed
from portal.errors import DomainError
from renewals.pricing import Policy, Price, PriceList, Request
from renewals.pricing.engine import price_dongle
from tests.rules.pricing import D, licence

ONE_DAY = timedelta(1)
PRICES = PriceList("EUR", {"A": Price(600_000, 120_000, 600_000)})
days = st.dates(date(2018, 1, 1), date(2030, 12, 31))


def build(build_on, family="Volocity", version="7.0"):
    return Release(family, version, build_on, True)


def holding(through, family="Volocity", serial="104233"):
    return Holding(serial, family, "Volocity Visualisation", through)


def test_a_build_of_the_last_day_is_theirs_and_one_of_the_day_after_is_not_s2():
    held = [holding(D("2026-03-31"))]
    assert is_entitled(build(D("2026-03-31")), held)
    assert not is_entitled(build(D("2026-04-01")), held)


def test_the_product_has_to_be_of_the_builds_family_s2():
    assert not is_entitled(build(D("2026-01-01"), "Openlab"), [holding(D("2030-01-01"))])


def test_the_dongles_that_run_it_are_named_once_each_s2():
    held = [holding(D("2026-03-31")), holding(D("2026-03-31")), holding(D("2025-01-01"), serial="B")]
    assert dongles_that_run(build(D("2026-01-01")), held) == ("104233",)
    assert dongles_that_run(build(D("2024-12-31")), held) == ("104233", "B")


def test_a_withdrawn_licence_keeps_what_ran_until_the_day_before_s2():
    # Covered and dated through 31 Mar 2026, withdrawn on 1 Feb 2026: builds through 31 Jan stay.
    assert entitled_through(licence(), D("2026-03-31"), D("2026-02-01")) == D("2026-01-31")
    # On a dongle whose date was over before it was withdrawn, what had run.
    assert entitled_through(licence("2025-06-30"), D("2025-06-30"), D("2026-02-01")) == D("2025-06-30")


def test_a_licence_whose_order_was_a_mistake_entitles_to_nothing_s2():
    assert entitled_through(licence(None), D("2026-03-31"), D("2026-02-01")) is None


def test_a_dongle_without_a_date_entitles_to_nothing_s2():
    assert entitled_through(licence(), None, None) is None


@pytest.mark.parametrize(
    ("covered", "build_on", "on", "terms", "sma_to", "align_to"),
    [
        # Lapsed since 31 Mar 2026: a year from the day of the quote is the least that is sold.
        ("2026-03-31", "2026-05-05", "2026-06-10", RenewalTerms(), "2027-06-09", None),
        # In the grace days it renews back to back: three months after 31 Mar are the least.
        ("2026-03-31", "2026-04-20", "2026-05-10", RenewalTerms(grace_days=60), "2026-08-09", "2026-08-09"),
        # Valid, and a build of a day to come: through that day, which is past the least three months.
        ("2026-03-31", "2026-09-01", "2026-02-01", RenewalTerms(), "2026-09-01", "2026-09-01"),
        # The upgrade that is due includes 24 months.
        ("2026-03-31", "2026-05-05", "2026-06-10", RenewalTerms(upgrade_includes_months=24), "2028-06-09", None),
    ],
)
def test_the_least_sma_that_covers_a_newer_build_s2(covered, build_on, on, terms, sma_to, align_to):
    newest = [build(D(build_on))]
    needed = sma_needed(D(build_on), [licence(covered)], newest, D(on), terms)
    assert (str(needed.sma_to), str(needed.align_to) if needed.align_to else None) == (sma_to, align_to)


@st.composite
def licences(draw):
    acquired_on = draw(st.dates(date(2018, 1, 1), date(2024, 12, 31)))
    ends_on = acquired_on + timedelta(draw(st.integers(0, 2500)))
    periods = (Period(acquired_on, ends_on),) if draw(st.booleans()) else ()
    return LicenceCoverage("A", "Volocity", 1, acquired_on, periods)


@given(st.lists(st.tuples(licences(), days, st.none() | days, st.sampled_from(["Volocity", "Openlab"]))), days)
def test_nothing_is_theirs_that_runs_on_none_of_their_dongles_s2(held, build_on):
    holdings = [
        Holding(str(number), family, "A", through)
        for number, (each, expires_on, withdrawn_on, family) in enumerate(held)
        if (through := entitled_through(each, expires_on, withdrawn_on)) is not None
    ]
    could_run = any(family == "Volocity" and build_on <= expires_on for _, expires_on, _, family in held)
    carried_now = any(
        family == "Volocity" and withdrawn_on is None and build_on <= expires_on
        for _, expires_on, withdrawn_on, family in held
    )
    theirs = is_entitled(build(build_on), holdings)
    assert not theirs or could_run
    assert theirs or not carried_now


class Owner:
    """A customer's dongles as they change: what is bought moves dates ahead, and things are withdrawn."""

    def __init__(self, on):
        self.on = on
        self.dongles = [[on + timedelta(30), [(LicenceCoverage("A", "Volocity", 1, on, (Period(on, on),)), None)]]]

    def entitled(self, builds):
        holdings = [
            Holding(str(number), each.family, each.product, through)
            for number, (expires_on, carried) in enumerate(self.dongles)
            for each, withdrawn_on in carried
            if (through := entitled_through(each, expires_on, withdrawn_on)) is not None
        ]
        return {each for each in builds if each.build_on <= self.on and is_entitled(each, holdings)}

    def do(self, deed, number, length):
        dongle = self.dongles[number % len(self.dongles)]
        expires_on, carried = dongle
        if deed == "renew":
            dongle[0] = max(expires_on, self.on + timedelta(length))
        elif deed == "add":
            carried.append((LicenceCoverage("A", "Volocity", 1, self.on, (Period(self.on, self.on),)), None))
        elif deed == "new dongle":
            self.dongles.append([self.on + timedelta(length), list(carried)])
        elif deed == "withdraw":
            dongle[1] = [(each, withdrawn_on or self.on) for each, withdrawn_on in carried]
        self.on += timedelta(length // 3)


deeds = st.tuples(
    st.sampled_from(["renew", "add", "new dongle", "withdraw", "wait"]), st.integers(0, 5), st.integers(0, 400)
)


@given(st.lists(deeds, max_size=12), st.lists(st.integers(-500, 1500), max_size=12))
def test_a_build_once_entitled_stays_whatever_is_bought_or_withdrawn_later_s2(done, built):
    owner = Owner(date(2024, 1, 1))
    builds = [build(date(2024, 1, 1) + timedelta(each), version=str(number)) for number, each in enumerate(built)]
    before = set()
    for deed in done:
        # A build of the day of a withdrawal itself is not counted: days have no hours here.
        before |= {each for each in owner.entitled(builds) if each.build_on < owner.on}
        owner.do(*deed)
        assert before <= owner.entitled(builds), deed


@given(
    st.lists(licences(), min_size=1, max_size=3),
    days,
    st.lists(st.integers(0, 2000), max_size=3),
    st.builds(RenewalTerms, st.sampled_from([0, 30, 90]), st.sampled_from([1, 3]), st.sampled_from([0, 12, 24])),
)
def test_a_quote_for_what_a_build_needs_reaches_it_and_no_earlier_date_can_be_had_s2(carried, on, before, terms):
    majors = [build(on - timedelta(each), version=str(number)) for number, each in enumerate(before)]
    build_on = max((each.build_on for each in majors), default=on)
    needed = sma_needed(build_on, carried, majors, on, terms)
    policy = Policy(**terms._asdict())
    present = paid_through(carried, on, terms.grace_days)

    def quoted(**asked):
        return price_dongle(policy, PRICES, carried, majors, Request(on, **asked)).covered_through

    assert needed.sma_to >= build_on
    if needed.align_to is not None:
        assert quoted(align_to=needed.align_to) == needed.sma_to
    elif present is None:
        assert quoted(renew_years=1) == needed.sma_to
    for earlier in {needed.sma_to - ONE_DAY, max(build_on, on)}:
        if earlier >= max(build_on, on) and earlier < needed.sma_to:
            with pytest.raises(DomainError) as refused:
                quoted(align_to=earlier)
            assert refused.value.code in ("align_too_early", "nothing_to_buy")

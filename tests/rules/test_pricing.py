"""Prices: rules P1–P10, sums worked by hand. VOL-VIS: licence 6,000.00, SMA year 1,200.00, upgrade 2,400.00."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from portal.errors import DomainError
from renewals.pricing import AddedLicence, Price, PriceList
from renewals.pricing.refusals import check_code_limits
from renewals.pricing.scenarios import price_text
from tests.rules.pricing import EUR, PLAIN, D, licence, lines, major, priced

VECTORS = [json.loads(line) for line in (Path(__file__).parent.parent / "vectors/pricing.jsonl").open()]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_scenarios_are_priced_as_in_the_vectors(case):
    result = price_text(json.dumps(case["scenario"]))
    expected = case["expect"]
    if "error" in expected:
        assert set(result) == {"error"}
        return
    if "lines" in expected:
        assert len(result["lines"]) == len(expected["lines"])
        shown = expected["lines"][0] if expected["lines"] else {}
        result["lines"] = [{key: line[key] for key in shown} for line in result["lines"]]
    assert {key: result[key] for key in expected} == expected


def refused(*args, **asked) -> str:
    with pytest.raises(DomainError) as error:
        priced(*args, **asked)
    return error.value.code


def test_a_year_bought_early_starts_the_day_after_d3_p4():
    assert lines(priced([licence()], "2026-02-01", 1)) == [("sma_year", 0, "2026-04-01", "2027-03-31", 120_000)]


def test_every_licence_stands_in_the_quote_in_its_order_p1():
    result = priced([licence(product="VOL-QNT"), licence()], "2026-02-01", 1)
    assert [(line.licence, line.product) for line in result.lines] == [(0, "VOL-QNT"), (1, "VOL-VIS")]
    assert result.net == 210_000


def test_a_ragged_dongle_is_brought_to_one_day_p2_p3():
    # the first lacks 1 Apr … 30 Jun, three months more than the second: 15 months are a year and 3/12 of 1,200.00
    result = priced([licence("2026-03-31"), licence("2026-06-30")], "2026-02-01", 1)
    assert result.covered_through == D("2027-06-30")
    assert lines(result) == [
        ("sma_year", 0, "2026-04-01", "2027-03-31", 120_000),
        ("sma_part", 0, "2027-04-01", "2027-06-30", 30_000),
        ("sma_year", 1, "2026-07-01", "2027-06-30", 120_000),
    ]


def test_a_licence_covered_to_the_target_has_no_line_p1_p2():
    # aligned to E itself: three months for the first, nothing for the second
    result = priced([licence("2026-03-31"), licence("2026-06-30")], "2026-02-01", align_to="2026-06-30")
    assert lines(result) == [("sma_part", 0, "2026-04-01", "2026-06-30", 30_000)]


def test_a_new_licence_includes_a_year_and_the_others_catch_up_p5():
    # T = 31 Jan 2027; the old one lacks 1 Apr 2026 … 31 Jan 2027, ten months: 1,000.00
    result = priced([licence()], "2026-02-01", add=[("VOL-QNT", 2)])
    assert lines(result) == [
        ("sma_part", 0, "2026-04-01", "2027-01-31", 100_000),
        ("licence", 1, "2026-02-01", "2027-01-31", 900_000),
    ]


def test_a_new_licence_buys_the_difference_to_what_was_paid_in_advance_p5():
    # paid through 31 Mar 2028: after its year the new one lacks 1 Feb 2027 … 31 Mar 2028, 14 months of 900.00 a year
    result = priced([licence("2028-03-31")], "2026-02-01", add=[("VOL-QNT", 1)])
    assert lines(result) == [
        ("licence", 1, "2026-02-01", "2027-01-31", 450_000),
        ("sma_year", 1, "2027-02-01", "2028-01-31", 90_000),
        ("sma_part", 1, "2028-02-01", "2028-03-31", 15_000),
    ]


def test_lapsed_without_a_missed_major_the_gap_is_free_p6():
    assert lines(priced([licence("2025-12-31")], "2026-02-01", 1)) == [
        ("sma_year", 0, "2026-02-01", "2027-01-31", 120_000)
    ]


def test_back_pay_charges_the_gap_up_to_an_upgrade_without_its_sma_p6():
    policy = PLAIN._replace(back_pay=True)
    # 1 Nov 2025 … 31 Jan 2026, three months: 300.00
    result = priced([licence("2025-10-31")], "2026-02-01", 1, policy=policy)
    assert lines(result)[0] == ("back_pay", 0, "", "", 30_000)
    assert result.lines[0].months == (3, 0, 0)
    # five years would be 6,100.00; an upgrade is 2,400.00 and contains 1,200.00 of SMA
    assert lines(priced([licence("2020-12-31")], "2026-02-01", 1, policy=policy))[0][4] == 120_000
    # the gap from 1 Feb to 31 Jan is empty
    assert lines(priced([licence("2026-01-31")], "2026-02-01", 1, policy=policy))[0][0] == "sma_year"


def test_a_reinstatement_fee_is_a_rate_of_the_year_p6():
    policy = PLAIN._replace(reinstatement_fee=Fraction("0.1"))
    assert lines(priced([licence("2025-12-31", seats=3)], "2026-02-01", 1, policy=policy)) == [
        ("reinstatement_fee", 0, "", "", 36_000),
        ("sma_year", 0, "2026-02-01", "2027-01-31", 360_000),
    ]


def test_lapsed_over_a_major_an_upgrade_with_its_year_is_due_p7():
    result = priced([licence("2025-12-31")], "2026-02-01", 2, releases=[major("7.0", "2026-01-15")])
    assert lines(result) == [
        ("upgrade", 0, "2026-02-01", "2027-01-31", 240_000),
        ("sma_year", 0, "2027-02-01", "2028-01-31", 120_000),
    ]
    assert [release.version for release in result.missed_majors[0]] == ["7.0"]


@pytest.mark.parametrize(("policy", "amount"), [("once", 240_000), ("each", 480_000)])
def test_several_missed_cost_one_upgrade_or_each_p7(policy, amount):
    releases = [major("7.0", "2026-01-15"), major("8.0", "2026-01-20")]
    policy = PLAIN._replace(missed_majors=policy)
    assert lines(priced([licence("2025-12-31")], "2026-02-01", 1, releases=releases, policy=policy))[0][4] == amount


@pytest.mark.parametrize(
    ("cap", "amount"),
    [
        (Fraction(1), 600_000),  # three upgrades are 7,200.00; never dearer than the licence
        (Fraction(1, 2), 300_000),
        (Fraction(1, 10), 120_000),  # 600.00 would be below the year of SMA that it includes
        (None, 720_000),
    ],
)
def test_the_cap_bounds_an_upgrade_but_not_below_its_sma_p7(cap, amount):
    releases = [major(f"{n}.0", f"2026-01-{n}") for n in (11, 12, 13)]
    policy = PLAIN._replace(missed_majors="each", upgrade_cap=cap)
    assert lines(priced([licence("2025-12-31")], "2026-02-01", 1, releases=releases, policy=policy))[0][4] == amount


def test_an_upgrade_that_includes_nothing_has_no_dates_p7():
    policy = PLAIN._replace(upgrade_includes_months=0)
    result = priced([licence("2025-12-31")], "2026-02-01", 1, releases=[major("7.0", "2026-01-15")], policy=policy)
    assert lines(result) == [("upgrade", 0, "", "", 240_000), ("sma_year", 0, "2026-02-01", "2027-01-31", 120_000)]


def test_back_pay_is_never_added_to_an_upgrade_but_the_fee_is_p7():
    policy = PLAIN._replace(back_pay=True, reinstatement_fee=Fraction("0.5"))
    result = priced([licence("2025-10-31")], "2026-02-01", 1, releases=[major("7.0", "2026-01-15")], policy=policy)
    assert [(line[0], line[4]) for line in lines(result)] == [("upgrade", 240_000), ("reinstatement_fee", 60_000)]


@pytest.mark.parametrize(("part_month", "amount"), [("exact", 81_613), ("whole", 90_000)])
def test_a_part_of_a_year_is_sold_by_months_and_days_p3(part_month, amount):
    # 15 Sep 2026 … 19 May 2027 is 8 + 5/31: 1,200.00 × (8 + 5/31) ÷ 12 = 816.129…; a month begun counts: 900.00
    policy = PLAIN._replace(part_month=part_month)
    result = priced([licence("2026-09-14")], "2026-09-01", align_to="2027-05-19", policy=policy)
    assert lines(result) == [("sma_part", 0, "2026-09-15", "2027-05-19", amount)]


def test_discounts_come_one_after_the_other_each_rounded_p8():
    policy = PLAIN._replace(multi_year_discount={2: Fraction("0.05"), 3: Fraction("0.1")})
    result = priced([licence()], "2026-02-01", 3, policy=policy, discount="0.05")
    # three years: 10 % of 1,200.00 is 120.00, then 5 % of 1,080.00 is 54.00
    assert [[discount.amount for discount in line.discounts] for line in result.lines] == [[-12_000, -5_400]] * 3
    assert result.net == 3 * 102_600
    two = priced([licence()], "2026-02-01", 2, policy=policy)
    assert two.net == 2 * 114_000
    assert priced([licence()], "2026-02-01", 1, policy=policy).lines[0].discounts == ()


def test_the_multi_year_discount_is_on_years_alone_p8():
    policy = PLAIN._replace(multi_year_discount={1: Fraction("0.1")})
    result = priced([licence("2026-03-31"), licence("2026-06-30")], "2026-02-01", 1, policy=policy)
    assert [line.net for line in result.lines] == [108_000, 30_000, 108_000]


def test_half_a_cent_is_rounded_away_from_zero_p8():
    prices = PriceList("EUR", {"VOL-VIS": Price(100, 5, 20)})
    # 10 % of 0.05 is 0.005: 0.01 off
    assert priced([licence()], "2026-02-01", 1, prices=prices, discount="0.1").net == 4


def test_tax_is_on_the_sum_and_rounded_once_p9():
    prices = PriceList("EUR", {"VOL-VIS": Price(100, 3, 20)})
    # two lines of 0.03: 19 % of 0.06 is 0.0114; line by line it would be 0.01 each
    result = priced([licence(), licence()], "2026-02-01", 1, prices=prices, tax="0.19")
    assert (result.net, result.tax, result.total) == (6, 1, 7)


def test_seats_multiply_p10():
    assert priced([licence(seats=25)], "2026-02-01", 1).net == 25 * 120_000


class TestTarget:
    """P2: the day through which everything is covered."""

    @pytest.mark.parametrize(
        ("ends", "asked", "until"),
        [
            (["2026-03-31"], {"years": 1}, "2027-03-31"),
            (["2025-12-31"], {"years": 1}, "2027-01-31"),  # all lapsed: from the day of the order
            (["2026-03-31", "2025-12-31"], {"years": 1}, "2027-03-31"),
            (["2026-02-10", "2025-12-31"], {"years": 1}, "2027-02-10"),
            (["2028-03-31"], {"add": [("VOL-QNT", 1)]}, "2028-03-31"),  # E is later than the included year
            ([], {"add": [("VOL-QNT", 1)]}, "2027-01-31"),
            ([], {"add": [("VOL-QNT", 1)], "years": 3}, "2029-01-31"),
            (["2026-03-31"], {"align_to": "2026-06-30"}, "2026-06-30"),
            (["2026-03-31", "2026-05-31"], {"align_to": "2026-05-31"}, "2026-05-31"),
        ],
    )
    def test_the_latest_of_what_is_due_p2(self, ends, asked, until):
        years = asked.pop("years", None) if isinstance(asked, dict) else None
        result = priced([licence(end) for end in ends], "2026-02-01", years, **asked)
        assert str(result.covered_through) == until

    @pytest.mark.parametrize(
        ("ends", "align_to"),
        [
            (["2026-03-31"], "2026-01-31"),  # before the day of the order
            (["2026-03-31", "2026-05-31"], "2026-05-30"),  # paid time never shrinks
            (["2026-03-31"], "2026-06-29"),  # a few days would catch a release: three months at least
            (["2025-12-31"], "2027-01-30"),  # one that comes back buys twelve months at least
        ],
    )
    def test_too_early_a_date_is_refused_p2(self, ends, align_to):
        assert refused([licence(end) for end in ends], "2026-02-01", align_to=align_to) == "align_too_early"

    def test_ten_years_ahead_is_as_far_as_a_code_can_state_p2(self):
        assert refused([licence()], "2026-02-01", align_to="2036-02-01") == "too_far_ahead"
        assert str(priced([licence()], "2026-02-01", align_to="2036-01-31").covered_through) == "2036-01-31"

    def test_within_the_grace_days_it_renews_back_to_back_c4(self):
        policy = PLAIN._replace(grace_days=30)
        result = priced([licence("2026-01-10")], "2026-02-01", 1, policy=policy, releases=[major("7.0", "2026-01-20")])
        assert lines(result) == [("sma_year", 0, "2026-01-11", "2027-01-10", 120_000)]


@pytest.mark.parametrize(
    ("licences", "asked", "code"),
    [
        ([licence()], {}, "nothing_requested"),
        ([licence()], {"years": 0}, "nothing_requested"),
        ([licence()], {"years": 1, "align_to": "2027-01-01"}, "renew_or_align"),
        ([licence()], {"years": -1}, "years_out_of_range"),
        ([licence()], {"years": 6}, "years_out_of_range"),
        ([], {"years": 1}, "no_licences"),
        ([licence(product="NONE")], {"years": 1}, "no_price"),
        ([licence()], {"add": [("NONE", 1)]}, "no_price"),
        ([licence("2026-06-30")], {"align_to": "2026-06-30"}, "nothing_to_buy"),
    ],
)
def test_what_cannot_be_sold_is_refused_with_its_code(licences, asked, code):
    years = asked.get("years")
    rest = {key: value for key, value in asked.items() if key != "years"}
    assert refused(licences, "2026-02-01", years, **rest) == code


def test_a_list_whose_upgrade_is_not_dearer_than_its_sma_is_refused_whole():
    prices = PriceList("EUR", EUR.prices | {"OTHER": Price(1, 100, 100)})
    assert refused([licence()], "2026-02-01", 1, prices=prices) == "upgrade_not_above_sma"


def test_what_no_code_could_state_is_refused_q9():
    with pytest.raises(DomainError) as error:
        check_code_limits([licence(seats=65_535)], [AddedLicence("VOL-VIS", 1)])
    assert error.value.code == "too_many_seats"
    with pytest.raises(DomainError) as error:
        check_code_limits([], [AddedLicence(f"P{n}", 1) for n in range(61)])
    assert error.value.code == "too_many_products"
    check_code_limits([licence(seats=65_534)], [AddedLicence("VOL-VIS", 1)])

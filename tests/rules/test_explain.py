"""A price in words: each step's arithmetic, what licences have and lack (C4, C5), and which day decided (P2)."""

import json
from fractions import Fraction

import pytest

from dongles.coverage import Release
from renewals.pricing import Request
from renewals.pricing.explain import explain_licence, explain_steps, explain_target
from renewals.pricing.steps import steps_as_json, steps_from_json
from tests.rules.pricing import PLAIN, D, licence, major, priced


class TestArithmetic:
    """Every line carries the rules and the sums that made it, to be checked by hand."""

    def words(self, result, index=0):
        line = result.lines[index]
        return explain_steps(steps_from_json(json.loads(json.dumps(steps_as_json(line)))), result.currency)

    def test_a_part_of_a_year_p3(self):
        result = priced([licence("2026-09-14")], "2026-09-01", align_to="2027-05-19")
        assert self.words(result) == ["P3  1,200.00 × 1 seat × (8 + 5/31) ÷ 12 = 816.13"]
        assert result.lines[0].rules == ("P4", "P3")

    def test_discounts_p8(self):
        result = priced([licence(seats=2)], "2026-02-01", 1, discount="0.125")
        assert self.words(result) == [
            "P3  1,200.00 × 2 seats × 12 ÷ 12 = 2,400.00",
            "P8  negotiated discount: 12.5% of 2,400.00 = −300.00",
        ]

    def test_an_upgrade_and_its_cap_p7(self):
        releases = [Release("Volocity", str(n), D(f"2026-01-{n}"), True) for n in (11, 12, 13)]
        policy = PLAIN._replace(missed_majors="each", upgrade_cap=Fraction("0.1"), reinstatement_fee=Fraction("0.1"))
        result = priced([licence("2025-12-31")], "2026-02-01", 1, releases=releases, policy=policy)
        assert self.words(result) == [
            "P7  2,400.00 × 1 seat × 3 major releases missed = 7,200.00",
            "P7  at most 10% of the licence, 6,000.00 × 1 seat: 600.00",
            "P7  but not below the SMA that it includes, 1,200.00 × 1 seat × 12 ÷ 12 = 1,200.00",
        ]
        assert self.words(result, 1) == ["P6  reinstatement fee: 10% of 1,200.00 × 1 seat = 120.00"]

    def test_back_pay_p6(self):
        policy = PLAIN._replace(back_pay=True, part_month="whole")
        result = priced([licence("2025-10-10")], "2026-02-01", 1, policy=policy)
        assert self.words(result) == [
            "P6  back pay: 1,200.00 × 1 seat × 4 (a month begun counts) ÷ 12 = 400.00",
            "P6  at most (2,400.00 − 1,200.00 × 12 ÷ 12) × 1 seat = 1,200.00",
        ]

    def test_a_new_licence_p5(self):
        result = priced([], "2026-02-01", add=[("VOL-VIS", 2)])
        assert self.words(result) == ["P5  6,000.00 × 2 seats = 12,000.00, 12 months of SMA included"]


class TestReasons:
    """What each licence has and lacks, and why everything ends on that day."""

    def words(self, carried, on, policy=PLAIN, **asked):
        result = priced(carried, on, policy=policy, **asked)
        return [
            explain_licence(each, result.missed_majors.get(index, ()), D(on), policy.grace_days, result.covered_through)
            for index, each in enumerate(carried)
        ]

    def test_a_valid_licence_and_one_that_has_enough_c4_p2(self):
        carried = [licence("2026-03-31"), licence("2026-06-30")]
        assert self.words(carried, "2026-02-01", align_to="2026-06-30") == [
            ["C4  covered through 31 Mar 2026", "P2  lacks 1 Apr 2026 to 30 Jun 2026: 3 months"],
            ["C4  covered through 30 Jun 2026", "P2  lacks nothing to 30 Jun 2026"],
        ]

    def test_a_lapsed_one_with_and_one_without_a_missed_release_c5(self):
        carried = [licence("2025-12-31"), licence(None)._replace(family="Openlab")]
        releases = [major("7.0", "2026-01-15"), major("8.0", "2026-02-01")]
        lacks = "P2  lacks 1 Feb 2026 to 31 Jan 2027: 12 months"
        assert self.words(carried, "2026-02-01", years=1, releases=releases) == [
            [
                "C4  covered through 31 Dec 2025, lapsed",
                "C5  missed 7.0 (built 15 Jan 2026), 8.0 (built 1 Feb 2026)",
                lacks,
            ],
            ["C4  without SMA since 1 Jan 2020, lapsed", "C5  no major release was missed", lacks],
        ]

    def test_one_in_its_days_of_grace_c4(self):
        words = self.words([licence("2026-01-10")], "2026-02-01", PLAIN._replace(grace_days=30), years=1)
        assert words == [
            [
                "C4  covered through 10 Jan 2026, within the days of grace",
                "P2  lacks 11 Jan 2026 to 10 Jan 2027: 12 months",
            ]
        ]

    @pytest.mark.parametrize(
        ("ends", "asked", "words"),
        [
            (
                ["2026-03-31", "2025-12-31"],
                {"years": 2},
                [
                    "P2  31 Mar 2026: paid through already",
                    "P2  31 Mar 2028: 2 years more, which decides",
                    "P2  31 Jan 2027: twelve months for what is added or comes back",
                ],
            ),
            (
                ["2025-12-31"],
                {"years": 1, "releases": [major("7.0", "2026-01-15")]},
                [
                    "P2  31 Jan 2027: 1 year from the day of the request, which decides",
                    "P2  31 Jan 2027: twelve months for what is added or comes back, which decides",
                    "P2  31 Jan 2027: 12 months that an upgrade includes, which decides",
                ],
            ),
            (
                ["2026-03-31"],
                {"align_to": "2026-12-31"},
                [
                    "P2  31 Mar 2026: paid through already",
                    "P2  31 Dec 2026: the date asked for, which decides",
                ],
            ),
        ],
    )
    def test_which_day_decided_p2(self, ends, asked, words):
        carried = [licence(end) for end in ends]
        result = priced(carried, "2026-02-01", **asked)
        align_to = asked.get("align_to")
        request = Request(D("2026-02-01"), asked.get("years"), D(align_to) if align_to else None)
        assert explain_target(PLAIN, carried, request, result) == words

"""Exchange rates: how they are read, and how amounts are converted. Pure."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import DomainError
from renewals import rates
from renewals.rates import RateLine

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def test_rates_are_read_from_a_table_with_heads_or_without():
    expected = [RateLine(2, MARCH, "USD", Decimal("0.9241")), RateLine(3, MARCH, "JPY", Decimal("0.00612"))]
    assert rates.read_rates("month,currency,rate\n2026-03,USD,0.9241\n2026-03,JPY,0.00612\n", "EUR") == expected
    assert [each._replace(line=0) for each in expected] == [
        each._replace(line=0) for each in rates.read_rates("2026-03,USD,0.9241\n\n2026-03,JPY,0.00612", "EUR")
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_separated_by_commas_semicolons_or_tabs(separator):
    text = "\ufeffMonth,Currency,Rate\r\n2026-03, USD ,0.9241\r\n,,\r\n".replace(",", separator)
    assert rates.read_rates(text, "EUR") == [RateLine(2, MARCH, "USD", Decimal("0.9241"))]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("03/2026,USD,0.9", "“03/2026” is no month"),
        ("2026-13,USD,0.9", "“2026-13” is no month"),
        ("2026-3,USD,0.9", "“2026-3” is no month"),
        ("2026-03-01,USD,0.9", "is no month"),
        ("2026-03,EUR,1", "EUR is the reporting currency itself"),
        ("2026-03,USX,0.9", "“USX” is no currency"),
        ("2026-03,XAU,0.9", "“XAU” is no currency with a minor unit"),
        ("2026-03,usd,0.9", "“usd” is no currency"),
        ("2026-03,USD,0", "“0” is no rate"),
        ("2026-03,USD,-0.9", "“-0.9” is no rate"),
        ("2026-03,USD,1e3", "“1e3” is no rate"),
        ("2026-03,USD,NaN", "“NaN” is no rate"),
        ("2026-03,USD,0.00000000001", "is no rate"),
        ("2026-03,USD,1000000", "is no rate"),
        ("2026-03,USD,٣", "is no rate"),
        ("2026-03,USD", "here are 2 columns"),
        ("2026-03,USD,0,92", "here are 4 columns"),
        ('2026-03,"USD,0.92', "here are 2 columns"),
        ("2026-04,USD,0.95", "stands in line 1 already"),
    ],
)
def test_a_line_that_is_wrong_refuses_the_whole_and_is_said_with_its_number(line, sentence):
    with pytest.raises(DomainError) as refusal:
        rates.read_rates(f"2026-04,USD,0.95\n{line}\n2026-05,USD,0.96", "EUR")
    assert refusal.value.code == "rates_unreadable"
    assert refusal.value.message.startswith("Nothing was taken over. Line 2: ")
    assert sentence in refusal.value.message
    assert [fault["line"] for fault in refusal.value.data["lines"]] == [2]


def test_many_faults_are_counted_and_the_first_ten_said():
    with pytest.raises(DomainError) as refusal:
        rates.read_rates("\n".join(f"2026-03,USD,x{i}" for i in range(13)), "EUR")
    assert "Line 10: " in refusal.value.message
    assert refusal.value.message.endswith("And 3 more.")
    assert len(refusal.value.data["lines"]) == 13


@pytest.mark.parametrize("text", ["", "\n \n", "month,currency,rate\n", ",,\n;;"])
def test_a_table_without_rates_is_refused(text):
    with pytest.raises(DomainError, match="There are no rates in it"):
        rates.read_rates(text, "EUR")


def test_a_table_of_more_lines_than_2000_is_refused_unread():
    with pytest.raises(DomainError, match="more than 2,000 lines"):
        rates.read_rates("x\n" * 2001, "EUR")


@given(st.text(max_size=60), st.sampled_from(["\n", ",", ";", "\t", '"']))
def test_whatever_is_pasted_is_read_or_refused(text, between):
    try:
        found = rates.read_rates(text.replace(" ", between), "EUR")
    except DomainError as refusal:
        found = refusal.data["lines"]
    assert found


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "reporting", "converted"),
    [
        (297_000, "USD", "0.9241", "EUR", 274_458),  # 2,970.00 × 0.9241 = 2,744.577 → 2,744.58
        (-297_000, "USD", "0.9241", "EUR", -274_458),  # a credit mirrors its sale
        (5, "USD", "0.9", "EUR", 5),  # 0.05 × 0.9 = 0.045 → 0.05, half away from zero
        (-5, "USD", "0.9", "EUR", -5),
        (480_000, "JPY", "0.00612", "EUR", 293_760),  # ¥480,000 × 0.00612 = 2,937.60: yen have no decimals
        (1_000_001, "KWD", "3.0123", "EUR", 301_230),  # 1,000.001 × 3.0123 = 3,012.303…: dinars have three
        (297_000, "EUR", "163.4", "JPY", 485_298),  # 2,970.00 × 163.4 = 485,298
        (297_000, "USD", "0.3071", "KWD", 912_087),  # 2,970.00 × 0.3071 = 912.087
    ],
)
def test_f5_an_amount_is_converted_by_whole_units_and_rounded_half_away_from_zero(
    amount, currency, rate, reporting, converted
):
    assert rates.convert(amount, currency, Decimal(rate), reporting) == converted


@given(st.integers(-(10**13), 10**13), st.decimals("0.0000000001", "999999", places=10))
def test_f5_a_credit_converts_to_the_opposite_of_its_sale(amount, rate):
    assert rates.convert(-amount, "USD", rate, "EUR") == -rates.convert(amount, "USD", rate, "EUR")

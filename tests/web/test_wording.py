"""How amounts, dates and spans are written for people."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.wording import (
    write_day,
    write_distance,
    write_expiry,
    write_figure,
    write_money,
    write_months,
    write_rate,
)

TODAY = date(2026, 8, 24)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123456, "EUR", "€1,234.56"),
        (-6000, "EUR", "−€60.00"),
        (0, "GBP", "£0.00"),
        (123456, "USD", "US$1,234.56"),
        (123456, "JPY", "JP¥123,456"),
        (123456, "KWD", "KWD123.456"),
        # Some currencies are traded without the decimals that ISO 4217 gives them; what is sold is written exactly.
        (123456, "IQD", "IQD123.456"),
        (9007199254740993, "EUR", "€90,071,992,547,409.93"),  # 2^53 + 1: a float would lose the last cent
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert write_money(amount, currency).replace("\xa0", "") == text


def test_a_figure_for_a_table_leaves_the_currency_to_the_head() -> None:
    assert write_figure(-4209, "EUR") == "−42.09"
    assert write_figure(1000000, "JPY") == "1,000,000"


def test_gold_has_no_minor_unit_to_count_in() -> None:
    with pytest.raises(ValueError, match="XAU"):
        write_money(1, "XAU")


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Decimal("0.05"), "5%"),
        ("0.125", "12.5%"),
        (Decimal("1.5000"), "150%"),
        ((1, 8), "12.5%"),
        (Fraction(1, 3), "33.3333%"),
        (0, "0%"),
    ],
)
def test_a_rate_is_written_as_per_cent(rate: Decimal, text: str) -> None:
    assert write_rate(rate) == text


@pytest.mark.parametrize(
    ("months", "text"),
    [
        ((8, 5, 31), "8 months and 5 days"),
        ([12, 0, 0], "12 months"),
        ((1, 0, 0), "1 month"),
        ((1, 1, 30), "1 month and 1 day"),
        ((0, 5, 31), "5 days"),
        ((0, 0, 0), "–"),
    ],
)
def test_a_length_in_months_is_written_in_words(months: tuple[int, int, int], text: str) -> None:
    assert write_months(months) == text


def test_a_date_names_its_month() -> None:
    assert write_day(date(2026, 9, 4)) == "4 Sep 2026"


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 8, 24), "today"),
        (date(2026, 8, 25), "tomorrow"),
        (date(2026, 8, 23), "yesterday"),
        (date(2026, 9, 12), "in 19 days"),
        (date(2026, 10, 23), "in 60 days"),  # a day short of two months
        (date(2026, 10, 24), "in 2 months"),
        (date(2026, 5, 25), "2 months ago"),  # a day short of three
        (date(2026, 5, 24), "3 months ago"),
        (date(2028, 8, 23), "in 23 months"),
        (date(2028, 8, 24), "in 2 years"),
        (date(2016, 8, 25), "9 years ago"),
    ],
)
def test_a_distance_counts_whole_units(day: date, text: str) -> None:
    assert write_distance(day, TODAY) == text


def test_the_last_valid_day_has_not_expired_yet() -> None:
    assert write_expiry(TODAY, TODAY) == "expires today, 24 Aug 2026"
    assert write_expiry(date(2026, 8, 23), TODAY) == "expired yesterday, 23 Aug 2026"
    assert write_expiry(date(2026, 5, 24), TODAY) == "expired 3 months ago, 24 May 2026"

"""Dates and amounts in every locale that Babel knows, with all decimals of the currency."""

import re
from datetime import date

import pytest
from babel.localedata import locale_identifiers

from renewals.documents.letters import MISSING, printable
from renewals.documents.wording import Wording


@pytest.mark.parametrize(
    ("locale", "currency", "amount", "written", "figure"),
    [
        ("en_GB", "EUR", 123450, "€1,234.50", "1,234.50"),
        ("de_DE", "EUR", 123450, "1.234,50\xa0€", "1.234,50"),
        ("fr_FR", "EUR", 123450, "1\u202f234,50\xa0€", "1\u202f234,50"),
        ("de_CH", "CHF", 123450, "CHF\xa01’234.50", "1’234.50"),
        ("hi_IN", "INR", 12345678, "₹1,23,456.78", "1,23,456.78"),
        ("ja_JP", "JPY", 1234, "¥1,234", "1,234"),
        ("en_US", "KWD", 1234567, "KWD\xa01,234.567", "1,234.567"),
        ("en_US", "USD", -5000, "−$50.00", "−50.00"),
        ("de_DE", "JPY", 0, "0\xa0¥", "0"),
    ],
)
def test_amounts_are_written_as_the_locale_does(locale, currency, amount, written, figure):
    wording = Wording(locale, currency)
    assert wording.money(amount) == written
    assert wording.figure(amount) == figure


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en_GB", "5 Mar 2027"),
        ("en_US", "Mar 5, 2027"),
        ("de_DE", "05.03.2027"),
        ("fr_FR", "5 mars 2027"),
        ("ja_JP", "2027/03/05"),
        ("zh_CN", "2027-03-05"),
        ("th_TH", "2027-03-05"),
    ],
)
def test_dates_are_written_as_the_locale_does_if_its_letters_can_be_printed(locale, written):
    assert Wording(locale, "EUR").day(date(2027, 3, 5)) == written


@pytest.mark.parametrize(
    ("locale", "rate", "written"),
    [("en_GB", "1/20", "5%"), ("de_DE", "0.125", "12,5\xa0%"), ("tr_TR", "0.19", "%19"), ("en_GB", "1/3", "33.3333%")],
)
def test_rates_are_per_cent(locale, rate, written):
    assert Wording(locale, "EUR").rate(rate) == written


@pytest.mark.parametrize(("currency", "digits"), [("EUR", "123456789"), ("JPY", "123456789"), ("KWD", "123456789")])
def test_no_locale_loses_a_digit_or_a_letter(currency, digits):
    for locale in locale_identifiers():
        wording = Wording(locale, currency)
        for text in (wording.money(123456789), wording.figure(123456789)):
            assert re.sub(r"\D", "", text) == digits, locale
            assert printable(text) == text, locale
        day = wording.day(date(2027, 3, 5))
        assert printable(day) == day, locale
        assert MISSING not in day, locale
        assert "12" in wording.rate("0.125"), locale

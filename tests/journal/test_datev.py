"""The DATEV booking batch, byte by byte."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import DomainError
from renewals.journal.accounts import AccountMap, MapRow, Named
from renewals.journal.datev import check_settings, datev_files, fiscal_year_begin
from renewals.journal.letters import in_windows_1252
from renewals.journal.postings import Entry
from tests.journal.books import CLOSED_AT, DATEV, ENTRIES, GERMAN, SWISS, journal

# Written by hand. Of the 125 fields those between are empty: texts as "", numbers and days as nothing.
HEADER = (
    '"EXTF";700;21;"Buchungsstapel";13;20260203090507123;;"";"";"";29098;55003;20250701;4;20260101;20260131;'
    '"SMA revenue 2026-01 r1";"";1;0;0;"EUR";;"";;;"";;;"";""'
)
BETWEEN_TEXT_AND_FURTHER = (
    ';;"";;;;"";' + ";".join(['""'] * 16) + ';"";"";;"";;"";;;;;;'  # fields 15 to 47, the last separator with them
)
FURTHER_EMPTY = ";" + ";".join(['""'] * 34)  # kinds and contents 4 to 20
END = (
    ";;;;"  # 88 Stück, 89 Gewicht, 90 Zahlweise
    '"";;;;"";"";;"";;;;"";"";;"";;"";;"";"";;"";;;;;;"";;"";"";;"";;'
)


def booking(amount, side, account, contra, number, text):
    further = '"Product";"Openlab Measure";"Country";"DE";"Segment";"commercial"'
    return (
        f'{amount};"{side}";"EUR";;;"";{account};{contra};"";3101;"{number}";"";;"{text}"'
        + BETWEEN_TEXT_AND_FURTHER
        + further
        + FURTHER_EMPTY
        + END
    )


def test_a_small_file_is_what_was_written_by_hand():
    swiss, german = datev_files(journal(), DATEV, CLOSED_AT)
    assert (swiss.name, german.name) == ("EXTF_2026-01_r1_CHF_1.csv", "EXTF_2026-01_r1_EUR_1.csv")
    header, names, *bookings = german.content.split(b"\r\n")
    assert header.decode() == HEADER
    assert names.startswith(b"Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Kurs;")
    assert b";Gegenkonto (ohne BU-Schl\xfcssel);" in names
    assert names.count(b";") == 124
    assert [each.decode() for each in bookings] == [
        booking("1200,00", "S", "1400", "0990", 41, "Booked: Openlab Measure"),
        booking("300,50", "H", "1400", "0990", 42, "Credited: Openlab Measure"),
        booking("101,92", "S", "0990", "8400", 43, "Recognised: Openlab Measure"),
        "",
    ]
    assert b'0,07;"H";"CHF";;;"";0990;8410;' in swiss.content


def test_every_record_has_as_many_fields_as_the_format():
    header, *records = datev_files(journal(), DATEV, CLOSED_AT)[0].content.decode("cp1252").splitlines()
    assert [record.count(";") for record in (header, *records)] == [30, 124, 124]


def test_the_same_journal_makes_the_same_bytes():
    assert datev_files(journal(), DATEV, CLOSED_AT) == datev_files(journal(*ENTRIES[::-1]), DATEV, CLOSED_AT)


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [
        ("EUR", 1, "0,01"),
        ("EUR", 999_999_999_999, "9999999999,99"),  # ten digits before the comma
        ("JPY", 1500, "1500,00"),
        ("KWD", 1_500, "1,50"),  # of the three decimals the last is 0
    ],
)
def test_amounts_have_two_decimals_whatever_their_currency_has(currency, amount, written):
    (file,) = datev_files(journal(Entry(1, "booked", GERMAN, currency, amount)), DATEV, CLOSED_AT)
    assert f'\r\n{written};"S";"{currency}";'.encode() in file.content


@pytest.mark.parametrize(
    ("currency", "amount", "code", "words"),
    [
        ("EUR", 1_000_000_000_000, "amount_too_large", "€10,000,000,000.00"),
        ("JPY", -(10**10), "amount_too_large", "10,000,000,000"),
        ("KWD", 1_505, "amount_too_fine", "1.505"),
    ],
)
def test_an_amount_that_datev_has_no_place_for_is_refused(currency, amount, code, words):
    with pytest.raises(DomainError) as refused:
        datev_files(journal(Entry(1, "booked", GERMAN, currency, amount)), DATEV, CLOSED_AT)
    assert refused.value.code == code
    assert words in refused.value.message


def test_accounts_that_are_no_numbers_of_that_length_are_named_together():
    accounts = AccountMap(
        [MapRow("receivables", "10400", "a customer’s"), MapRow("deferred", "99-0", ""), MapRow("revenue", "٨٤٠٠", "")]
    )
    with pytest.raises(DomainError) as refused:
        datev_files(journal(accounts=accounts), DATEV, CLOSED_AT)
    assert refused.value.code == "account_not_for_datev"
    assert refused.value.data == {"accounts": ["99-0", "٨٤٠٠"]}


def test_more_bookings_than_a_file_takes_go_on_in_the_next():
    entries = [Entry(number, "booked", GERMAN, "EUR", 100) for number in range(1, 6)]
    files = datev_files(journal(*entries), DATEV, CLOSED_AT, most=2)
    assert [file.name for file in files] == [f"EXTF_2026-01_r1_EUR_{part}.csv" for part in (1, 2, 3)]
    assert [file.content.count(b"\r\n") for file in files] == [4, 4, 3]  # header, names, bookings


@pytest.mark.parametrize(
    ("month", "begins", "first"),
    [("2026-01-01", 7, "2025-07-01"), ("2026-07-01", 7, "2026-07-01"), ("2026-12-01", 1, "2026-01-01")],
)
def test_a_month_belongs_to_the_fiscal_year_that_began_last(month, begins, first):
    assert fiscal_year_begin(date.fromisoformat(month), begins) == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("consultant", 1000), ("consultant", 10_000_000), ("client", 0), ("client", 100_000)),
        *(("account_length", 3), ("account_length", 9), ("year_begins", 0), ("year_begins", 13)),
    ],
)
def test_settings_that_datev_can_not_have_are_refused(field, value):
    check_settings(DATEV)
    with pytest.raises(DomainError) as refused:
        check_settings(DATEV._replace(**{field: value}))
    assert (refused.value.code, refused.value.data) == ("datev_invalid", {"field": field})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Šárka, Großmann & Søn – 5 €", "Šárka, Großmann & Søn – 5 €"),  # all in Windows-1252
        ("Łódź, Dvořák, Ğüneş", "Lódz, Dvorák, Günes"),
        ("e\u0301te\u0301", "été"),
        ("ﬁ x⁻¹", "fi x-¹"),
        ("a\r\nb\tc\x00", "a  b c "),
        ("Ωmega 顕微鏡 🔬", "?mega ??? ?"),
        ("right\u200fto\u202eleft", "righttoleft"),
    ],
)
def test_letters_that_windows_1252_lacks_come_near(text, written):
    assert in_windows_1252(text) == written


@given(st.text(st.characters(), max_size=80))
def test_no_name_of_a_product_breaks_the_file(name):
    """Surrogates, quotation marks, line breaks, semicolons: a booking stays a record of 125 fields on one line."""
    origin = SWISS._replace(product=Named(5, name))
    (file,) = datev_files(journal(Entry(1, "booked", origin, "CHF", 100)), DATEV, CLOSED_AT)
    lines = file.content.decode("cp1252").split("\r\n")
    assert len(lines) == 4
    fields = _fields(lines[2])
    assert len(fields) == 125
    assert len(fields[13]) <= 60
    assert not fields[48].startswith(("=", "+", "-", "@"))


def _fields(record):
    """The fields of a record, read letter by letter as the format says: “"” begins and ends a text, “""” is one."""
    fields, is_text, field, at = [], False, "", 0
    while at < len(record):
        letter = record[at]
        if letter == '"' and is_text and record[at + 1 : at + 2] == '"':
            field, at = field + '"', at + 1
        elif letter == '"':
            is_text = not is_text
        elif letter == ";" and not is_text:
            fields, field = [*fields, field], ""
        else:
            field += letter
        at += 1
    return [*fields, field]

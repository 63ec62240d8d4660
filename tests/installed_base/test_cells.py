"""Single cells: what people write, and what is said of what can't be read."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongles.installed_base import cells
from dongles.installed_base.cells import Unreadable
from dongles.installed_base.faults import CAUSES
from dongles.installed_base.values import Odd


def fault(read, *args, **asked):
    with pytest.raises(Unreadable) as error:
        read(*args, **asked)
    assert error.value.code in CAUSES
    return error.value.code, error.value.sentence


def day(cell, order=""):
    return cells.read_day(cell, order=order)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-31",
        "2026/3/31",
        "2026-03-31 00:00:00",
        "31.03.2026",
        "31.3.26",
        "31. 3. 2026",
        "31/03/2026",
        "03/31/2026",
        "31-03-2026",
        "31 Mar 2026",
        "31-Mar-26",
        "31. März 2026",
        "31 mars 2026",
        "March 31, 2026",
        "Mar 31 2026",
    ],
)
def test_days_are_read_as_people_write_them(text):
    assert day(text) == date(2026, 3, 31)


def test_a_day_that_is_one_already_stays():
    assert day(date(2026, 3, 31)) == date(2026, 3, 31)
    assert day(None) is None


def test_two_digits_of_a_year_are_of_this_century_below_seventy():
    assert (day("31.12.69", "day"), day("31.12.99", "day")) == (date(2069, 12, 31), date(1999, 12, 31))


def test_the_order_of_day_and_month_is_never_guessed():
    assert day("03/04/2026", "day") == date(2026, 4, 3)
    assert day("03/04/2026", "month") == date(2026, 3, 4)
    assert day("03.04.2026", "month") == date(2026, 4, 3)  # with dots the day stands first everywhere
    assert day("04/04/2026") == date(2026, 4, 4)
    assert fault(day, "03/04/2026")[0] == "date_order_unknown"


def test_the_order_is_found_out_from_the_whole_column():
    assert cells.order_of(["03/04/2026", "31/12/2025"]) == ("day", "31/12/2025")
    assert cells.order_of(["03/04/2026", "12/31/2025", None, date(2026, 1, 1)]) == ("month", "12/31/2025")
    assert cells.order_of(["03/04/2026", "31.12.2025"]) == ("", "")
    assert cells.order_of(["12/31/2025", "31/12/2025"])[0] == "both"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("31.02.2026", "date_impossible"),
        ("13/13/2026", "date_impossible"),
        (46112, "date_as_number"),
        ("46112", "date_as_number"),
        ("soon", "date_unreadable"),
        (31, "date_unreadable"),
        (date(1904, 3, 31), "date_out_of_range"),
        ("2206-03-31", "date_out_of_range"),
        (Odd("cell_error", "#N/A"), "cell_error"),
        (Odd("cell_merged", "N2:N4"), "cell_merged"),
        (Odd("formula_without_value", ""), "formula_without_value"),
        (Odd("date_unreadable", "00:00:00"), "date_unreadable"),
    ],
)
def test_what_is_no_day_says_why(cell, code):
    assert fault(day, cell, "day")[0] == code


def serial(cell, usual_length=None, shorter="ask"):
    return cells.read_serial(cell, usual_length=usual_length, shorter=shorter)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("104 233", "104233"),
        ("va-104", "VA104"),
        (104233, "104233"),
        ("104233.0", "104233"),
        ("1E5", "1E5"),
        (None, None),
    ],
)
def test_serials_are_read_in_any_spelling(cell, read):
    assert serial(cell) == read


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.04E+5", "serial_scientific"),
        ("1,04E+05", "serial_scientific"),
        ("1E+5", "serial_scientific"),
        (Odd("serial_scientific", "1.04E+05", 104000), "serial_scientific"),
        (Odd("serial_too_long_a_number", "1234567890123450", 1234567890123450), "serial_too_long_a_number"),
        (date(2026, 12, 3), "serial_as_date"),
        ("104233/2", "serial_unreadable"),
        (104233.5, "serial_unreadable"),
        ("A" * 33, "serial_unreadable"),
    ],
)
def test_serials_eaten_by_a_spreadsheet_say_so(cell, code):
    assert fault(serial, cell)[0] == code


def test_a_serial_shorter_than_the_others_has_probably_lost_zeros():
    assert fault(serial, 4233, 6) == (
        "serial_lost_zeros",
        "4233 has 4 digits where nearly all others have 6: is it 004233?",
    )
    assert serial(4233, 6, "fill") == "004233"
    assert serial(4233, 6, "keep") == "4233"
    assert serial("A4233", 6) == "A4233"


def test_serials_have_a_usual_length_only_where_nearly_all_have_it():
    assert cells.usual_length_of([104233] * 8 + ["4233", 42]) == 6
    assert cells.usual_length_of([104233] * 7 + ["4233", 42, 1]) is None
    assert cells.usual_length_of([104233] * 4) is None


@given(st.integers(min_value=0, max_value=10**12))
def test_a_serial_read_from_a_number_is_that_number(number):
    assert serial(number) == str(number)


def test_texts_in_a_wrong_encoding_say_what_they_were():
    assert fault(cells.read_text, "UniversitÃ¤t KÃ¶ln") == (
        "text_garbled",
        "“UniversitÃ¤t KÃ¶ln” was probably “Universität Köln”.",
    )
    assert fault(cells.read_text, "Universit\N{REPLACEMENT CHARACTER}t")[0] == "text_garbled"
    assert fault(cells.read_text, "A" * 201)[0] == "text_too_long"
    for sound in ("Universität Köln", "Ångström", "Société Générale", "東京大学", "Größe × 2"):
        assert cells.read_text(sound) == sound


@given(st.text(alphabet="äöüÄÖÜßéèêëñçåøæ", min_size=1, max_size=20))
def test_every_text_of_western_letters_is_known_again_when_garbled(text):
    garbled = text.encode().decode("latin-1")
    assert f"“{text}”" in fault(cells.read_text, garbled)[1]


@pytest.mark.parametrize("text", ["Germany", "deutschland", "Allemagne", "DE", "DEU", "de "])
def test_countries_are_known_by_name_and_code(text):
    assert cells.read_country(text.strip()) == "DE"


def test_countries_have_many_names():
    names = {"UK": "GB", "U.S.A.": "US", "Holland": "NL", "Korea": "KR", "Österreich": "AT", "Côte d’Ivoire": "CI"}
    assert {name: cells.read_country(name) for name in names} == names
    for unknown in ("Germny", "Europe", "XX"):
        assert fault(cells.read_country, unknown)[0] == "country_unknown"


def test_currencies_choices_seats_and_addresses():
    assert [cells.read_currency(text) for text in ("eur", "€", "£")] == ["EUR", "EUR", "GBP"]
    assert fault(cells.read_currency, "$")[0] == "currency_unknown"
    assert [cells.read_choice(text, "segment") for text in ("Academic", "University", "kommerziell")] == [
        "academic",
        "academic",
        "commercial",
    ]
    assert cells.read_choice("Imaging License Server", "kind") == "licence_server"
    assert cells.read_choice("Reverse charge", "tax_status") == "reverse_charge"
    assert fault(cells.read_choice, "purple", "kind") == (
        "choice_unknown",
        "“purple” is none of: dongle, key, licence server.",
    )
    assert [cells.read_seats(cell) for cell in (5, "5", 5.0, "5,0", None)] == [5, 5, 5, 5, None]
    for seats in ("five", 0, 65536, -1, 1.5, True, "²"):
        assert fault(cells.read_seats, seats)[0] == "seats_out_of_range"
    assert cells.read_email("Ada Lenz <ada@cells.example>") == "ada@cells.example"
    for email in ("ada", "ada@cells", "ada@cells.example; ben@cells.example", "ada @cells.example"):
        assert fault(cells.read_email, email)[0] == "email_unreadable"


def test_products_are_known_by_code_and_name():
    products = {"volvis": "VOL-VIS", "volocityvisualisation": "VOL-VIS"}
    assert (
        cells.read_product("Vol-Vis", products) == cells.read_product("Volocity Visualisation", products) == "VOL-VIS"
    )
    assert fault(cells.read_product, "Volocity 3D", products) == (
        "product_unknown",
        "“Volocity 3D” is not in the catalogue.",
    )

"""Fields, bytes and letters: what goes in comes out, and nothing else goes in."""

import base64
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dongles.unlock import (
    Malformed,
    NotASerial,
    canonical_serial,
    parse,
    printed_rows,
    read_code,
    sign,
    to_letters,
    to_rows,
)
from dongles.unlock.codec import KEY, encode
from dongles.unlock.letters import LETTERS, check_letters, correction, wrong_rows
from tests.unlock.keys import SLOT, public, record, records

RFC_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CODE = sign(record(), SLOT)
TEXT = to_letters(CODE)


@settings(max_examples=200)
@given(records)
def test_what_is_encoded_is_read_back(given_record):
    parsed = parse(read_code(to_letters(sign(given_record, SLOT))))
    assert (parsed.slot, parsed.generation, parsed.sequence) == (
        given_record.slot,
        given_record.generation,
        given_record.sequence,
    )
    assert (parsed.expiry_on, parsed.issued_on, parsed.licences) == (
        given_record.expiry_on,
        given_record.issued_on,
        given_record.licences,
    )


def test_a_set_with_one_licence_is_82_bytes_and_132_letters_in_9_rows():
    code = sign(record(licences=((101, 1),)), SLOT)
    assert len(code) == 82
    assert sum(len(row) - 2 for row in to_rows(code)) == 132
    assert len(to_rows(code)) == 9


def test_rows_are_printed_in_groups_of_four():
    assert printed_rows("ABCDEFGHJKMNPQRSTV" + "ABCDETV") == ["ABCD-EFGH-JKMN-PQRS TV", "ABCD-E TV"]


@pytest.mark.parametrize(
    "fields",
    [
        {"sequence": 0},
        {"sequence": 65536},
        {"generation": 256},
        {"slot": 256},
        {"slot": -1},
        {"expiry_on": date(2179, 6, 7)},
        {"issued_on": date(1999, 12, 31)},
        {"licences": ((102, 1), (101, 1))},
        {"licences": ((101, 1), (101, 1))},
        {"licences": ((0, 1),)},
        {"licences": ((1, 0),)},
        {"licences": ((1, 65536),)},
        {"licences": tuple((number, 1) for number in range(1, 62))},
        {"operation": KEY, "slot": 0, "licences": (), "new_slot": 1, "new_key": public(SLOT)},
        {"operation": KEY, "slot": 255, "licences": (), "new_slot": 255, "new_key": public(SLOT)},
        {"operation": KEY, "slot": 255, "licences": (), "new_slot": 1, "new_key": b"short"},
        {"operation": KEY, "slot": 255, "new_slot": 1, "new_key": public(SLOT)},
        {"operation": 2},
        {"new_key": public(SLOT)},
        {"sequence": 1.5},
        {"licences": ((101, 1.5),)},
        {"serial": "104-233"},
        {"serial": "imp1"},
        {"serial": ""},
        {"serial": "A" * 33},
        {"serial": "10４233"},
    ],
    ids=str,
)
def test_a_record_that_no_code_can_state_is_not_encoded(fields):
    with pytest.raises(ValueError, match=r"."):
        encode(record(**fields))


def test_the_most_that_a_code_states_is_60_products():
    assert len(parse(sign(record(licences=tuple((n, 65535) for n in range(1, 61))), SLOT)).licences) == 60


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("104233", "104233"),
        ("imp-0042 77", "IMP004277"),
        ("ils-2008 a", "ILS2008A"),
        (" - a - ", "A"),
        ("a" * 32, "A" * 32),
    ],
)
def test_a_serial_has_one_canonical_form(typed, canonical):
    assert canonical_serial(typed) == canonical


@pytest.mark.parametrize("typed", ["", " -", "a" * 33, "104.233", "10４233", "ß", "ﬁ", "ı", "a\tb", "a\nb"])
def test_what_is_no_serial_is_none(typed):
    with pytest.raises(NotASerial):
        canonical_serial(typed)


def test_letters_are_read_as_people_write_them():
    spoken = TEXT.lower().replace("1", "l").replace("0", "o")
    assert read_code(f" {spoken[:20]}-\t{spoken[20:]}\r\n") == CODE
    assert read_code(TEXT.replace("1", "I").replace("0", "O")) == CODE


@pytest.mark.parametrize("letter", ["U", "u", "_", ".", "\u00a0", "–", "０", "é", "\x00"])
def test_any_other_letter_is_malformed(letter):
    with pytest.raises(Malformed):
        read_code(TEXT[:5] + letter + TEXT[5:])


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 31))
def test_one_wrong_letter_is_always_seen_in_its_row(place, shift):
    wrong = LETTERS[(LETTERS.index(TEXT[place]) + shift) % 32]
    values = [LETTERS.index(letter) for letter in TEXT[:place] + wrong + TEXT[place + 1 :]]
    assert wrong_rows(values) == (place // 18 + 1,)


@given(st.integers(0, len(TEXT) - 2))
def test_two_neighbours_swapped_in_a_row_are_always_seen(place):
    swapped = TEXT[:place] + TEXT[place + 1] + TEXT[place] + TEXT[place + 2 :]
    if swapped != TEXT:
        with pytest.raises(Malformed):
            read_code(swapped)


def test_swapped_rows_are_seen():
    rows = to_rows(CODE)
    for first in range(len(rows) - 1):
        for second in range(first + 1, len(rows)):
            swapped = list(rows)
            swapped[first], swapped[second] = rows[second], rows[first]
            with pytest.raises(Malformed):
                read_code("".join(swapped))


@settings(max_examples=12)
@given(st.integers(0, len(TEXT) - 1), st.integers(1, 31))
def test_one_wrong_letter_is_put_right_where_the_whole_code_then_verifies(place, shift):
    wrong = LETTERS[(LETTERS.index(TEXT[place]) + shift) % 32]
    typed = TEXT[:place] + wrong + TEXT[place + 1 :]
    assert correction(typed, lambda code: code == CODE) == TEXT
    assert correction(typed, lambda code: False) is None


def test_two_wrong_rows_are_not_guessed_at():
    typed = ("0" if TEXT[0] != "0" else "1") + TEXT[1:-1] + ("0" if TEXT[-1] != "0" else "1")
    assert correction(typed, lambda code: True) is None


@given(st.binary(min_size=1, max_size=320))
def test_rows_written_by_whole_bytes_are_what_letter_by_letter_gives(code):
    text = base64.b32encode(code).decode().rstrip("=").translate(str.maketrans(RFC_LETTERS, LETTERS))
    expected = []
    for index, start in enumerate(range(0, len(text), 16)):
        high, low = check_letters([LETTERS.index(letter) for letter in text[start : start + 16]], index)
        expected.append(text[start : start + 16] + LETTERS[high] + LETTERS[low])
    assert to_rows(code) == expected
    assert read_code("".join(expected)) == code


def test_check_letters_are_the_remainder_of_the_rows_polynomial():
    # (x + 1)(x + 2) = x² + 3x + 2. One letter of value 1 alone: x² mod it = 3x + 2. One place higher:
    # x³ = x(3x + 2) = 3x² + 2x = 3(3x + 2) + 2x = (5 + 2)x + 6 = 7x + 6 (3·3 = 5, 3·2 = 6, and + is XOR).
    assert check_letters([1], 0) == (3, 2)
    assert check_letters([1, 0], 0) == (7, 6)
    # and the index, here of the sixth row, goes into the first of them: 7 XOR 5 = 2
    assert check_letters([0, 1, 0], 5) == (2, 6)


def test_the_rows_with_a_foreign_letter_or_wrong_check_letters_are_named_from_1():
    rows = to_rows(CODE)
    for number in range(1, len(rows) + 1):
        row = rows[number - 1]
        for changed in ("U" + row[1:], ("0" if row[0] != "0" else "1") + row[1:]):
            with pytest.raises(Malformed, match=f"row {number}") as refusal:
                read_code("\n".join([*rows[: number - 1], changed, *rows[number:]]))
            assert refusal.value.rows == (number,)
    twice = ["0" * 18 if number in (2, 4) else row for number, row in enumerate(rows, 1)]
    with pytest.raises(Malformed, match="rows 2, 4"):
        read_code(" ".join(twice))


def test_what_is_longer_than_any_code_is_malformed_at_once():
    with pytest.raises(Malformed, match="longer than any code"):
        read_code("0" * 1_000_000)
    assert correction("1" * 1_000_000, lambda code: True) is None


def test_spare_bits_must_be_zero():
    rows = to_rows(CODE)
    body = "".join(row[:-2] for row in rows)
    spare = len(body) * 5 % 8
    assert spare
    last = LETTERS[LETTERS.index(body[-1]) | 1]
    row = body[len(body) // 16 * 16 : -1] + last
    high, low = check_letters([LETTERS.index(letter) for letter in row], len(rows) - 1)
    with pytest.raises(Malformed, match="does not end a byte"):
        read_code("".join(rows[:-1]) + row + LETTERS[high] + LETTERS[low])


def test_a_letter_too_many_is_malformed():
    rows = to_rows(CODE)
    for extra in ("0", "00"):
        row = rows[-1][:-2] + extra
        high, low = check_letters([LETTERS.index(letter) for letter in row], len(rows) - 1)
        with pytest.raises(Malformed):
            parse(read_code("".join(rows[:-1]) + row + LETTERS[high] + LETTERS[low]))

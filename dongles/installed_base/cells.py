"""Reads single cells: serials, days, countries, currencies, choices, numbers, texts. Pure.

A cell that can't be read raises `Unreadable` with the code of its cause (faults.py) and a sentence about this cell.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.dates import get_month_names
from babel.numbers import list_currencies

from dongles.installed_base.fields import CHOICES
from dongles.installed_base.heads import fold_head
from dongles.installed_base.values import Cell, Odd
from dongles.unlock import NotASerial, canonical_serial

LONGEST_TEXT = 200
MOST_SEATS = 65535
# Codes of two letters that Babel lists beside those of ISO 3166-1.
NO_COUNTRIES = {"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
FIRST_YEAR, LAST_YEAR = 1980, 2100
SHOWN_LETTERS = 60
# From which length on serials of digits are taken to have one usual length: this share of at least so many of them.
USUAL_SHARE, FEWEST_SERIALS = 0.8, 5

EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
ISO_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?")
DAY_OF_NUMBERS = re.compile(r"(\d{1,2})([-/. ])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?: \d{1,2}:\d{2}.*)?")
DAY_OF_WORDS = re.compile(
    r"(\d{1,2})[-. ]{1,2}([^\W\d]+)[-. ,]{1,2}(\d{4}|\d{2})|([^\W\d]+)[ .]{1,2}(\d{1,2}),? (\d{4})"
)
COUNTED_DAYS = re.compile(r"[2-9]\d{4}(?:\.\d+)?")  # 1954 to 2173, counted from 1900
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d+|\d[.,]\d+[Ee]\d+")
WHOLE_AS_DECIMAL = re.compile(r"(\d+)[.,]0+")


class Unreadable(ValueError):
    """The cell can't be used: `code` is that of a cause, the sentence says what stands there."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def shown(cell: Cell) -> str:
    """A cell as a sentence quotes it."""
    text = cell.shown if isinstance(cell, Odd) else str(cell)
    return f"“{text[:SHOWN_LETTERS]}…”" if len(text) > SHOWN_LETTERS else f"“{text}”"


def _usable(cell: Cell) -> str | int | float | bool | date | None:
    """The cell unless it is odd whatever its column; a number that has lost digits only matters to serials."""
    if not isinstance(cell, Odd):
        return cell
    if cell.number is not None:
        return cell.number
    if cell.why == "cell_merged":
        raise Unreadable("cell_merged", f"The cell belongs to the merged cells {cell.shown}.")
    if cell.why == "formula_without_value":
        raise Unreadable("formula_without_value", "The cell holds a formula without its value.")
    raise Unreadable(cell.why, f"The cell shows {shown(cell)}.")


def read_text(cell: Cell) -> str | None:
    """A text as it is; refuses one that an encoding has garbled (`text_garbled`) or that is too long."""
    value = _usable(cell)
    if value is None:
        return None
    text = str(value)
    if not text.isascii() and (meant := _meant_by(text)):
        raise Unreadable("text_garbled", f"{shown(text)} was probably {shown(meant)}.")
    if len(text) > LONGEST_TEXT:
        raise Unreadable("text_too_long", f"{shown(text)} has {len(text)} letters.")
    return text


def _meant_by(text: str) -> str:
    """What a text was that looks like UTF-8 read as something else: “MÃ¼nchen” was “München”. Empty if it is sound."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return text.replace("\N{REPLACEMENT CHARACTER}", "?")
    for encoding in ("cp1252", "latin-1"):
        try:
            meant = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return meant if meant != text else ""
    return ""


# Serials


def read_serial(cell: Cell, *, usual_length: int | None, shorter: str) -> str | None:
    """A serial in the canonical form. One of digits alone that is shorter than nearly all others has probably lost its
    zeros: `shorter` says whether it is refused ("ask"), taken as it is ("keep") or filled up with zeros ("fill"). What
    is sure to be as it was typed is passed with no usual length."""
    if isinstance(cell, Odd) and cell.number is not None:
        raise Unreadable(cell.why, f"The cell shows {cell.shown}.")
    value = _usable(cell)
    if value is None:
        return None
    if isinstance(value, date):
        raise Unreadable("serial_as_date", f"The cell holds the day {value.isoformat()}.")
    text = str(value)
    if SCIENTIFIC.fullmatch(text):
        raise Unreadable("serial_scientific", f"The cell shows {text}.")
    if whole := WHOLE_AS_DECIMAL.fullmatch(text):
        text = whole[1]
    try:
        serial = canonical_serial(text)
    except NotASerial as error:
        raise Unreadable("serial_unreadable", f"{shown(text)} is no serial: {error}.") from None
    if usual_length and serial.isdigit() and len(serial) < usual_length and shorter != "keep":
        filled = serial.zfill(usual_length)
        if shorter == "fill":
            return filled
        raise Unreadable(
            "serial_lost_zeros",
            f"{serial} has {len(serial)} digits where nearly all others have {usual_length}: is it {filled}?",
        )
    return serial


def usual_length_of(cells: Iterable[Cell]) -> int | None:
    """How many digits nearly all serials of digits alone have; none where they differ."""
    lengths: dict[int, int] = {}
    for cell in cells:
        if isinstance(cell, int | str) and not isinstance(cell, bool):
            bare = str(cell).replace(" ", "").replace("-", "")
            if bare.isdigit():
                lengths[len(bare)] = lengths.get(len(bare), 0) + 1
    total = sum(lengths.values())
    usual = max(lengths, key=lambda length: lengths[length], default=0)
    return usual if total >= FEWEST_SERIALS and lengths[usual] >= USUAL_SHARE * total else None


# Days


def order_of(cells: Iterable[Cell]) -> tuple[str, str]:
    """Whether days written with slashes have the day or the month first: "day", "month", "both" (it can't be), or ""
    where nothing says so; and the text that decides."""
    found: dict[str, str] = {}
    for cell in cells:
        if isinstance(cell, str) and (parts := DAY_OF_NUMBERS.fullmatch(cell)) and parts[2] != ".":
            first, second = int(parts[1]), int(parts[3])
            if first > 12 >= second:
                found.setdefault("day", cell)
            elif second > 12 >= first:
                found.setdefault("month", cell)
    if len(found) == 2:
        return "both", " and ".join(found.values())
    return next(iter(found.items()), ("", ""))


def read_day(cell: Cell, *, order: str) -> date | None:
    """A day in one of the ways in which people write them. `order` is "day" or "month" for what comes first in
    03/04/2026; with dots the day always does."""
    value = _usable(cell)
    if value is None:
        return None
    day = value if isinstance(value, date) else _day_of(str(value), order)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable("date_out_of_range", f"{shown(value)} lies in the year {day.year}.")
    return day


def _day_of(text: str, order: str) -> date:
    if iso := ISO_DAY.fullmatch(text):
        return _date(text, iso[1], iso[2], iso[3])
    if parts := DAY_OF_NUMBERS.fullmatch(text):
        first, second = parts[1], parts[3]
        if parts[2] == "." or order == "day" or (order != "month" and int(first) > 12):
            return _date(text, parts[4], second, first)
        if order == "month" or int(second) > 12:
            return _date(text, parts[4], first, second)
        if first == second:
            return _date(text, parts[4], first, second)
        raise Unreadable("date_order_unknown", f"{shown(text)} can be read with the day or with the month first.")
    if parts := DAY_OF_WORDS.fullmatch(text):
        day, month, year = (parts[1], parts[2], parts[3]) if parts[1] else (parts[5], parts[4], parts[6])
        number = _months().get(fold_head(month))
        if number:
            return _date(text, year, str(number), day)
    if COUNTED_DAYS.fullmatch(text):
        raise Unreadable("date_as_number", f"The cell holds the number {text} instead of a date.")
    raise Unreadable("date_unreadable", f"{shown(text)} is no date.")


def _date(text: str, year: str, month: str, day: str) -> date:
    full = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 70 else 2000)
    try:
        return date(full, int(month), int(day))
    except ValueError:
        raise Unreadable("date_impossible", f"There is no day {shown(text)}.") from None


@cache
def _months() -> dict[str, int]:
    """The names of months in English, German and French, in full and short."""
    return {
        fold_head(name): number
        for locale in ("fr", "de", "en")
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context=context, locale=locale).items()
    } | {"maerz": 3, "mrz": 3, "sept": 9}


# Words


@cache
def countries() -> list[tuple[str, str]]:
    """The countries' codes of two letters with their English names, by name."""
    names = [(str(code), str(name)) for code, name in Locale("en").territories.items()]
    found = [(code, name) for code, name in names if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES]
    return sorted(found, key=lambda pair: pair[1])


@cache
def _countries() -> dict[str, str]:
    """ISO 3166-1 codes of two letters by folded names in English, German and French, and by codes of three letters."""
    names: dict[str, str] = {}
    codes = {code for code, _ in countries()}
    for alias, meant in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(meant) == 1:
            names[alias.lower()] = meant[0]
    for language in ("fr", "de", "en"):
        territories = Locale(language).territories.items()
        names |= {fold_head(str(name)): str(code) for code, name in territories if code in codes}
    names |= {code.lower(): code for code in codes}
    return names | {
        "uk": "GB",
        "greatbritain": "GB",
        "england": "GB",
        "scotland": "GB",
        "wales": "GB",
        "usa": "US",
        "unitedstatesofamerica": "US",
        "america": "US",
        "holland": "NL",
        "czechrepublic": "CZ",
        "korea": "KR",
        "southkorea": "KR",
        "turkey": "TR",
        "prchina": "CN",
        "brd": "DE",
        "russianfederation": "RU",
    }


def read_country(cell: Cell) -> str | None:
    """A country's code by its name or code."""
    text = read_text(cell)
    if text is None:
        return None
    code = _countries().get(fold_head(text))
    if code is None:
        raise Unreadable("country_unknown", f"{shown(text)} is no country.")
    return code


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies(locale="en"))


SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "US$": "USD", "EURO": "EUR", "EUROS": "EUR"}


def read_currency(cell: Cell) -> str | None:
    """A currency's code; the signs that stand for one alone are read too, $ is not."""
    text = read_text(cell)
    if text is None:
        return None
    code = SIGNS.get(text.upper(), text.upper())
    if code not in _currencies():
        raise Unreadable("currency_unknown", f"{shown(text)} is no currency.")
    return code


def read_choice(cell: Cell, field: str) -> str | None:
    """One of the words that a column of choices knows."""
    text = read_text(cell)
    if text is None:
        return None
    folded = fold_head(text)
    for choice, words in CHOICES[field].items():
        if folded in words or folded == fold_head(choice):
            return choice
    known = ", ".join(choice.replace("_", " ") for choice in CHOICES[field])
    raise Unreadable("choice_unknown", f"{shown(text)} is none of: {known}.")


def read_seats(cell: Cell) -> int | None:
    """A number of seats, 1 to 65,535."""
    value = _usable(cell)
    if value is None:
        return None
    text = str(value)
    if whole := WHOLE_AS_DECIMAL.fullmatch(text):
        text = whole[1]
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_SEATS:
        raise Unreadable("seats_out_of_range", f"{shown(value)} can’t be a number of seats.")
    return int(text)


def read_email(cell: Cell) -> str | None:
    """An e-mail address, with or without a name around it."""
    text = read_text(cell)
    if text is None:
        return None
    bare = text.removeprefix("mailto:")
    if "<" in bare:
        bare = bare.partition("<")[2].removesuffix(">")
    if not EMAIL.fullmatch(bare) or len(bare) > LONGEST_TEXT:
        raise Unreadable("email_unreadable", f"{shown(text)} is no e-mail address.")
    return bare


def read_product(cell: Cell, products: Mapping[str, str]) -> str | None:
    """A product's code by its code or name; `products` holds both, folded."""
    text = read_text(cell)
    if text is None:
        return None
    code = products.get(fold_head(text))
    if code is None:
        raise Unreadable("product_unknown", f"{shown(text)} is not in the catalogue.")
    return code

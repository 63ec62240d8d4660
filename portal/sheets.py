"""Tables as files, CSV and XLSX. Nothing that was typed somewhere becomes a formula in a spreadsheet.

A cell is a text, a number, a date, an Amount, a Rate or none.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from io import BytesIO
from math import ceil
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from portal.wording import currency_exponent

# What a spreadsheet takes for the beginning of a formula, and of an error (which openpyxl would write as one).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ERROR_STARTS = ("#",)
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads a CSV in the machine's old code page
ZIP_OF_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Amount(NamedTuple):
    """Minor units of a currency; a file shows it with the currency's decimals, the currency in a column of its own."""

    minor_units: int
    currency: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.minor_units).scaleb(-currency_exponent(self.currency))

    @property
    def number_format(self) -> str:
        exponent = currency_exponent(self.currency)
        return "#,##0" + ("." + "0" * exponent if exponent else "")


class Rate(NamedTuple):
    """A share as two whole numbers, so that it is exact; none where there is nothing to be a share of."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    @property
    def decimal(self) -> Decimal | None:
        """To six decimals, as files have it."""
        if not self.denominator:
            return None
        return (Decimal(self.numerator) / self.denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP)


class Points(Rate):
    """A share less another one: people read percentage points, files have it as they have shares."""

    __slots__ = ()


Cell = str | int | Decimal | date | Amount | Rate | None


class Column(NamedTuple):
    """A column's head, its width in characters, and whether figures stand in it, over whose right end the head is."""

    head: str
    width: int
    has_figures: bool = False


class _Echo:
    """A file for the csv module that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A CSV line by line: UTF-8 with a byte order mark, dates as 2026-08-24, amounts with a point for the decimals.

    A text that could begin a formula gets an apostrophe before it.
    """
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow([column.head for column in columns])
    for row in rows:
        yield writer.writerow([_plain(cell) for cell in row])


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    if isinstance(cell, Amount):
        return str(cell.value)
    if isinstance(cell, Rate):
        return "" if cell.decimal is None else str(cell.decimal)
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


SheetOf = tuple[str, Sequence[Column], Iterable[Sequence[Cell]]]
NOT_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
TITLE_LETTERS = 31
NOTE_WIDTH, NOTE_LETTERS, NOTE_LINE = 100, 90, 15  # of notes: the column, letters that surely fit in it, points a line


def xlsx_of(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], notes: Iterable[str]) -> bytes:
    """An XLSX with the table, its head frozen, and a second sheet with the notes."""
    return workbook_of([(title, columns, rows)], notes)


def workbook_of(tables: Iterable[SheetOf], notes: Iterable[str]) -> bytes:
    """An XLSX with a sheet for each table (title, columns, rows), its head frozen, and a last one with the notes.

    Printed, a sheet is as wide as its paper, and each page has the head.

    Texts are texts whatever they begin with, dates, amounts and rates are numbers that can be reckoned with.
    """
    book = Workbook(write_only=True)
    for title, columns, rows in tables:
        sheet = book.create_sheet(title.translate(NOT_IN_TITLES)[:TITLE_LETTERS])
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        _fit_to_paper(sheet)
        for index, column in enumerate(columns, 1):
            sheet.column_dimensions[get_column_letter(index)].width = column.width
        sheet.append([_head(sheet, column) for column in columns])
        for row in rows:
            sheet.append([_typed(sheet, cell) for cell in row])
    about = book.create_sheet("About")
    about.column_dimensions["A"].width = NOTE_WIDTH
    _fit_to_paper(about)
    for number, note in enumerate(notes, 1):
        about.row_dimensions[number].height = NOTE_LINE * max(ceil(len(note) / NOTE_LETTERS), 1)
        cell = _text(about, note)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        about.append([cell])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _fit_to_paper(sheet: Any) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0  # as many pages as it takes
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _head(sheet: Any, column: Column) -> WriteOnlyCell:
    cell = _text(sheet, column.head)
    cell.font = Font(bold=True)
    cell.alignment = Alignment("right" if column.has_figures else "left", "bottom", wrap_text=True)
    return cell


def _text(sheet: Any, text: str) -> WriteOnlyCell:
    """A cell that stays a text; as if it had been typed behind an apostrophe where it looks like more."""
    cell = WriteOnlyCell(sheet, _legal(text))
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(FORMULA_STARTS)
    return cell


def _legal(text: str) -> str:
    """A text without the control characters that XML can't hold."""
    return str(ILLEGAL_CHARACTERS_RE.sub("", text))


def _typed(sheet: Any, cell: Cell) -> Any:
    if isinstance(cell, str):
        # Few texts need a cell of their own, and making one takes longer than handing over a text.
        text = _legal(cell)
        return _text(sheet, text) if text.startswith((*FORMULA_STARTS, *ERROR_STARTS)) else text
    if isinstance(cell, Amount):
        amount = WriteOnlyCell(sheet, cell.value)
        amount.number_format = cell.number_format
        return amount
    if isinstance(cell, Rate):
        rate = WriteOnlyCell(sheet, cell.decimal)
        rate.number_format = "0.0%"
        return rate
    return cell

"""Reads an XLSX as a stream: each cell with what people see there and why it may be wrong. Pure.

One pass of expat over a sheet's XML gives values, number formats, formulas and merged cells together. openpyxl reads as
a stream too, in five times the time, and then passes over formulas and merged cells.
"""

import io
import posixpath
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string, range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from dongles.installed_base.values import AT_FILE, MEGABYTE, MOST_COLUMNS, Cell, Line, Odd, plain_text
from portal.errors import DomainError

# What a workbook says that it unpacks to: its sheets are read as a stream, its texts are kept in memory. Python unpacks
# no more of a part than the archive's directory says.
MOST_UNPACKED, MOST_TEXTS_UNPACKED = 400 * MEGABYTE, 64 * MEGABYTE
MOST_SHEETS = 50
MOST_MERGED_ROWS = 1_000_000
LAST_ROW = 1_048_576
PRECISE_DIGITS = 15  # a spreadsheet keeps so many of a number, and turns the rest into zeros
CHUNK = 256 * 1024
MOST_PIECES = 1000  # of 8 KB, in which expat hands over a text; a cell holds 32,767 letters
# What is raised for a file that is damaged, or made to harm.
UNREADABLE = (
    *(BadZipFile, zlib.error, expat.ExpatError, ElementTree.ParseError, EOFError, NotImplementedError, RuntimeError),
    *(KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError),
)


@contextmanager
def readable() -> Iterator[None]:
    """What a damaged workbook raises becomes a refusal (`import_damaged`)."""
    try:
        yield
    except UNREADABLE as error:
        raise DomainError(
            "import_damaged",
            f"This workbook can’t be read ({type(error).__name__}). Open it in the spreadsheet program, save it once"
            " more as an Excel workbook (XLSX), and choose that.",
            AT_FILE,
        ) from None


class Workbook:
    """An opened XLSX: the names of its sheets, and how its days are counted."""

    def __init__(self, content: bytes) -> None:
        self._archive = ZipFile(io.BytesIO(content))
        self._check_unpacked()
        main = next(part.filename for part in self._archive.infolist() if _local(part.filename, "/") == "workbook.xml")
        folder = posixpath.dirname(main)
        book = ElementTree.fromstring(self._archive.read(main))  # noqa: S314 - expat bounds what entities become
        targets = self._targets(f"{folder}/_rels/workbook.xml.rels", folder)
        self.sheets: dict[str, str] = {}
        self.counts_from_1904 = False
        for element in book.iter():
            if _local(element.tag) == "workbookPr":
                self.counts_from_1904 = element.get("date1904") in ("1", "true")
            elif _local(element.tag) == "sheet" and len(self.sheets) < MOST_SHEETS:
                reference = next(value for name, value in element.items() if _local(name) == "id" and name != "id")
                if targets.get(reference) in self._archive.NameToInfo:
                    self.sheets[element.get("name", "")] = targets[reference]
        self._texts = _shared_texts(self._archive, f"{folder}/sharedStrings.xml")
        self._formats = _formats(self._archive, f"{folder}/styles.xml")

    def _check_unpacked(self) -> None:
        sizes = {part.filename: part.file_size for part in self._archive.infolist()}
        if not any(_local(name, "/") == "workbook.xml" for name in sizes):
            raise DomainError(
                "import_not_a_table",
                "This is no Excel workbook (XLSX). Open it in the spreadsheet program, save it as one, and choose"
                " that.",
                AT_FILE,
            )
        texts = sum(
            size for name, size in sizes.items() if name.endswith((".xml", ".rels")) and "/worksheets/" not in name
        )
        if sum(sizes.values()) > MOST_UNPACKED or texts > MOST_TEXTS_UNPACKED:
            raise DomainError(
                "import_unpacks_too_large",
                f"This workbook unpacks to {sum(sizes.values()) // MEGABYTE:,} MB, more than a table of dongles can"
                " have. Copy the table alone into a new workbook and choose that.",
                AT_FILE,
            )

    def _targets(self, path: str, folder: str) -> dict[str, str]:
        found = {}
        for element in ElementTree.fromstring(self._archive.read(path)):  # noqa: S314 - expat bounds what entities become
            target = element.get("Target", "")
            absolute = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[element.get("Id", "")] = absolute
        return found

    def sheet(self, name: str) -> "Sheet":
        return Sheet(self._archive, self.sheets[name], self._texts, self._formats, self.counts_from_1904)


def _local(name: str, separator: str = "}") -> str:
    return name.rpartition(separator)[2]


def _shared_texts(archive: ZipFile, path: str) -> Sequence[str]:
    """The texts that cells point to. How they are to be pronounced (rPh) is no part of them."""
    if path not in archive.NameToInfo:
        return ()
    texts: list[str] = []
    pieces: list[str] = []
    is_text, is_spoken = False, False

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal is_text, is_spoken
        name = _local(name, ":")
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            is_spoken = True
        elif name == "t":
            is_text = not is_spoken

    def end(name: str) -> None:
        nonlocal is_text, is_spoken
        name = _local(name, ":")
        if name == "si":
            texts.append(plain_text("".join(pieces)))
        elif name == "rPh":
            is_spoken = False
        elif name == "t":
            is_text = False

    def data(text: str) -> None:
        if is_text:
            pieces.append(text)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    with archive.open(path) as part:
        parser.ParseFile(part)
    return texts


class _Format(NamedTuple):
    """What a number format makes of a number: a day, so many digits filled up with zeros, or a power of ten."""

    is_day: bool
    digits: int
    is_scientific: bool


PLAIN = _Format(False, 0, False)


def _formats(archive: ZipFile, path: str) -> Sequence[_Format]:
    """The number format of each style."""
    if path not in archive.NameToInfo:
        return ()
    styles = ElementTree.fromstring(archive.read(path))  # noqa: S314 - expat bounds what entities become
    codes = dict(BUILTIN_FORMATS)
    used: list[int] = []
    for element in styles.iter():
        if _local(element.tag) == "numFmt":
            codes[int(element.get("numFmtId", "0"))] = element.get("formatCode", "")
        elif _local(element.tag) == "cellXfs":
            used = [int(style.get("numFmtId", "0")) for style in element]
    return [_format_of(codes.get(number, "General")) for number in used]


def _format_of(code: str) -> _Format:
    digits = len(code) if code and not code.strip("0") else 0
    return _Format(is_date_format(code), digits if digits > 1 else 0, bool(re.search("E[+-]", code)))


class Sheet:
    """A sheet to be read once. When its lines have been read, `formulas` counts cells with one, and `merged` are the
    ranges of merged cells."""

    def __init__(
        self,
        archive: ZipFile,
        path: str,
        texts: Sequence[str],
        formats: Sequence[_Format],
        counts_from_1904: bool,
    ) -> None:
        self._archive, self._path, self._texts, self._formats = archive, path, texts, formats
        self._epoch = CALENDAR_MAC_1904 if counts_from_1904 else CALENDAR_WINDOWS_1900
        self._days: dict[str, Cell] = {}
        self._lines: list[Line] = []
        self.formulas = 0
        self.merged: list[str] = []

    def lines(self) -> Iterator[Line]:
        """The rows that the file holds, with their numbers; one that is read no further costs no more."""
        parser = self._parser()
        with self._archive.open(self._path) as part:
            while chunk := part.read(CHUNK):
                parser.Parse(chunk)
                yield from self._lines
                self._lines.clear()
        parser.Parse(b"", True)
        yield from self._lines

    def _parser(self) -> expat.XMLParserType:
        """The handlers share what they know of the cell and row in work; they are called some millions of times."""
        columns: dict[str, int] = {}
        pieces: list[str] = []
        cells: list[Cell] = []
        row = column = 0
        kind, style = "", ""
        has_formula = has_value = is_wanted = False

        def start(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal row, column, kind, style, has_formula, has_value, is_wanted, cells
            if ":" in name:
                name = name.rpartition(":")[2]
            if name == "c":
                letters = attributes.get("r", "").rstrip("0123456789")
                if letters:
                    if letters not in columns:
                        columns[letters] = column_index_from_string(letters)
                    column = columns[letters]
                else:
                    column += 1
                kind, style = attributes.get("t", ""), attributes.get("s", "")
                has_formula = has_value = False
                pieces.clear()
            elif name == "v" or name == "t":
                is_wanted = has_value = True
            elif name == "f":
                has_formula = True
                self.formulas += 1
            elif name == "row":
                row, column, cells = int(attributes.get("r", row + 1)), 0, []
            elif name == "mergeCell":
                self.merged.append(attributes.get("ref", ""))

        def end(name: str) -> None:
            nonlocal is_wanted
            if ":" in name:
                name = name.rpartition(":")[2]
            if name == "v" or name == "t":
                is_wanted = False
            elif name == "c":
                if (has_value or has_formula) and column <= MOST_COLUMNS:
                    cells.extend([None] * (column - 1 - len(cells)))
                    value = self._value(kind, style, "".join(pieces)) if has_value else FORMULA_WITHOUT_VALUE
                    cells[column - 1 : column] = [value]
            elif name == "row" and cells and row <= LAST_ROW:
                self._lines.append((row, cells))

        def data(text: str) -> None:
            if is_wanted:
                pieces.append(text)
                if len(pieces) > MOST_PIECES:
                    raise ValueError("a cell holds more than any spreadsheet can")

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
        return parser

    def _value(self, kind: str, style: str, text: str) -> Cell:
        if kind == "s":
            return self._texts[int(text)] or None
        if kind in ("str", "inlineStr"):
            return plain_text(text) or None
        if text == "":
            return None
        if kind == "b":
            return text == "1"
        if kind == "e":
            return Odd("cell_error", text)
        if kind == "d":
            return datetime.fromisoformat(text).date()
        format = self._formats[int(style)] if style and self._formats else PLAIN
        if format.is_day:
            if text not in self._days:
                self._days[text] = self._day(text)
            return self._days[text]
        return _number(text, format)

    def _day(self, text: str) -> Cell:
        try:
            moment = from_excel(float(text), self._epoch)
        except (ValueError, OverflowError):
            return Odd("date_unreadable", text)
        if isinstance(moment, datetime):
            return moment.date()
        return moment if isinstance(moment, date) else Odd("date_unreadable", str(moment))


FORMULA_WITHOUT_VALUE = Odd("formula_without_value", "")


def _number(text: str, format: _Format) -> Cell:
    """A number as people see it: with the zeros that its format writes before it, or without digits that are gone."""
    value: int | float = int(text) if text.isdigit() else float(text)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**PRECISE_DIGITS:
        value = int(value)
    if format.digits and isinstance(value, int) and value >= 0:
        return str(value).zfill(format.digits)
    if format.is_scientific:
        shown = f"{value:.2E}"
        if float(shown) == value:  # all the digits there are: 104000 was written as 1.04E+05, or has become it
            return Odd("serial_scientific", shown, value)
    return Odd("serial_too_long_a_number", f"{value:.0f}", value) if abs(value) >= 10**PRECISE_DIGITS else value


def with_merged(lines: Sequence[Line], merged: Sequence[str]) -> list[Line]:
    """The lines with every cell that belongs to merged ones, but is not the first of them, told as such."""
    covered: dict[int, list[tuple[int, int, str]]] = {}
    left = MOST_MERGED_ROWS
    for each in merged:
        first_column, first_row, last_column, last_row = range_boundaries(each)
        left -= last_row - first_row + 1
        if left < 0:
            raise DomainError(
                "import_damaged",
                "This sheet has more than a million rows of merged cells. Unmerge them, and fill the values into"
                " every row.",
                AT_FILE,
            )
        for row in range(first_row, last_row + 1):
            covered.setdefault(row, []).append((first_column + (row == first_row), last_column, each))
    if not covered:
        return list(lines)
    return [(row, _cover(cells, covered[row])) if row in covered else (row, cells) for row, cells in lines]


def _cover(cells: Sequence[Cell], spans: Sequence[tuple[int, int, str]]) -> Sequence[Cell]:
    told = list(cells)
    for first, last, merged in spans:
        for index in range(first - 1, min(last, len(told))):
            told[index] = Odd("cell_merged", merged)
    return tuple(told)

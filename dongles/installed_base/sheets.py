"""Reads a table out of a CSV or an XLSX file, whatever is in it, within bounds of time and memory. Pure."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from dongles.installed_base.heads import SEARCHED_ROWS, find_head_row, fit_of
from dongles.installed_base.values import AT_FILE, MEGABYTE, MOST_COLUMNS, Line, Odd, plain_text
from dongles.installed_base.workbooks import Workbook, readable, with_merged
from portal.errors import DomainError

MOST_BYTES = 32 * MEGABYTE
MOST_ROWS = 200_000
PREVIEWED_ROWS = 60
TOLD_EVERY = 1000

ZIP, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (",", ";", "\t", "|")


class Table(NamedTuple):
    """A table with its heads. `above` are the lines before the heads, which stand in row `head_row`; `rows` those after
    it that hold anything. All keep the numbers under which people see them in a spreadsheet."""

    kind: str
    sheet: str
    sheets: Sequence[str]
    above: Sequence[Line]
    head_row: int
    heads: Sequence[str]
    rows: Sequence[Line]
    counts_from_1904: bool = False
    formulas: int = 0

    @property
    def is_text(self) -> bool:
        """Whether cells have lost what they were: a CSV holds texts alone."""
        return self.kind == "csv"


def _say_nothing(done: int) -> None:
    pass


def read_table(
    content: bytes, *, sheet: str = "", most_rows: int = MOST_ROWS, tell: Callable[[int], None] = _say_nothing
) -> Table:
    """The table of a file; of a workbook's sheets the one named, or the one whose heads fit best.

    With fewer `most_rows` the rest of the file is left unread. Refuses `import_too_large`, `import_empty`,
    `import_not_a_table`, `import_old_workbook`, `import_unpacks_too_large`, `import_damaged`, `import_encoding`,
    `import_zero_bytes` and `import_too_many_rows`.
    """
    if not content.strip():
        raise DomainError("import_empty", "This file is empty. Choose the one with your dongles.", AT_FILE)
    if len(content) > MOST_BYTES:
        raise too_large()
    if content.startswith(OLD_WORKBOOK):
        raise DomainError(
            "import_old_workbook",
            "This is an old workbook (XLS) or one with a password. Open it in the spreadsheet program, save it as an"
            " Excel workbook (XLSX) without a password, and choose that.",
            AT_FILE,
        )
    if content.startswith(ZIP):
        return _read_workbook(content, sheet, most_rows, tell)
    return _read_csv(content, most_rows, tell)


def too_large() -> DomainError:
    return DomainError(
        "import_too_large",
        f"This file is larger than {MOST_BYTES // MEGABYTE} MB. Delete pictures and sheets that are not needed, or"
        " divide it into several files with the same heads: they can be imported one after the other.",
        AT_FILE,
    )


def _table(lines: Iterator[Line], most_rows: int, **facts: Any) -> Table:
    """The heads among the first lines, and the lines after them that hold anything."""
    first = list(islice(lines, SEARCHED_ROWS))
    place = find_head_row([cells for _, cells in first])
    head_row, head_cells = first[place] if first else (1, ())
    heads = ["" if cell is None or isinstance(cell, Odd) else str(cell) for cell in head_cells]
    width = max((index + 1 for index, head in enumerate(heads) if head), default=0)
    rows: list[Line] = []
    for number, line in chain(first[place + 1 :], lines):
        cells = (*line[:width], *[None] * (width - len(line)))
        if all(cell is None for cell in cells):
            continue
        if len(rows) == most_rows:
            if most_rows < MOST_ROWS:
                break
            raise DomainError(
                "import_too_many_rows",
                f"This table has more than {MOST_ROWS:,} rows. Divide it into several files with the same heads.",
                AT_FILE,
            )
        rows.append((number, cells))
    return Table(above=first[:place], head_row=head_row, heads=heads[:width], rows=rows, **facts)


def _told(lines: Iterator[Line], tell: Callable[[int], None]) -> Iterator[Line]:
    for number, line in lines:
        if number % TOLD_EVERY == 0:
            tell(number)
        yield number, line


def _read_workbook(content: bytes, sheet: str, most_rows: int, tell: Callable[[int], None]) -> Table:
    with readable():
        book = Workbook(content)
        if not book.sheets:
            raise DomainError("import_empty", "This workbook has no sheet with a table.", AT_FILE)
        name = (
            sheet
            if sheet in book.sheets
            else max(book.sheets, key=lambda each: _fit_of_lines(book.sheet(each).lines()))
        )
        chosen = book.sheet(name)
        table = _table(
            _told(chosen.lines(), tell),
            most_rows,
            kind="xlsx",
            sheet=name,
            sheets=tuple(book.sheets),
            counts_from_1904=book.counts_from_1904,
        )
        return table._replace(rows=with_merged(table.rows, chosen.merged), formulas=chosen.formulas)


def _fit_of_lines(lines: Iterator[Line]) -> int:
    """How many fields the best of the first lines names; what is behind one that can't be read does not count."""
    best = 0
    try:
        for _, cells in islice(lines, SEARCHED_ROWS):
            best = max(best, fit_of(cells))
    except csv.Error:
        pass
    return best


# CSV


def _read_csv(content: bytes, most_rows: int, tell: Callable[[int], None]) -> Table:
    text = _decoded(content)
    delimiter = max(DELIMITERS, key=lambda each: _fit_of_lines(_lines(text, each)))
    try:
        return _table(_told(_lines(text, delimiter), tell), most_rows, kind="csv", sheet="", sheets=())
    except csv.Error as error:
        raise DomainError(
            "import_damaged",
            f"This CSV can’t be read as a table ({error}). Look for a quotation mark that is opened and not closed,"
            " or save the table as an Excel workbook (XLSX) and choose that.",
            AT_FILE,
        ) from None


def _decoded(content: bytes) -> str:
    """The text of a CSV: UTF-8, or UTF-16 that says so at its beginning."""
    if content.startswith(b"%PDF"):
        raise DomainError(
            "import_not_a_table", "This is a PDF. Choose the table that it was made from, as XLSX or CSV.", AT_FILE
        )
    if content.startswith(UTF_16_MARKS):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
        if (place := content.find(b"\0")) >= 0:
            line = content.count(b"\n", 0, place) + 1
            raise DomainError(
                "import_zero_bytes",
                f"Line {line:,} of this file holds zero bytes: it is damaged, or no CSV at all. Save the table once"
                " more as “CSV UTF-8”, or as an Excel workbook (XLSX).",
                AT_FILE,
            )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DomainError(
            "import_encoding",
            f"Line {line:,} of this CSV is not written in UTF-8, so letters like ä, é or ß can’t be read for"
            " certain. In the spreadsheet program save it as “CSV UTF-8”, or as an Excel workbook (XLSX), and choose"
            " that.",
            AT_FILE,
        ) from None


def _lines(text: str, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for number, line in enumerate(reader, 1):
        yield number, [plain_text(cell) or None for cell in line[:MOST_COLUMNS]]

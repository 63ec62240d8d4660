"""The workbook that goes back: what came in, with a first column that says what to mend and the cells marked. Pure.

Rows stand where they stood. It can be imported as it is: the first column is passed over, and serials stay as they are
typed because their column is formatted as text.
"""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from dongles.installed_base.faults import CAUSES, Fault
from dongles.installed_base.heads import FAULT_HEAD
from dongles.installed_base.sheets import Table
from dongles.installed_base.values import Cell, Odd

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MARKED = PatternFill("solid", fgColor="FFE08A")
BOLD, WRAPPED = Font(bold=True), Alignment(wrap_text=True, vertical="top")
FAULT_WIDTH, WIDTH = 60, 18
AS_TEXT, AS_DAY = "@", "yyyy-mm-dd"
FORMULA_STARTS = ("=", "+", "-", "@", "#")


def workbook_with_faults(table: Table, columns: Mapping[str, int], faults: Sequence[Fault]) -> bytes:
    """The table as an XLSX with the faults beside its rows."""
    by_row: dict[int, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_row[fault.row].append(fault)
    has_column = table.heads[:1] == [FAULT_HEAD]  # of an earlier check: it is written anew
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.sheet or "Dongles")
    sheet.freeze_panes = f"B{table.head_row + 1}"
    sheet.column_dimensions["A"].width = FAULT_WIDTH
    for index in range(len(table.heads) - has_column):
        sheet.column_dimensions[get_column_letter(index + 2)].width = WIDTH
    serial = columns.get("serial")

    def written(cells: Sequence[Cell], marked: frozenset[int] = frozenset()) -> list[object]:
        return [
            _written(sheet, cell, is_serial=index == serial, is_marked=index in marked)
            for index, cell in enumerate(cells)
            if index or not has_column
        ]

    last = 0

    def append(number: int, cells: Sequence[object]) -> None:
        nonlocal last
        for _ in range(number - last - 1):
            sheet.append([])
        sheet.append(cells)
        last = number

    for number, line in table.above:
        append(number, [None, *written(line)])
    append(table.head_row, [_head(sheet, FAULT_HEAD), *(_head(sheet, head) for head in table.heads[has_column:])])
    for number, line in table.rows:
        found = by_row.get(number, ())
        marked = frozenset(columns[fault.field] for fault in found if fault.field in columns)
        append(number, [_told(sheet, found) if found else None, *written(line, marked)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _told(sheet: object, faults: Sequence[Fault]) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, "\n".join(f"{fault.sentence} {CAUSES[fault.code].remedy}" for fault in faults))
    cell.data_type, cell.alignment, cell.fill = "s", WRAPPED, MARKED
    return cell


def _head(sheet: object, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, text)
    cell.data_type, cell.font = "s", BOLD
    return cell


def _written(sheet: object, value: Cell, *, is_serial: bool, is_marked: bool) -> object:
    """A cell as it came in. A serial that is right becomes a text; a marked one keeps what it was, in a cell formatted
    as text for what is typed over it."""
    if isinstance(value, Odd):
        value = value.shown if value.number is None else value.number
    if is_serial and not is_marked and isinstance(value, int):
        value = str(value)
    if is_serial and is_marked and isinstance(value, str) and value.isdigit():
        value = int(value)  # of a CSV: as a text it would be taken for sure the next time
    is_formula_like = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    if not (is_serial or is_marked or is_formula_like or isinstance(value, date)):
        return value
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = is_formula_like
    if isinstance(value, date):
        cell.number_format = AS_DAY
    elif is_serial:
        cell.number_format = AS_TEXT
    if is_marked:
        cell.fill = MARKED
    return cell

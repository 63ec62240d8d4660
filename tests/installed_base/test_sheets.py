"""Files as they come in: what is read of them, and what is refused with what to do."""

import io
import zipfile
from datetime import date

import pytest

from dongles.installed_base.sheets import MOST_BYTES, read_table
from dongles.installed_base.values import Odd
from portal.errors import DomainError
from tests import workbooks
from tests.workbooks import csv_of, row, xlsx


def cells_of(content, head="Serial no.", **asked):
    table = read_table(content, **asked)
    index = table.heads.index(head)
    return [line[index] for _, line in table.rows]


def refused(content):
    with pytest.raises(DomainError) as refusal:
        read_table(content)
    return refusal.value


def test_a_workbook_and_a_csv_say_the_same_in_the_same_rows():
    rows = [row("104233"), row("104240", customer="Universität Köln")]
    book, text = read_table(xlsx(rows)), read_table(csv_of(rows))
    assert book.heads == text.heads == list(workbooks.HEADS.values())
    assert [number for number, _ in book.rows] == [number for number, _ in text.rows] == [2, 3]
    assert book.rows[1][1][2] == text.rows[1][1][2] == "Universität Köln"
    assert book.rows[0][1][-1] == date(2026, 3, 31)
    assert text.rows[0][1][-1] == "2026-03-31"


def test_heads_are_found_below_titles_and_rows_keep_their_numbers():
    content = xlsx([row("1"), {}, row("2")], above=[["Dongles of Imaging Vendor"], [], ["as of", date(2026, 1, 1)]])
    table = read_table(content)
    assert table.head_row == 4
    assert [number for number, _ in table.rows] == [5, 7]


def test_the_sheet_whose_heads_fit_best_is_read_unless_another_is_named():
    prices = ("Prices", [["Product", "Price"], ["VOL-VIS", 100]])
    content = xlsx([row()], others=[prices, ("Notes", [["Call Ada"]])])
    table = read_table(content)
    assert (table.sheet, set(table.sheets)) == ("Dongles", {"Dongles", "Prices", "Notes"})
    assert read_table(content, sheet="Prices").heads == ["Product", "Price"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_is_read_by_whatever_stands_between_its_cells(delimiter):
    assert cells_of(csv_of([row("104233", customer="Cells, Ltd; GmbH")], delimiter=delimiter)) == ["104233"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are_are_read(encoding):
    assert cells_of(csv_of([row(customer="Zürich")], encoding=encoding), "Customer") == ["Zürich"]


def test_any_other_encoding_is_refused_with_its_line_and_what_to_do():
    refusal = refused(csv_of([row(), row(customer="Zürich")], encoding="cp1252"))
    assert refusal.code == "import_encoding"
    assert "Line 3 " in refusal.message
    assert "CSV UTF-8" in refusal.message


def test_zero_bytes_are_refused_with_their_line():
    refusal = refused(csv_of([row(), row()]) + b"104\x00233,Dongle\n")
    assert refusal.code == "import_zero_bytes"
    assert "Line 4 " in refusal.message


def test_a_quotation_mark_that_is_never_closed_is_refused():
    assert refused(b'Serial,Product\n104233,"VOL\n').code == "import_damaged"


def test_nothing_is_no_table():
    assert refused(b" \n").code == "import_empty"


def test_what_is_larger_than_allowed_is_refused_unread():
    assert refused(b"S" * (MOST_BYTES + 1)).code == "import_too_large"


def test_old_workbooks_pdfs_and_other_archives_are_told_apart():
    assert refused(b"\xd0\xcf\x11\xe0" + b"\0" * 600).code == "import_old_workbook"
    assert refused(b"%PDF-1.7 and so on").code == "import_not_a_table"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("content.xml", "<office/>")
    assert refused(content.getvalue()).code == "import_not_a_table"


def with_part(content, name, written):
    """The workbook with one of its parts replaced."""
    new = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in old.namelist():
            with archive.open(part, "w", force_zip64=True) as opened:
                for piece in written if part == name else [old.read(part)]:
                    opened.write(piece)
    return new.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_zip_bomb_is_refused_before_it_unpacks():
    bomb = with_part(xlsx([row()]), SHEET, [b" " * 1024 * 1024] * 401)
    assert len(bomb) < 1024 * 1024
    refusal = refused(bomb)
    assert refusal.code == "import_unpacks_too_large"
    assert "401 MB" in refusal.message


def test_a_bomb_of_one_cell_is_refused_while_it_unpacks():
    letters = [b"<worksheet><sheetData><row><c t='inlineStr'><is><t>", *[b"A" * 1024 * 1024] * 30]
    assert refused(with_part(xlsx([row()]), SHEET, letters)).code == "import_damaged"


def test_a_bomb_of_entities_is_refused():
    doubled = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(9))
    bomb = b'<!DOCTYPE w [<!ENTITY l0 "lol">' + doubled + b"]><worksheet><c><v>&l9;</v></c></worksheet>"
    assert refused(with_part(xlsx([row()]), SHEET, [bomb])).code == "import_damaged"


def test_a_sheet_that_claims_to_be_vast_costs_nothing():
    whole = xlsx([row("104233")])
    sheet = zipfile.ZipFile(io.BytesIO(whole)).read(SHEET)
    vast = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    assert cells_of(with_part(whole, SHEET, [vast])) == ["104233"]


@pytest.mark.parametrize("name", [SHEET, "xl/workbook.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_refused(name):
    assert refused(with_part(xlsx([row()]), name, [b"<worksheet><half"])).code == "import_damaged"
    assert refused(xlsx([row()])[:-900]).code == "import_damaged"


def test_too_many_rows_are_refused():
    lines = b"Serial,Product\n" + b"104233,VOL-VIS\n" * 200_001
    refusal = refused(lines)
    assert refusal.code == "import_too_many_rows"
    assert "200,000" in refusal.message


# What spreadsheets do to cells


def test_a_number_keeps_the_zeros_that_its_format_shows():
    assert cells_of(xlsx([row(4233)], formats={"A2": "000000"})) == ["004233"]


def test_a_figure_that_has_lost_digits_is_told_and_one_that_has_them_is_read():
    content = xlsx([row(104000), row(104233), row(1234567890123450)], formats={"A2": "0.00E+00", "A3": "0.00E+00"})
    assert cells_of(content) == [
        Odd("serial_scientific", "1.04E+05", 104000),
        104233,
        Odd("serial_too_long_a_number", "1234567890123450", 1234567890123450),
    ]


@pytest.mark.parametrize("counts_from_1904", [False, True])
def test_days_are_read_as_the_workbook_counts_them(counts_from_1904):
    content = xlsx([row()], counts_from_1904=counts_from_1904)
    table = read_table(content)
    assert table.counts_from_1904 == counts_from_1904
    assert table.rows[0][1][-1] == date(2026, 3, 31)


def test_the_same_number_is_four_years_and_a_day_later_in_a_workbook_that_counts_from_1904():
    for counts_from_1904, day in ((False, date(2026, 3, 31)), (True, date(2030, 4, 1))):
        content = xlsx([row(sma_ends_on=46112)], counts_from_1904=counts_from_1904, formats={"N2": "yyyy-mm-dd"})
        assert cells_of(content, "SMA to") == [day]


def test_a_formula_gives_the_value_that_was_saved_with_it_and_is_told_where_there_is_none():
    whole = xlsx([row(), row()])
    sheet = zipfile.ZipFile(io.BytesIO(whole)).read(SHEET)
    seats = b'<c r="K2" t="n"><v>1</v></c>'
    assert seats in sheet
    with_value = with_part(whole, SHEET, [sheet.replace(seats, b'<c r="K2"><f>2+3</f><v>5</v></c>')])
    without = with_part(whole, SHEET, [sheet.replace(seats, b'<c r="K2"><f>2+3</f></c>')])
    assert cells_of(with_value, "Seats") == [5, 1]
    assert read_table(with_value).formulas == 1
    assert cells_of(without, "Seats") == [Odd("formula_without_value", ""), 1]


def test_merged_cells_are_told_but_for_the_first_of_them():
    content = xlsx([row("1"), row("2"), row("3")], merged=["C2:C4", "A1:B1"])
    assert cells_of(content, "Customer") == ["Institute of Cells", *[Odd("cell_merged", "C2:C4")] * 2]
    assert cells_of(content) == ["1", "2", "3"]


def test_errors_in_cells_are_told():
    assert cells_of(xlsx([row(seats="#REF!")]), "Seats") == [Odd("cell_error", "#REF!")]

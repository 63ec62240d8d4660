"""The generic layout: the same bytes from the same journal; to a spreadsheet numbers are numbers, texts are texts."""

import shutil
import subprocess
from datetime import timedelta
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from renewals.journal.accounts import AccountMap, MapRow, Named
from renewals.journal.generic import COLUMNS, generic_csv, generic_xlsx
from renewals.journal.postings import Entry
from tests.journal.books import ACCOUNTS, CLOSED_AT, ENTRIES, GERMAN, journal

HEAD = "number,date,account,name of account,debit,credit,currency,text,product,country,segment,month,close revision"


def test_a_small_csv_is_what_was_written_by_hand():
    lines = generic_csv(journal(revision=2)).decode().split("\r\n")
    openlab = "Openlab Measure,DE,commercial,2026-01,2"
    assert lines == [
        f"\ufeff{HEAD}",
        f"41,2026-01-31,1400,Forderungen,1200.00,,EUR,Booked: Openlab Measure,{openlab}",
        f"41,2026-01-31,0990,Rechnungsabgrenzung,,1200.00,EUR,Booked: Openlab Measure,{openlab}",
        f"42,2026-01-31,0990,Rechnungsabgrenzung,300.50,,EUR,Credited: Openlab Measure,{openlab}",
        f"42,2026-01-31,1400,Forderungen,,300.50,EUR,Credited: Openlab Measure,{openlab}",
        f"43,2026-01-31,0990,Rechnungsabgrenzung,101.92,,EUR,Recognised: Openlab Measure,{openlab}",
        f"43,2026-01-31,8400,Erlöse,,101.92,EUR,Recognised: Openlab Measure,{openlab}",
        "45,2026-01-31,8410,Erlöse Volocity,0.07,,CHF,Recognised: Volocity Quantitation,"
        "Volocity Quantitation,CH,academic,2026-01,2",
        "45,2026-01-31,0990,Rechnungsabgrenzung,,0.07,CHF,Recognised: Volocity Quantitation,"
        "Volocity Quantitation,CH,academic,2026-01,2",
        "",
    ]


@pytest.mark.parametrize(("currency", "written"), [("JPY", "1500"), ("KWD", "1.500"), ("EUR", "15.00")])
def test_amounts_have_the_decimals_of_their_currency(currency, written):
    file = generic_csv(journal(Entry(1, "booked", GERMAN, currency, 1500)))
    assert f",{written},,{currency},".encode() in file


def test_a_workbook_made_again_later_has_the_same_bytes():
    """Though openpyxl writes the time into it, and the archive that of each part."""
    first = generic_xlsx(journal(), CLOSED_AT)
    assert generic_xlsx(journal(*ENTRIES[::-1]), CLOSED_AT) == first
    assert generic_xlsx(journal(), CLOSED_AT + timedelta(hours=1)) != first
    with ZipFile(BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2026, 2, 3, 9, 5, 6)}  # in steps of two seconds
        assert archive.read("docProps/core.xml").count(b"2026-02-03T09:05:07Z") == 2


def test_in_the_workbook_debits_are_credits():
    sheet = load_workbook(BytesIO(generic_xlsx(journal(), CLOSED_AT)))["Journal"]
    heads, *rows = sheet.iter_rows(values_only=True)
    assert heads == tuple(column.head for column in COLUMNS)
    found = [dict(zip(heads, row, strict=True)) for row in rows]
    assert len(found) == 8
    for currency, total in (("EUR", 1602.42), ("CHF", 0.07)):
        of_it = [row for row in found if row["currency"] == currency]
        for side in ("debit", "credit"):
            assert round(sum(row[side] or 0 for row in of_it), 2) == total


HOSTILE = [
    '=HYPERLINK("http://a.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "#N/A",
    "\t=1+1",
    'say "a,b"; c',
    "0990",
]
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
UNREAD_MARK = "ï»¿"  # LibreOffice without a window does not look for the byte order mark
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def test_a_spreadsheet_takes_numbers_for_numbers_and_texts_for_texts(tmp_path):
    """A round trip through LibreOffice: no cell of either file is a formula, whatever products are called."""
    entries = [
        Entry(number, "booked", GERMAN._replace(product=Named(number, name)), "EUR", 120_050)
        for number, name in enumerate(HOSTILE, 1)
    ]
    accounts = AccountMap([*ACCOUNTS.rows[:1], MapRow("deferred", "0990", "=cmd|' /C calc'!A0")])
    hostile = journal(*entries, accounts=accounts)
    files = {"of_csv.csv": generic_csv(hostile), "of_xlsx.xlsx": generic_xlsx(hostile, CLOSED_AT)}
    for name, (head, *rows) in opened(tmp_path, files).items():
        assert [text.removeprefix(UNREAD_MARK) for _, text, _ in head] == HEAD.split(",")
        assert len(rows) == 2 * len(HOSTILE)
        assert [cell for row in rows for cell in row if cell[2] is not None] == []  # formulas
        for index, row in enumerate(rows):
            named = dict(zip(HEAD.split(","), row, strict=True))
            assert {named[head][0] for head in ("number", "close revision")} == {"float"}
            assert named["date"][0] == "date"
            side, other = ("debit", "credit") if index % 2 == 0 else ("credit", "debit")
            assert (named[side][0], named[other][0]) == ("float", None)
            product, called = named["product"], HOSTILE[index // 2]
            if (name, called) != ("of_csv.csv", "0990"):  # a CSV can't say that this is a text
                assert product[0] == "string"
            assert {named[head][0] for head in ("name of account", "currency", "text")} == {"string"}
            if name == "of_xlsx.xlsx":
                assert named["account"] == ("string", "1400" if index % 2 == 0 else "0990", None)
                assert product[1] == called


def opened(folder, files):
    """The rows that LibreOffice makes of each file."""
    office = shutil.which("soffice")
    if not office:
        pytest.skip("LibreOffice is not installed: nothing is shown about what a spreadsheet makes of the journal")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "fods"]
    paths = [folder / name for name in files]
    subprocess.run([*command, "--outdir", folder, *paths], check=True, capture_output=True, timeout=120)
    return {path.name: cells_of(ElementTree.parse(path.with_suffix(".fods"))) for path in paths}


def cells_of(document):
    """Of the first sheet every row's cells, as type, text and formula; what is empty has none of them."""
    rows = []
    for row in document.find(f".//{TABLE}table").iter(f"{TABLE}table-row"):
        cells = []
        for cell in row.iter(f"{TABLE}table-cell"):
            text = "\n".join("".join(_letters(part)) for part in cell.iter(f"{TEXT}p"))
            found = cell.get(f"{OFFICE}value-type"), text, cell.get(f"{TABLE}formula")
            cells += [found] * int(cell.get(f"{TABLE}number-columns-repeated", 1))
        while cells and cells[-1][0] is None:
            cells.pop()
        if cells:
            rows.append(cells)
    return rows


def _letters(part):
    """The text of a paragraph, in which a tabulator is an element."""
    yield part.text or ""
    for child in part:
        yield "\t" if child.tag == f"{TEXT}tab" else "".join(_letters(child))
        yield child.tail or ""


def test_no_entries_make_a_file_with_nothing_but_heads():
    nothing = journal(*[entry._replace(amount=0) for entry in ENTRIES])
    assert generic_csv(nothing).decode() == f"\ufeff{HEAD}\r\n"

"""Spreadsheets for tests: a vendor's installed base as XLSX or CSV, with whatever spreadsheets do to it."""

import csv
import io
from datetime import date, timedelta

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HEADS = {
    "serial": "Serial no.",
    "kind": "Kind",
    "customer": "Customer",
    "country": "Country",
    "currency": "Currency",
    "segment": "Segment",
    "tax_status": "Tax status",
    "contact_name": "Contact",
    "contact_email": "E-mail",
    "product": "Product",
    "seats": "Seats",
    "acquired_on": "Purchased",
    "sma_starts_on": "SMA from",
    "sma_ends_on": "SMA to",
}


def row(serial="104233", **cells):
    """A row that has nothing wrong with it."""
    usual = {
        "serial": serial,
        "kind": "Dongle",
        "customer": "Institute of Cells",
        "country": "Germany",
        "currency": "EUR",
        "segment": "academic",
        "tax_status": "standard",
        "contact_name": "Ada Lenz",
        "contact_email": "ada@cells.example",
        "product": "VOL-VIS",
        "seats": 1,
        "acquired_on": date(2020, 1, 1),
        "sma_starts_on": date(2025, 4, 1),
        "sma_ends_on": date(2026, 3, 31),
    }
    assert cells.keys() <= usual.keys() | {"licence", "expiry_on"}
    return {**usual, **cells}


def heads_of(rows):
    further = {"licence": "Licence number", "expiry_on": "Date in dongle"}
    return {**HEADS, **{name: head for name, head in further.items() if any(name in each for each in rows)}}


def xlsx(rows, *, heads=None, above=(), sheet="Dongles", others=(), counts_from_1904=False, formats=None, merged=()):
    """A workbook. `formats` are number formats by cell ("A3"), `merged` ranges, `others` further sheets of lines."""
    rows = list(rows)
    heads = heads or heads_of(rows)
    book = Workbook()
    if counts_from_1904:
        book.epoch = CALENDAR_MAC_1904
    for title, lines in others:
        other = book.create_sheet(title, 0)
        for line in lines:
            other.append(line)
    page = book["Sheet"]
    page.title = sheet
    for line in above:
        page.append(line)
    page.append(list(heads.values()))
    for number, each in enumerate(rows, page.max_row + 1):
        cells = [each.get(name) for name in heads]
        page.append(cells)
        for column, cell in enumerate(cells, 1):
            if isinstance(cell, str) and cell.startswith("="):
                page.cell(number, column).data_type = "s"  # what somebody has typed behind an apostrophe
    for place, code in (formats or {}).items():
        page[place].number_format = code
    for place in merged:
        page.merge_cells(place)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def csv_of(rows, *, heads=None, delimiter=",", encoding="utf-8"):
    """A CSV; dates as 2026-03-31."""
    rows = list(rows)
    heads = heads or heads_of(rows)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(heads.values())
    writer.writerows([["" if each.get(name) is None else each[name] for name in heads] for each in rows])
    return text.getvalue().encode(encoding)


def installed_base(count):
    """So many rows of a vendor's base: dongles with two licences each, ten dongles a customer."""
    for number in range(count):
        dongle, customer = number // 2, number // 20
        yield row(
            str(200_000 + dongle),
            customer=f"Institute {customer}",
            contact_name=f"Person {customer}",
            contact_email=f"person@institute-{customer}.example",
            product=("VOL-VIS", "VOL-QNT")[number % 2],
            acquired_on=date(2012, 1, 1) + timedelta(days=customer % 900),
            sma_ends_on=date(2026, 1, 31) + timedelta(days=dongle % 300),
        )


# Twenty faults of six kinds, as they are found in old workbooks: place among the rows, column, what stands there.
TWENTY_FAULTS = (
    *((place, "serial", place) for place in (11, 210, 305)),  # zeros lost: a number of two or three digits
    *((place, "product", "Volocity Visualization 3D") for place in (42, 43, 44, 45)),
    *((place, "sma_ends_on", "31.02.2026") for place in (77, 350, 612)),
    *((place, "country", "Germny") for place in (90, 91, 92)),
    *((place, "contact_email", "person at institute") for place in (120, 500, 700)),
    *((place, "seats", "five") for place in (13, 250, 640, 801)),
)


def with_twenty_faults(count):
    """The same base with twenty faults of six kinds in it."""
    rows = list(installed_base(count))
    for place, name, value in TWENTY_FAULTS:
        rows[place][name] = value
    return rows

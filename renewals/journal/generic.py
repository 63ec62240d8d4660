"""The generic layout, CSV and XLSX: two rows a line, one with the debit and one with the credit.

The same journal makes the same bytes: an XLSX says when the month was closed, not when the file was made.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from portal.sheets import Amount, Cell, Column, csv_lines, xlsx_of
from portal.wording import write_day
from renewals.journal.postings import Account, Journal, Line

COLUMNS = (
    Column("number", 10),
    Column("date", 12),
    Column("account", 12),
    Column("name of account", 28),
    Column("debit", 16),
    Column("credit", 16),
    Column("currency", 10),
    Column("text", 44),
    Column("product", 32),
    Column("country", 10),
    Column("segment", 14),
    Column("month", 10),
    Column("close revision", 14),
)
SAVED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
OLDEST_IN_ZIP = datetime(1980, 1, 1)  # noqa: DTZ001  # the format has no time zones


def generic_csv(journal: Journal) -> bytes:
    """UTF-8 with a byte order mark, decimal point; a text that could begin a formula has an apostrophe before it."""
    return "".join(csv_lines(COLUMNS, _rows(journal))).encode()


def generic_xlsx(journal: Journal, closed_at: datetime) -> bytes:
    """Accounts are texts, so that leading zeros stay; amounts and days are numbers."""
    notes = [
        f"Journal of {journal.month:%Y-%m}, close {journal.revision},"
        f" closed on {write_day(closed_at.astimezone(UTC).date())} (UTC).",
        "Each number is one entry: a debit and a credit of the same amount.",
        "The text says what the entry is: booked, credited, recognised, or caught up from months closed before.",
    ]
    return _made_at(xlsx_of("Journal", COLUMNS, _rows(journal), notes), closed_at)


def _rows(journal: Journal) -> Iterator[list[Cell]]:
    for line in journal.lines:
        amount = Amount(line.amount, line.currency)
        yield _row(journal, line, line.debited, amount, None)
        yield _row(journal, line, line.credited, None, amount)


def _row(journal: Journal, line: Line, account: Account, debit: Amount | None, credit: Amount | None) -> list[Cell]:
    return [
        line.number,
        line.day,
        account.number,
        account.name,
        debit,
        credit,
        line.currency,
        line.text,
        line.origin.product.name,
        line.origin.country,
        line.origin.segment,
        f"{journal.month:%Y-%m}",
        journal.revision,
    ]


def _made_at(workbook: bytes, at: datetime) -> bytes:
    """The workbook as if it had been saved at that moment: openpyxl knows but the clock."""
    moment = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    saved = rb"\g<1>" + f"{moment.isoformat()}Z".encode()
    content = BytesIO()
    with ZipFile(BytesIO(workbook)) as old, ZipFile(content, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = SAVED.sub(saved, part)
            info = ZipInfo(name, max(moment, OLDEST_IN_ZIP).timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            new.writestr(info, part)
    return content.getvalue()

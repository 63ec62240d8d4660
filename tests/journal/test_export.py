"""Exporting the journal of a close: the same bytes for ever, with the accounts of the first export."""

import hashlib
from io import BytesIO

import pytest
from django.db import DatabaseError, connection, transaction
from openpyxl import load_workbook

from dongles.models import Product
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import AccountMapEntry, DatevDetails, JournalExport, JournalFile
from renewals.overviews.finance.journal import account_map, entries_of, journal_of_close, journals_of
from renewals.services.journal import export_journal
from tests import world
from tests.journal.books import DATEV
from tests.journal.closed import JANUARY, make_accounts, make_close

pytestmark = [pytest.mark.database, pytest.mark.django_db]
FINANCE = {"actor": Actor("Fiona Finance", None, "finance"), "at": world.at("2026-02-04")}


@pytest.fixture
def close(catalogue):
    make_accounts()
    return make_close()


@pytest.fixture
def datev():
    return DatevDetails.objects.create(pk=1, **DATEV._asdict())


def contents(close):
    return {file.name: bytes(file.content) for file in JournalFile.objects.filter(export__close=close)}


def export(close, layout="generic"):
    return export_journal(close=close, layout=layout, **FINANCE)


def test_a_close_is_exported_in_both_layouts(close, datev):
    export(close)
    export(close, "datev")
    found = contents(close)
    assert list(found) == ["journal_2026-01_r1.csv", "journal_2026-01_r1.xlsx", "EXTF_2026-01_r1_EUR_1.csv"]
    assert b"1,2026-01-31,1400,Forderungen,1200.00,,EUR,Booked: " in found["journal_2026-01_r1.csv"]
    assert b'300,50;"H";"EUR";;;"";1400;0990;"";3101;"2";' in found["EXTF_2026-01_r1_EUR_1.csv"]
    rows = list(load_workbook(BytesIO(found["journal_2026-01_r1.xlsx"]))["Journal"].iter_rows(values_only=True))
    assert len(rows) == 1 + 2 * 3
    assert {file.sha256 for file in JournalFile.objects.all()} == {
        hashlib.sha256(content).hexdigest() for content in found.values()
    }
    event = AuditEvent.objects.get(action="export", subject_kind="journalexport", after__layout="DATEV booking batch")
    assert event.after["files"][0].startswith("EXTF_2026-01_r1_EUR_1.csv, SHA-256 ")


def test_exported_again_the_bytes_are_the_same_whatever_has_changed(close, datev):
    first = export(close)
    before = contents(close)
    AccountMapEntry.objects.filter(role="revenue").update(account="9999")
    Product.objects.update(name="=Renamed")
    datev.delete()
    assert export(close) == first
    assert contents(close) == before
    assert JournalExport.objects.count() == 1


def test_another_layout_later_has_the_accounts_of_the_first(close, datev):
    """The map has changed meanwhile; the page says so."""
    export(close)
    AccountMapEntry.objects.filter(role="revenue").update(account="9999")
    assert journals_of(JANUARY)[0].map_has_changed
    export(close, "datev")
    file = contents(close)["EXTF_2026-01_r1_EUR_1.csv"]
    assert b";0990;8400;" in file
    assert b"9999" not in file


def test_a_hole_in_the_map_is_refused_and_nothing_is_written(close):
    AccountMapEntry.objects.filter(role__in=["receivables", "revenue"]).delete()
    with pytest.raises(DomainError) as refused:
        export(close)
    assert refused.value.code == "account_missing"
    assert len(refused.value.data["holes"]) == 2
    (told,) = journals_of(JANUARY)
    assert [hole.role for hole in told.holes] == ["receivables", "revenue"]
    assert not JournalExport.objects.exists()
    assert not AuditEvent.objects.filter(action="export").exists()


def test_datev_asks_for_what_it_needs(close):
    with pytest.raises(DomainError) as refused:
        export(close, "datev")
    assert refused.value.code == "datev_missing"
    DatevDetails.objects.create(pk=1, **DATEV._replace(account_length=6)._asdict())
    with pytest.raises(DomainError) as refused:
        export(close, "datev")
    assert refused.value.code == "account_not_for_datev"
    assert not JournalFile.objects.exists()


def test_who_does_not_keep_the_books_exports_nothing(close):
    with pytest.raises(DomainError) as refused:
        export_journal(close=close, layout="generic", actor=Actor("Sally Sales", None, "sales"), at=FINANCE["at"])
    assert refused.value.code == "not_allowed"
    assert not JournalExport.objects.exists()


def test_each_close_has_what_it_posted_so_that_journals_add_up(close):
    """The second close posts differences: 200.00 more booked, 1.92 less earned."""
    again = make_close(("booked", 20_000), ("recognised", -192), revision=2)
    journals = [journal_of_close(each, entries_of(each), account_map()) for each in (close, again)]
    assert [[line.number for line in journal.lines] for journal in journals] == [[1, 2, 3], [4, 5]]
    earned = sum(
        line.amount * (1 if line.is_debit else -1)
        for journal in journals
        for line in journal.lines
        if line.contra.number == "8400"
    )
    assert earned == 10_192 - 192
    newest, first = journals_of(JANUARY)
    assert (newest.totals, first.totals) == ([("EUR", 20_192, 20_192)], [("EUR", 160_242, 160_242)])


@pytest.mark.parametrize("table", ["renewals_journalexport", "renewals_journalfile"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = 0", "DELETE FROM {}"])
def test_the_database_keeps_what_was_exported(close, table, change):
    export(close)
    with pytest.raises(DatabaseError, match="only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table))
    assert (JournalExport.objects.count(), JournalFile.objects.count()) == (1, 2)


def test_the_database_refuses_a_file_that_is_not_what_its_digest_says(close):
    exported = export(close)
    with pytest.raises(DatabaseError, match="digest"), transaction.atomic():
        JournalFile.objects.create(export=exported, name="other.csv", content=b"other", sha256="0" * 64)
    assert JournalFile.objects.count() == 2


def test_a_close_without_entries_makes_files_without_lines(catalogue):
    """A close that changed nothing: no account is asked for."""
    close = make_close(("booked", 0))
    DatevDetails.objects.create(pk=1, **DATEV._asdict())
    export(close)
    export(close, "datev")
    assert list(contents(close)) == ["journal_2026-01_r1.csv", "journal_2026-01_r1.xlsx"]

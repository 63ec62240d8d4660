"""Exporting the journal of a close: its files are made once, and kept to the byte with the accounts that they have."""

import hashlib
from datetime import datetime

from django.db import transaction

from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from renewals.journal.datev import DatevSettings, datev_files
from renewals.journal.generic import generic_csv, generic_xlsx
from renewals.journal.postings import File, Journal
from renewals.models import JournalExport, JournalFile, MonthClose
from renewals.overviews.finance.journal import (
    account_map,
    datev_details,
    entries_of,
    frozen_map,
    journal_of_close,
)

Layout = JournalExport.Layout


@transaction.atomic
def export_journal(*, close: MonthClose, layout: str, actor: Actor, at: datetime) -> JournalExport:
    """Make the files of a close's journal in a layout; exported before, they stay as they are.

    All layouts of a close have the accounts with which it was first exported, whatever the map says since: what one
    program took in and what another did can't differ. One exports at a time, under the lock of the close.

    Refuses `not_allowed`, `account_missing`, and for DATEV `datev_missing` and what `datev_files` refuses.
    """
    check_ability(actor, "settle")
    close = MonthClose.objects.select_for_update(no_key=True).get(pk=close.pk)
    exports = {each.layout: each for each in close.journals.all()}
    if layout in exports:
        return exports[layout]
    accounts = frozen_map(exports.values()) or account_map()
    settings = _datev_settings() if layout == Layout.DATEV else None
    files = _files(journal_of_close(close, entries_of(close), accounts), settings, close.closed_at)
    export = JournalExport.objects.create(
        close=close,
        layout=layout,
        accounts=accounts.as_json(),
        datev=settings._asdict() if settings else None,
        exported_by_id=actor.user_id,
        exported_at=at,
    )
    rows = JournalFile.objects.bulk_create(
        JournalFile(export=export, name=name, content=content, sha256=hashlib.sha256(content).hexdigest())
        for name, content in files
    )
    told = {"layout": export.get_layout_display(), "files": [f"{row.name}, SHA-256 {row.sha256}" for row in rows]}
    audit.record(actor, at, Deed("export", export, after=told))
    return export


def _datev_settings() -> DatevSettings:
    details = datev_details()
    if details is None:
        raise DomainError(
            "datev_missing", "DATEV asks for a consultant and a client: enter them beside the account map first.", {}
        )
    return details.settings


def _files(journal: Journal, settings: DatevSettings | None, closed_at: datetime) -> list[File]:
    if settings:
        return datev_files(journal, settings, closed_at)
    name = f"journal_{journal.month:%Y-%m}_r{journal.revision}"
    return [
        File(f"{name}.csv", generic_csv(journal)),
        File(f"{name}.xlsx", generic_xlsx(journal, closed_at)),
    ]

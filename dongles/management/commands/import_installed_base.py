"""manage.py import_installed_base: the import on the command line, by the same code as on the pages."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dongles.installed_base import heads, returned, services
from dongles.installed_base.fields import BY_NAME
from dongles.installed_base.outcome import Outcome, told_outcome
from dongles.installed_base.rows import Choices
from dongles.installed_base.sheets import MOST_BYTES, Table
from portal.audit import Actor
from portal.errors import DomainError
from portal.wording import count

BY = Actor("manage.py import_installed_base")
SHOWN_ROWS = 10


class Command(BaseCommand):
    help = (
        "Import customers, contacts, dongles, licences and SMA dates from a CSV or XLSX. All or nothing: with faults it"
        " prints them by cause, writes them into a copy of the workbook if asked to, and ends with status 1. --mapping"
        ' names a JSON file like {"columns": {"serial": "Dongle no.", "product": "Module"}, "country": "DE",'
        ' "currency": "EUR", "order": "day"}; without it columns are those chosen last for such a file, or guessed.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check it and write nothing")
        parser.add_argument("--mapping", type=argparse.FileType(encoding="utf-8"), metavar="FILE")
        parser.add_argument("--faults", type=Path, metavar="XLSX", help="where to write the workbook with its faults")

    def handle(self, *args: Any, file: Path, dry_run: bool, mapping: Any, faults: Path | None, **options: Any) -> None:
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{file} can’t be read: {error.strerror}.") from None
        at = timezone.now()
        try:
            imported = services.keep_file(name=file.name, content=content, actor=BY, at=at)
            table = services.preview_of(imported)
            choices = services.suggested_choices(imported, table)
            if mapping:
                choices = mapped(json.load(mapping), table, choices)
            services.choose_columns(imported=imported, sheet=table.sheet, choices=choices, actor=BY, at=at)
            outcome = services.carry_out(imported=imported, is_check=dry_run, actor=BY, at=at)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self._tell(outcome, dry_run)
        if outcome.faults:
            if faults:
                faults.write_bytes(returned.workbook_with_faults(outcome.table, choices.columns, outcome.faults))
                self.stdout.write(f"{faults} says beside each row what to mend.")
            raise SystemExit(1)

    def _tell(self, outcome: Outcome, is_check: bool) -> None:
        told = told_outcome(outcome)
        for group in told["groups"]:
            rows = ", ".join(map(str, group["rows"][:SHOWN_ROWS])) + (" …" if group["count"] > SHOWN_ROWS else "")
            self.stdout.write(f"{group['title']} ({group['code']}), row {rows}\n  {group['remedy']}")
            for sentence in group["sentences"]:
                self.stdout.write(f"  - {sentence}")
        for notice in told["notices"]:
            self.stdout.write(" ".join([notice["sentence"], ", ".join(notice.get("serials", ()))]).rstrip())
        made = ", ".join(count(number, name) for name, number in named(told["made"]).items() if number)
        if outcome.faults:
            self.stdout.write(f"{count(len(outcome.faults), 'fault')} in {told['rows']:,} rows: nothing was written.")
        elif not made:
            self.stdout.write(f"{told['rows']:,} rows, nothing new.")
        else:
            self.stdout.write(f"{told['rows']:,} rows: {made} {'would be' if is_check else 'were'} made.")


def named(made: dict[str, int]) -> dict[str, int]:
    """The counts by words for one."""
    nouns = ("customer", "contact", "dongle", "dongle on record", "licence", "period")
    return dict(zip(nouns, made.values(), strict=True))


def mapped(given: dict[str, Any], table: Table, suggested: Choices) -> Choices:
    """The choices of a mapping's file: columns by their heads, the rest as the page has it."""
    if unknown := [*given.keys() - {*Choices._fields}, *given.get("columns", {}).keys() - BY_NAME.keys()]:
        raise CommandError(f"The mapping names what there is not: {', '.join(sorted(unknown))}.")
    places = {heads.fold_head(head): index for index, head in enumerate(table.heads)}
    if absent := [head for head in given.get("columns", {}).values() if heads.fold_head(head) not in places]:
        raise CommandError(f"The table has no column {', '.join(absent)}; it has {', '.join(table.heads)}.")
    columns = {name: places[heads.fold_head(head)] for name, head in given.get("columns", {}).items()}
    return suggested._replace(**{**given, "columns": columns or suggested.columns})

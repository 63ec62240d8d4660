"""manage.py files: compares the store of files with the database, and cleans it if asked to."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from portal.wording import count
from renewals.services.files import check_store, remove_orphans


class Command(BaseCommand):
    help = (
        "Read every purchase order in the store of files and compare it with its row; ends with status 1 where one is"
        " gone or has changed. Files that no row names (left by a transaction that failed, a day ago or longer) are"
        " listed; --clean removes them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clean", action="store_true", help="remove the files that no row names")

    def handle(self, *args: Any, clean: bool, **options: Any) -> None:
        report = remove_orphans(timezone.now()) if clean else check_store(timezone.now())
        for path in report.orphans:
            self.stdout.write(f"{'removed' if path in report.removed else 'no row names'} {path}")
        for path in report.damaged:
            self.stdout.write(f"gone or changed: {path}")
        self.stdout.write(
            f"{count(len(report.orphans), 'file')} without a row, {count(len(report.damaged), 'file')} gone or changed."
        )
        if report.damaged:
            raise SystemExit(1)

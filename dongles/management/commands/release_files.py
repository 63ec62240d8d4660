"""manage.py release_files: compares the files of releases with their rows, and takes one off a draft if asked to."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dongles import shelf
from dongles.downloads import remove_release_file
from dongles.models import ReleaseFile
from portal.audit import Actor
from portal.errors import DomainError
from portal.wording import count

BY = Actor("manage.py release_files")


class Command(BaseCommand):
    help = (
        "Read every file of a release and compare it with its row; ends with status 1 where one is gone or has changed."
        " --remove PATH takes the file off its release, which has to be a draft."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", metavar="PATH", help="take this file off its release first")

    def handle(self, *args: Any, remove: str | None, **options: Any) -> None:
        files = ReleaseFile.objects.order_by("path")
        if remove:
            found = files.filter(path=remove).first()
            if found is None:
                raise CommandError(f"No release has a file {remove}.")
            try:
                remove_release_file(file=found, actor=BY, at=timezone.now())
            except DomainError as refusal:
                raise CommandError(str(refusal)) from None
            self.stdout.write(f"{remove} is off its release.")
        faults = [(file, fault) for file in files if (fault := shelf.fault_of(file) or _changed(file))]
        for file, fault in faults:
            self.stdout.write(f"{file.path}: {fault}")
        self.stdout.write(f"{count(len(files), 'file')}, {len(faults)} not as they should be.")
        if faults:
            raise SystemExit(1)


def _changed(file: ReleaseFile) -> str:
    return "" if shelf.sha256_of(shelf.place_of(file)) == file.sha256 else "its content has changed"

"""manage.py add_release_file: take in the file of a release for a platform."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from dongles.downloads import add_release_file
from dongles.models import Release
from portal.audit import Actor
from portal.errors import DomainError

BY = Actor("manage.py add_release_file")


class Command(BaseCommand):
    help = (
        "Copy the file of a release for a platform to the folder of downloads, with size and SHA-256. The release is"
        ' named as “Volocity 7.0”, family and version. Example: add_release_file "Volocity 7.0" Windows setup.exe'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("release", help="family and version, as “Volocity 7.0”")
        parser.add_argument("platform", help="as customers read it: Windows, macOS …")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, release: str, platform: str, file: Path, **options: Any) -> None:
        family, _, version = release.strip().rpartition(" ")
        found = Release.objects.filter(family__name__iexact=family.strip(), version__iexact=version).first()
        if found is None:
            raise CommandError(f"There is no release {release}: name family and version, as “Volocity 7.0”.")
        try:
            with file.open("rb") as content:
                added = add_release_file(
                    release=found, platform=platform, name=file.name, content=content, actor=BY, at=timezone.now()
                )
        except OSError as error:
            raise CommandError(f"{error.filename or file} can’t be read or written: {error.strerror}.") from None
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        size = filesizeformat(added.size).replace("\xa0", " ")
        self.stdout.write(f"{added.path}: {size}, SHA-256 {added.sha256}")
        if not found.is_published:
            self.stdout.write(f"{found} is a draft: customers see it once it is published.")

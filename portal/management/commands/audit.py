"""manage.py audit: verify the chain over the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.audit_chain import FIRST, chain_findings, newest_link
from portal.models import UnsealedEvent
from portal.wording import count

MOST_SHOWN = 50


class Command(BaseCommand):
    help = "Verify the audit trail: whether an event was altered, removed or slipped in since it was sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect", default="", metavar="HASH", help="a hash noted earlier: the chain must still hold it"
        )

    def handle(self, *, expect: str, **options: Any) -> None:
        newest, waiting = newest_link(), UnsealedEvent.objects.count()
        found = 0
        for finding in chain_findings(at=timezone.now(), expect=expect.strip().lower()):
            found += 1
            if found <= MOST_SHOWN:
                self.stdout.write(finding.sentence)
        if found > MOST_SHOWN:
            self.stdout.write(f"… and {found - MOST_SHOWN:,} more.")
        sealed = newest.position if newest else 0
        self.stdout.write(f"{sealed:,} sealed, {waiting:,} waiting to be. Newest hash, to be noted elsewhere:")
        self.stdout.write(newest.hash if newest else FIRST)
        if found:
            raise CommandError(f"The audit trail is damaged: {count(found, 'finding')}.")
        self.stdout.write("The audit trail is whole.")

"""manage.py close_month: the checklist of a month, and its close."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.audit import Actor
from portal.errors import DomainError
from portal.wording import count, write_month
from renewals.management.arguments import Refused, read_month_argument
from renewals.management.months import write_totals
from renewals.overviews.finance.closing import Checklist, read_checklist
from renewals.overviews.finance.months import totals_of_close
from renewals.services.closing import close_month

MARKS = {"passed": "ok", "blocking": "NOT SO", "warning": "mind"}


class Command(BaseCommand):
    help = "Close a month of the ledger (F1). With --dry-run say what stands in the way and what it would be closed as."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", help="the month, like 2026-02")
        parser.add_argument("--dry-run", action="store_true", help="only look; status 1 where it can't be closed")

    def handle(self, *, month: str, dry_run: bool, **options: Any) -> None:
        now, asked = timezone.now(), read_month_argument(month)
        try:
            if dry_run:
                self.show(read_checklist(asked, timezone.localdate(now)))
                return
            close = close_month(month=asked, actor=Actor("Command line"), at=now)
        except DomainError as refusal:
            raise Refused(refusal) from None
        self.stdout.write(
            f"{write_month(asked)} is closed (revision {close.revision}): {count(close.segments, 'segment')}, digest"
            f" {close.sha256}"
        )
        write_totals(self.stdout, totals_of_close(close))

    def show(self, checklist: Checklist) -> None:
        for item in checklist.items:
            self.stdout.write(f"{MARKS[item.state]:>6}  {item.sentence}")
            for found in item.findings:
                self.stdout.write(f"        {found.text}")
            if item.more:
                self.stdout.write(f"        … and {item.more:,} more")
        write_totals(self.stdout, checklist.month.totals)
        if checklist.blocking:
            raise CommandError(f"{write_month(checklist.month.month)} can’t be closed yet.")

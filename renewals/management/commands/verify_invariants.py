"""manage.py verify_invariants: whether what must always be true of the records is."""

from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.wording import count
from renewals.invariants import INVARIANTS, Invariant, one_snapshot


class Command(BaseCommand):
    help = (
        "Verify what must always be true: "
        + " ".join(f"{each.name} – {each.sentence}" for each in INVARIANTS)
        + " Prints what is not, a finding a line, and ends with status 1 then. It only reads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", action="append", choices=[each.name for each in INVARIANTS], help="verify this one, or several"
        )
        parser.add_argument(
            "--limit", type=int, default=50, metavar="N", help="print N findings of each at most (50); all are counted"
        )

    def handle(self, *, only: list[str] | None, limit: int, **options: Any) -> None:
        if limit < 0:
            raise CommandError("--limit takes a number from 0 on.", returncode=2)
        with one_snapshot():
            found = sum(self.verify(each, limit) for each in INVARIANTS if not only or each.name in only)
        if found:
            raise CommandError(f"The records contradict each other: {count(found, 'finding')}.")

    def verify(self, invariant: Invariant, limit: int) -> int:
        """Print what is found, and how much was looked at; the number of findings."""
        began, checked, found = monotonic(), 0, 0
        for batch in invariant.check(timezone.now()):
            checked += batch.checked
            for finding in batch.findings:
                found += 1
                if found <= limit:
                    self.stdout.write(f"{invariant.name}: {finding}")
        if found > limit:
            self.stdout.write(f"{invariant.name}: … and {found - limit:,} more")
        noun = invariant.noun if checked == 1 else f"{invariant.noun}s"
        self.stdout.write(
            f"{invariant.name}: {checked:,} {noun} checked, {count(found, 'finding')} ({monotonic() - began:.1f} s)"
        )
        return found

"""manage.py prove_month: a closed month derived again from its segments alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.wording import count, write_month
from renewals.management.arguments import read_month_argument
from renewals.management.months import write_totals
from renewals.overviews.finance.months import close_of, prove_close


class Command(BaseCommand):
    help = (
        "Derive a closed month again from its revenue segments alone, and compare count, totals and digest. Prints what"
        " differs and ends with status 1 then. It only reads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", help="the month, like 2026-02")
        parser.add_argument("--revision", type=int, help="this close of it, not the newest")

    def handle(self, *, month: str, revision: int | None, **options: Any) -> None:
        asked = read_month_argument(month)
        close = close_of(asked, revision)
        if close is None:
            raise CommandError(f"{write_month(asked)} has no such close.")
        proof = prove_close(close)
        self.stdout.write(
            f"{write_month(asked)}, revision {close.revision}: {count(proof.segments, 'segment')},"
            f" digest {proof.sha256}"
        )
        write_totals(self.stdout, proof.totals)
        for finding in proof.differences:
            self.stdout.write(str(finding))
        if not proof.is_equal:
            raise CommandError(f"{write_month(asked)} is not what it was closed as.")
        self.stdout.write("Proven: it is what it was closed as.")

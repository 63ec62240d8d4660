"""manage.py remind: posts the reminders of a day, or says which they are."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from portal.errors import DomainError
from portal.wording import count, write_day
from renewals.endings import DueMailing, customers_after, mailings_due
from renewals.management.arguments import MalformedArgument, Refused, read_day
from renewals.notices import write_end
from renewals.reminding import stage_in_words
from renewals.services.reminders import BATCH, REMINDERS, post_reminders


class Command(BaseCommand):
    help = (
        "Post the reminders of SMAs that are due today: 90, 60, 30 and 7 days before the end, 1 and 30 days after."
        " Run again it posts nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say who would be reminded of what")
        parser.add_argument("--on", metavar="DATE", help="with --dry-run: as of that day, like 2026-08-24")

    def handle(self, *args: Any, dry_run: bool, on: str | None, **options: Any) -> None:
        if dry_run:
            self.tell(read_day(on, "--on") if on else timezone.localdate())
            return
        if on:
            raise MalformedArgument("only_dry_run", "Reminders go out as of today; --on takes --dry-run beside it.")
        try:
            posted = post_reminders(actor=REMINDERS, at=timezone.now())
        except DomainError as refusal:
            raise Refused(refusal) from None
        self.stdout.write(posted.in_words())

    def tell(self, on: date) -> None:
        """Who would be reminded of what on a day."""
        last, customers, dongles = 0, 0, 0
        while batch := dict(customers_after(last, BATCH).values_list("pk", "name")):
            last = max(batch)
            for mailing in mailings_due(on, batch):
                customers, dongles = customers + 1, dongles + len(mailing.reminders)
                self.tell_mailing(mailing, batch[mailing.customer_id], on)
        self.stdout.write(
            f"On {write_day(on)} {count(customers, 'customer')} would be reminded of {count(dongles, 'dongle')}."
            " Nothing was written."
        )

    def tell_mailing(self, mailing: DueMailing, name: str, on: date) -> None:
        addresses = ", ".join(contact.email for contact in mailing.contacts) or "nobody to write to"
        self.stdout.write(f"{name}: {addresses}")
        for each in mailing.reminders:
            ends_on = each.ending.ends_on
            self.stdout.write(
                f"  {each.ending.serial}  {write_end(ends_on, on)}, {write_day(ends_on)} ({stage_in_words(each.stage)})"
            )

"""manage.py campaign: a renewal campaign in the foreground, with its progress."""

import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal import outbox
from portal.audit import Actor
from portal.errors import DomainError
from portal.jobs import SLICE
from portal.models import OutboxMessage
from portal.wording import count, write_money
from renewals.management.arguments import Refused, read_day
from renewals.models import Campaign
from renewals.overviews.campaigns import campaign_overview
from renewals.overviews.due import Window, due_figures, first_due_on
from renewals.services import campaigns

SECONDS_BETWEEN_LOOKS = 0.5


class Command(BaseCommand):
    help = (
        "Draft a quote for each customer with dongles whose SMA ends within these days and that no quote asks for."
        " Stopped with Ctrl-C it goes on where the outbox is worked off, or on its page."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="starts_on", metavar="DATE", help="the first day; today unless named")
        parser.add_argument("--to", dest="ends_on", metavar="DATE", help="the last day; in 90 days unless named")
        parser.add_argument("--years", type=int, default=1, metavar="N", help="renew for N years")
        parser.add_argument("--lapsed", action="store_true", help="those that lapsed within these days too")
        parser.add_argument("--dry-run", action="store_true", help="say what would be drafted, and draft nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        today = timezone.localdate()
        try:
            window = Window(
                read_day(options["starts_on"], "--from") if options["starts_on"] else first_due_on(today),
                read_day(options["ends_on"], "--to") if options["ends_on"] else today + timedelta(days=90),
                options["lapsed"],
            )
            campaigns.check_terms(window, options["years"], today)
            if options["dry_run"]:
                self._tell_due(window)
                return
            campaign = campaigns.start_campaign(
                window=window, renew_years=options["years"], actor=Actor("manage.py campaign"), at=timezone.now()
            )
        except DomainError as refusal:
            raise Refused(refusal) from None
        self._work_off(campaign)
        self._tell(campaign)

    def _tell_due(self, window: Window) -> None:
        for each in due_figures(window, timezone.localdate()):
            self.stdout.write(
                f"{each.currency}: {count(each.to_quote, 'dongle')} of {count(each.customers, 'customer')} would be"
                f" quoted, {write_money(each.value, each.currency)} for a year; {each.have_quote} have a quote already."
            )

    def _work_off(self, campaign: Campaign) -> None:
        """Do slice after slice; another process may do some of them as well."""
        job = campaign.job
        while job.is_open:
            messages = OutboxMessage.objects.filter(kind=SLICE, payload__contains={"job": job.pk}, done_at__isnull=True)
            if not any(outbox.deliver(message.pk) for message in messages):
                time.sleep(SECONDS_BETWEEN_LOOKS)
            job.refresh_from_db()
            if sys.stderr.isatty():
                self.stderr.write(f"\r{job.done:,} of {job.total or 0:,} dongles", ending="")
        if sys.stderr.isatty():
            self.stderr.write("")

    def _tell(self, campaign: Campaign) -> None:
        overview = campaign_overview(campaign)
        came = overview.came
        campaign.refresh_from_db()
        self.stdout.write(
            f"Campaign {campaign.number}: {count(came.quotes, 'quote')} for {count(came.drafted, 'dongle')},"
            f" {came.left_out} left out, {campaign.had_quote} had a quote already."
        )
        for total in overview.totals:
            comes_to = write_money(total.total, total.currency)
            self.stdout.write(f"  {count(total.quotes, 'quote')} in {total.currency}: {comes_to} with tax")
        for cause in overview.causes:
            self.stdout.write(f"  {count(cause.dongles, 'dongle')} left out ({cause.code}): {cause.help}")

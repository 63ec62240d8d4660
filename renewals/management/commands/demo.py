"""manage.py demo: fill an empty database with the demo's data."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal import outbox
from portal.errors import DomainError
from portal.management.commands.serve import require_tables
from portal.wording import write_day
from renewals import demo
from renewals.demo import build, history
from renewals.management.arguments import Refused, read_day


class Command(BaseCommand):
    help = (
        "Write demo data into an empty database: invented customers, and dongles in every situation of the rulebook."
        " Where the demo is already, nothing is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dongles", type=int, default=build.DEFAULT_DONGLES, metavar="N", help="how many dongles")
        parser.add_argument(
            "--history", type=int, default=history.MONTHS, metavar="MONTHS", help="how long it has been sold to before"
        )
        parser.add_argument("--on", metavar="DATE", help="build it as of this day, not today")
        parser.add_argument("--fresh", action="store_true", help="refuse where any data is there, the demo's included")
        parser.add_argument("--list", action="store_true", help="list the serials to know, and what to try with them")

    def handle(self, **options: Any) -> None:
        require_tables()
        if options["list"]:
            self._list()
            return
        on = read_day(options["on"], "--on") if options["on"] else timezone.localdate()
        started = time.monotonic()
        try:
            build.check_not_production()
            if build.is_there() and not options["fresh"]:
                self.stdout.write("The demo is there already; nothing was changed. (manage.py demo --list)")
                return
            build.build_demo(
                on=on,
                dongles=options["dongles"],
                months=options["history"],
                tell=self._tell_written(options["dongles"]),
            )
        except DomainError as refusal:
            raise Refused(refusal) from None
        outbox.drain()
        self.stdout.write(
            f"Demo of {write_day(on)}: {options['dongles']:,} dongles in {time.monotonic() - started:.1f} s."
            " (manage.py demo --list)"
        )

    def _tell_written(self, dongles: int) -> Any:
        def tell(written: int) -> None:
            if dongles > build.BATCH:
                self.stdout.write(f"  {written:,} of {dongles:,} dongles", ending="\n" if written == dongles else "\r")
                self.stdout.flush()

        return tell

    def _list(self) -> None:
        known = demo.situations()
        width = max(len(each.title) for each in known)
        self.stdout.write(f"{'Serial':<8}{'Situation':<{width + 2}}What to try")
        for each in known:
            self.stdout.write(f"{each.serial:<8}{each.title:<{width + 2}}{each.suggestion}")
        self.stdout.write("\nLog in with the password " + demo.DEMO_PASSWORD + " as")
        for login in demo.logins():
            self.stdout.write(f"  {login.email:<24}{login.role}")
        self.stdout.write("and the code that the second step shows.")
        if customer := demo.customers_login():
            self.stdout.write(f"At /my/ log in as a customer, {customer}, with the code that the page shows.")
            self.stdout.write(f"{demo.login_of_two()} is on file at two organisations and switches between them.")

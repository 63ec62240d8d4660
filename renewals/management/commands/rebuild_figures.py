"""manage.py rebuild_figures: the sums that reports read, thrown away and worked out anew from what was sold."""

from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand

from renewals.services.conceded import note_all_facts
from renewals.services.renewal_figures import rebuild_renewal_figures
from renewals.services.summaries import rebuild_summaries

FIGURES = (
    ("revenue segments added up", rebuild_summaries),
    ("dongles with their renewals", rebuild_renewal_figures),
    ("facts of what was given away and what lapses cost", note_all_facts),
)


class Command(BaseCommand):
    help = (
        "Work out anew what reports read: the sums of revenue, the figures of renewals, what was given away. What was"
        " sold stays as it is, closed months too. Orders are fulfilled meanwhile, but for the last of the three."
    )

    def handle(self, **options: Any) -> None:
        for noun, rebuild in FIGURES:
            began = monotonic()
            self.stdout.write(f"{rebuild():,} {noun} ({monotonic() - began:.1f} s)")

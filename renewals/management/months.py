"""How the commands on months write totals."""

from collections.abc import Mapping

from django.core.management.base import OutputWrapper

from portal.wording import write_figure
from renewals.digests import FLOWS, InMonth

IN_ORDER = ("opening", *FLOWS, "closing", "current")


def write_totals(out: OutputWrapper, totals: Mapping[str, InMonth]) -> None:
    """A line for each currency and amount."""
    for currency, total in totals.items():
        for name in IN_ORDER:
            out.write(f"{currency} {name.replace('_', ' '):<10} {write_figure(getattr(total, name), currency):>20}")

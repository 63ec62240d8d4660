"""How the commands on months write totals."""

from collections.abc import Mapping

from django.core.management.base import OutputWrapper

from portal.wording import write_figure
from renewals.digests import InMonth


def write_totals(out: OutputWrapper, totals: Mapping[str, InMonth]) -> None:
    """A line for each currency and amount."""
    for currency, total in totals.items():
        for name, amount in total._asdict().items():
            out.write(f"{currency} {name.replace('_', ' '):<10} {write_figure(amount, currency):>20}")

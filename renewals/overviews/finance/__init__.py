"""The reports on money (F5), in the order in which they are offered. A new one is a module here and a line below."""

from renewals.overviews.finance import (
    concessions,
    forecast,
    overview,
    recognised,
    renewals,
    roll_forward,
    upgrades,
    waterfall,
)
from renewals.overviews.finance.reports import ReportKind

KINDS = (
    overview.KIND,
    recognised.KIND,
    roll_forward.KIND,
    waterfall.KIND,
    forecast.KIND,
    renewals.KIND,
    upgrades.KIND,
    concessions.KIND,
)
REPORTS: dict[str, ReportKind] = {kind.key: kind for kind in KINDS}

__all__ = ["REPORTS"]

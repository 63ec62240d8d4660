"""The reports on money (F5), in the order in which they are offered. A new one is a module here and a line below."""

from renewals.overviews.finance import concessions, recognised, renewals, roll_forward, upgrades, waterfall
from renewals.overviews.finance.reports import ReportKind

REPORTS: dict[str, ReportKind] = {
    kind.key: kind for kind in (recognised.KIND, roll_forward.KIND, waterfall.KIND, renewals.KIND)
}
REPORTS: dict[str, ReportKind] = {kind.key: kind for kind in (roll_forward.KIND, concessions.KIND, upgrades.KIND)}

__all__ = ["REPORTS"]

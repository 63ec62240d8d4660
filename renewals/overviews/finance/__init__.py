"""The reports on money (F5), in the order in which they are offered. A new one is a module here and a line below."""

from renewals.overviews.finance import roll_forward
from renewals.overviews.finance.reports import ReportKind

REPORTS: dict[str, ReportKind] = {kind.key: kind for kind in (roll_forward.KIND,)}

__all__ = ["REPORTS"]

"""Q7: how far a code may move a dongle's date while a purchase order is under way. Pure."""

from datetime import date, timedelta


def bridge_limit(paid_through: date, covered_through: date, bridge_days: int) -> date:
    """Q7: the last day that a bridging code may state: `bridge_days` after E, but not beyond T of what is ordered."""
    return min(paid_through + timedelta(days=bridge_days), covered_through)

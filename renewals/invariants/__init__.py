"""What is always true of the portal's records, and finding where it is not: `manage.py verify_invariants`, every night.

A check goes through its rows in batches, with a fixed number of queries each and in flat memory, and says of each batch
how many it looked at and what it found. A new invariant is a module beside these and a line in INVARIANTS.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from renewals.invariants import audit, closes, codes, dates, facts, ledger, periods, renewal_figures, revenue
from renewals.invariants.findings import Batch
from renewals.invariants.snapshot import one_snapshot


class Invariant(NamedTuple):
    """A name to ask for, what has to be true, what is counted (a noun), and the check as of a moment."""

    name: str
    sentence: str
    noun: str
    check: Callable[[datetime], Iterator[Batch]]


INVARIANTS = (
    Invariant("revenue", "Recognised and deferred revenue are what was sold, line by line.", "line", revenue.check),
    Invariant("ledger", "The sums that reports read are what the segments come to.", "sum", ledger.check),
    Invariant("closes", "Closed months are what their segments make them, digest and entries.", "close", closes.check),
    Invariant("periods", "SMA periods are those that the order lines bought.", "line", periods.check),
    Invariant("codes", "Every fulfilled order has its unlock codes, every code its cause.", "code", codes.check),
    Invariant("dates", "No dongle's date is beyond its least covered licence (C3).", "dongle", dates.check),
    Invariant(
        "renewals",
        "The figures of renewals are what the rule says of dongles and customers.",
        "dongle",
        renewal_figures.check,
    ),
    Invariant("facts", "What was given away and what lapses cost is what the order lines say.", "order", facts.check),
    Invariant("audit", "The chain over the audit trail is unbroken.", "event", audit.check),
)

__all__ = ["INVARIANTS", "Batch", "Invariant", "one_snapshot"]

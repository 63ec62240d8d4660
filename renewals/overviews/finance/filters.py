"""What a report is asked for."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from renewals.calendar import following

REPORTING = "reporting"  # as a currency: everything converted into the reporting currency
MOST_MONTHS = 60  # that a report spans


class ReportFilters(NamedTuple):
    """What of the ledger is asked for: months by their first day, both included; what is empty filters nothing.

    `family`, `product` and `customer` are ids, `segment` is the customer's as of the sale; without a `currency` each
    has a section of its own.
    """

    first_month: date
    last_month: date
    family: int | None = None
    product: int | None = None
    customer: int | None = None
    country: str = ""
    segment: str = ""
    currency: str = ""

    def months(self) -> Iterator[date]:
        """The months asked for, in order."""
        month = self.first_month
        while month <= self.last_month:
            yield month
            month = following(month)

    def query(self, **others: object) -> str:
        """These filters as they stand in an address, with others put in their place; empty ones are left out."""
        said = {**self._asdict(), **others}
        written = {name: f"{value:%Y-%m}" if isinstance(value, date) else value for name, value in said.items()}
        return urlencode({name: value for name, value in written.items() if value not in ("", None)})

"""Segments for tests of reports: booked as sales and cancellations book them, on a line that costs nothing itself."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from dongles.models import Product
from portal.models import Customer
from renewals.models import AccountingMonth, OrderLine, RevenueSegment
from renewals.recognition import Segment, concession, take_back, take_back_whole
from renewals.services import ledger
from renewals.services.summaries import summarise_all
from tests import world


class Sold(NamedTuple):
    """A sale: minor units earned from a day to another, booked on a day."""

    amount: int
    starts_on: date
    ends_on: date
    booked_on: date
    product: str = "VOL-VIS"
    country: str = "DE"
    segment: str = "commercial"
    currency: str = "EUR"
    at_once: bool = False


class Books:
    """A ledger to book into."""

    def __init__(self):
        world.make_catalogue(discount_limits={"system": "1"})
        free = world.sell(world.make_dongle(), "2024-01-01", discount=Decimal(1), discount_reason="For the books.")
        self.line = OrderLine.objects.filter(order=free).first()
        self.customer = free.customer
        self.products = {each.code: each for each in Product.objects.all()}
        assert not RevenueSegment.objects.exists()

    def sell(self, sold: Sold, customer: Customer | None = None) -> RevenueSegment:
        made = (
            Segment.at_once(sold.amount, sold.starts_on)
            if sold.at_once
            else Segment.daily(sold.amount, sold.starts_on, sold.ends_on)
        )
        kind = "upgrade" if sold.at_once else "sma_year"
        dimensions = ledger.Dimensions((customer or self.customer).pk, sold.country, sold.segment, sold.currency)
        entry = ledger.Entry(self.line, kind, self.products[sold.product].pk, made)
        at = world.at(sold.booked_on)
        return ledger.book_sale([entry], dimensions, on=sold.booked_on, at=at)[0]

    def cancel(self, row: RevenueSegment, from_on: date, on: date | None = None) -> None:
        self._reverse(row, take_back(row.segment, from_on), "cancellation", from_on, on or from_on)

    def annul(self, row: RevenueSegment, on: date) -> None:
        self._reverse(row, take_back_whole(row.segment), "annulment", row.booked_month, on)

    def concede(self, row: RevenueSegment, credit: int, on: date) -> None:
        self._reverse(row, concession(row.segment, credit), "concession", on, on)

    def close_through(self, month: date) -> None:
        """Months up to this one are closed: what comes later is booked after it."""
        AccountingMonth.objects.update_or_create(month=month, defaults={"is_closed": True})

    def summarise(self) -> None:
        summarise_all()

    def _reverse(self, row, segment, reason, from_on, on):
        if segment is not None:
            ledger.book_reversal([(row, segment)], reason=reason, from_on=from_on, on=on, at=world.at(on))

"""What fulfilling an order writes: licences, SMA periods, order lines and revenue; and the deeds that say so."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from dongles.coverage import LicenceCoverage, Period
from dongles.models import Dongle, Licence, SmaPeriod
from portal.audit import Deed
from renewals import recognition
from renewals.models import Order, OrderLine, QuoteLine, RevenueSegment
from renewals.pricing.fulfilment import Redated
from renewals.services import ledger

Carried = list[tuple[Licence, LicenceCoverage]]


class Sale(NamedTuple):
    """A line as it is fulfilled; one without a quoted line is a free extension."""

    line: QuoteLine | None
    licence: Licence
    period: Period | None
    free_days: int


def covering_deed(order: Order, sale: Sale) -> Deed:
    """That a licence is covered by a sale."""
    assert sale.period is not None
    span = {"starts_on": str(sale.period.starts_on), "ends_on": str(sale.period.ends_on)}
    return Deed("cover", sale.licence, after={**span, "order": order.number})


def add_licences(order: Order, dongle: Dongle, carried: Carried, lines: Sequence[QuoteLine], today: date) -> list[Deed]:
    """P5: put the licences that were sold on the dongle, behind those that it carries (`carried` grows by them)."""
    new = Licence.objects.bulk_create(
        Licence(dongle=dongle, product=line.product, seats=line.seats, acquired_on=today)
        for line in lines
        if line.kind == QuoteLine.Kind.LICENCE
    )
    carried.extend(
        (
            licence,
            LicenceCoverage(licence.product.code, licence.product.family.name, licence.seats, today, ()),
        )
        for licence in new
    )
    return [
        Deed(
            "add",
            licence,
            after={
                "product": licence.product.code,
                "seats": licence.seats,
                "acquired_on": str(today),
                "order": order.number,
            },
        )
        for licence in new
    ]


def sales_of(carried: Carried, lines: Sequence[QuoteLine], dates: Redated) -> list[Sale]:
    """The lines as they are dated, each with its licence, and the free extensions."""
    sales = [
        Sale(
            line,
            carried[line.licence_index][0],
            Period(dated.starts_on, dated.ends_on) if dated.starts_on and dated.ends_on else None,
            dated.free_days,
        )
        for line, dated in zip(lines, dates.lines, strict=True)
    ]
    return sales + [
        Sale(None, carried[more.licence][0], Period(more.starts_on, more.ends_on), more.free_days)
        for more in dates.extended
    ]


def write_sales(order: Order, sales: Sequence[Sale], before: str, today: date, at: datetime) -> Deed:
    """Write periods, order lines and revenue; the deed says what the order is now and what was sold with it."""
    segments = _book_revenue(order, zip(_write_lines(order, sales), sales, strict=True), today, at)
    after = {
        "state": order.state,
        "fulfilled_on": str(today),
        "lines": len(sales),
        "revenue": sum(segment.amount for segment in segments),
        "currency": order.version.currency,
    }
    if order.paid_on is not None:
        after["paid_on"] = str(order.paid_on)
    return Deed("fulfil", order, {"state": before}, after)


def _write_lines(order: Order, sales: Sequence[Sale]) -> list[OrderLine]:
    """A line for each sale, with the period of its licence that it covers."""
    periods = iter(
        SmaPeriod.objects.bulk_create(
            SmaPeriod(licence=sale.licence, source=SmaPeriod.Source.ORDER, **sale.period._asdict())
            for sale in sales
            if sale.period
        )
    )
    return OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            quote_line=sale.line,
            licence=sale.licence,
            period=next(periods) if sale.period else None,
            free_days=sale.free_days,
            net=sale.line.net if sale.line else 0,
        )
        for sale in sales
    )


def _book_revenue(
    order: Order, lines: Iterable[tuple[OrderLine, Sale]], today: date, at: datetime
) -> list[RevenueSegment]:
    """F2–F4: the segments of what was sold; a free extension has none."""
    entries = (
        ledger.Entry(order_line, sale.line.kind, sale.line.product_id, segment)
        for order_line, sale in lines
        if sale.line
        for segment in recognition.segments_of_sale(sale.line.net, sale.line.sma_net, sale.period, today)
    )
    version = order.version
    dimensions = ledger.Dimensions(
        order.customer_id, order.customer.country, version.price_list.segment, version.currency
    )
    return ledger.book_sale(entries, dimensions, on=today, at=at)

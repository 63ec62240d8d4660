"""What sold lines gave away and what lapses cost, as rows of the database: read from what was sold (SaleFact).

The service writes these rows (renewals/services/conceded.py), the invariant compares with them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from dongles.terms import Months
from portal.models import AuditEvent
from renewals import conceded
from renewals.conceded import CameBack, Fact, SoldLine
from renewals.models import Order, OrderLine, PriceListEntry, QuoteLine, RevenueSegment, SaleFact
from renewals.pricing import Price
from renewals.pricing.terms import NO_MONTHS
from renewals.queries import terms_of
from renewals.states import OrderState

APPROVED = frozenset({conceded.FREE_MONTHS, conceded.NEGOTIATED, conceded.WAIVED_UPGRADE})  # what Q3 has approved
NO_PRICE = Price(0, 0, 0)


def fact_rows(orders: Sequence[Order]) -> Iterator[SaleFact]:
    """The facts of these orders, which were fulfilled, not written yet; one that was annulled has none."""
    for sold in _read(orders):
        yield from _rows(sold)


class _Sold(NamedTuple):
    """An order as it was fulfilled: to whom, its lines, and the prices of its list by product."""

    order: Order
    fulfilled_on: date
    buyer: "_Buyer"
    lines: Sequence[OrderLine]
    prices: Mapping[int, Price]
    is_honoured: bool


class _Buyer(NamedTuple):
    """Who bought, and in which country that was, as of the sale."""

    customer_id: int
    country: str


class _Known(NamedTuple):
    """What is on record of orders (ids): the buyers, and which of them were annulled."""

    buyers: Mapping[int, _Buyer]
    annulled: set[int]


def _read(orders: Sequence[Order]) -> Iterator[_Sold]:
    """The orders with all that is asked of them, in seven queries however many there are."""
    known_by = ("customer", "version__policy", "version__price_list")
    asked = Order.objects.filter(pk__in=[order.pk for order in orders]).select_related(*known_by)
    found = list(asked.order_by("pk"))
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    read = OrderLine.objects.filter(order__in=orders).select_related("quote_line__quoted", "licence", "period")
    for line in read.order_by("pk"):
        lines[line.order_id].append(line)
    prices: dict[int, dict[int, Price]] = defaultdict(dict)
    for entry in PriceListEntry.objects.filter(price_list__in={order.version.price_list_id for order in found}):
        prices[entry.price_list_id][entry.product_id] = Price(entry.licence, entry.sma_year, entry.upgrade)
    honoured, known = _honoured(orders), _known(found)
    for order in found:
        if order.pk in known.annulled:
            continue
        assert order.fulfilled_on is not None
        buyer = known.buyers.get(order.pk) or _Buyer(order.customer_id, order.customer.country)
        theirs = prices[order.version.price_list_id]
        yield _Sold(order, order.fulfilled_on, buyer, lines[order.pk], theirs, order.pk in honoured)


def _known(orders: Sequence[Order]) -> _Known:
    """Revenue tells it, which stays as it was booked when a customer moves or is merged; without any, what is noted.

    So a cancelled order that cost nothing was annulled if nothing is noted of it.
    """
    noted = SaleFact.objects.filter(order__in=orders).values_list("order", "customer", "country")
    buyers = {order: _Buyer(customer, country) for order, customer, country in noted}
    told = RevenueSegment.objects.filter(order_line__order__in=orders).order_by().distinct()
    annulled, earning = set(), set()
    for order, reason, customer, country in told.values_list("order_line__order", "reason", "customer", "country"):
        earning.add(order)
        buyers[order] = _Buyer(customer, country)
        if reason == RevenueSegment.Reason.ANNULMENT:
            annulled.add(order)
    cancelled = {order.pk for order in orders if order.state == OrderState.CANCELLED}
    return _Known(buyers, annulled | (cancelled - earning - buyers.keys()))


def _honoured(orders: Sequence[Order]) -> set[int]:
    """Q1: the orders since whose quote a release or a price list had come: their acceptance says so."""
    accepted = AuditEvent.objects.filter(subject_kind="order", subject_id__in=[each.pk for each in orders])
    news = accepted.filter(action="accept").values_list("subject_id", "after")
    return {pk for pk, after in news if "released_since" in after or "price_list_since" in after}


def _rows(sold: _Sold) -> Iterator[SaleFact]:
    """The facts of an order as rows, not written yet."""
    order, version = sold.order, sold.order.version
    for line, fact in _facts(sold):
        yield SaleFact(
            order=order,
            order_line=line,
            kind=fact.kind,
            month=sold.fulfilled_on.replace(day=1),
            product_id=_product_of(line),
            customer_segment=version.price_list.segment,
            currency=version.currency,
            **sold.buyer._asdict(),
            approved_by_id=version.approved_by_id if fact.kind in APPROVED else None,
            number=fact.number,
            amount=fact.amount,
        )


def _facts(sold: _Sold) -> Iterator[tuple[OrderLine, Fact]]:
    if sold.is_honoured and sold.lines:
        yield sold.lines[0], Fact(conceded.HONOURED, 1, 0)
    of_licence: dict[tuple[int, int], list[OrderLine]] = defaultdict(list)
    for line in sold.lines:
        for fact in conceded.given_away(_sold_line(line, sold.prices)):
            yield line, fact
        if line.quote_line is not None:
            of_licence[line.quote_line.quoted_id, line.quote_line.licence_index].append(line)
    for (_, index), lines in of_licence.items():
        quoted = _quoted(lines[0]).quoted
        if not quoted.replacement and index < len(quoted.licences) and quoted.licences[index]["is_lapsed"]:
            yield from _facts_of_return(sold, lines, quoted.licences[index])


def _facts_of_return(
    sold: _Sold, lines: Sequence[OrderLine], licence: Mapping[str, Any]
) -> Iterator[tuple[OrderLine, Fact]]:
    """P6, P7: what a licence that was lapsed bought on its return, and the SMA that it had missed."""
    kinds = {_quoted(line).kind: line for line in reversed(lines)}
    upgrade, back_pay = kinds.get(QuoteLine.Kind.UPGRADE), kinds.get(QuoteLine.Kind.BACK_PAY)
    carrier = upgrade or next((line for line in lines if line.period_id), lines[0])
    for kind, line in (
        (conceded.UPGRADE, upgrade),
        (conceded.BACK_PAY, back_pay),
        (conceded.FEE, kinds.get(QuoteLine.Kind.REINSTATEMENT_FEE)),
    ):
        if line is not None:
            yield line, Fact(kind, 1, line.net)
    if upgrade is not None and (sma_net := _quoted(upgrade).sma_net):
        yield upgrade, Fact(conceded.UPGRADE_SMA, 1, sma_net)
    policy = terms_of(sold.order.version.policy, sold.order.version.part_month)
    covered_through = date.fromisoformat(licence["covered_through"])
    price = sold.prices.get(_product_of(carrier), NO_PRICE)
    back = CameBack(_quoted(carrier).seats, covered_through, len(licence["missed"]), price)
    missed_days = (sold.fulfilled_on - covered_through).days - 1
    gap = conceded.GAP if upgrade is None else conceded.GAP_UPGRADED
    yield carrier, Fact(gap, missed_days, conceded.price_of_gap(policy, back, sold.fulfilled_on))
    if upgrade is None and back.missed and sold.order.version.waives_upgrades:
        paid = _quoted(back_pay).list_amount if back_pay else 0
        yield carrier, Fact(conceded.WAIVED_UPGRADE, 1, conceded.worth_of_waived_upgrade(policy, back, paid))


def _sold_line(line: OrderLine, prices: Mapping[int, Price]) -> SoldLine:
    price = prices.get(_product_of(line), NO_PRICE)
    quoted = line.quote_line
    if quoted is None:
        starts_on = line.period.starts_on if line.period else None
        return SoldLine("", line.licence.seats, starts_on, NO_MONTHS, 0, 0, (), 0, line.free_days, price)
    return SoldLine(
        kind=quoted.kind,
        seats=quoted.seats,
        starts_on=quoted.starts_on,
        months=Months(*quoted.months),
        net=quoted.net,
        sma_net=quoted.sma_net,
        discounts=[(each["reason"], each["amount"]) for each in quoted.discounts],
        free_months=sum(step["inputs"][0] for step in quoted.steps if step["what"] == "free_months"),
        free_days=line.free_days,
        price=price,
    )


def _quoted(line: OrderLine) -> QuoteLine:
    assert line.quote_line is not None, "only free extensions have none"
    return line.quote_line


def _product_of(line: OrderLine) -> int:
    return line.quote_line.product_id if line.quote_line else line.licence.product_id

"""What happens to orders: accepted, paid, cancelled, credited."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

from renewals.pricing import AddedLicence
from renewals.services import cancellations, credits, files, orders
from tests import papers, world
from tests.audit.happenings.beginnings import BY, DAY, new_dongle, sent


def accepted() -> Callable[[], object]:
    """With a licence that is added, a file, and releases that nothing was sold against before."""
    version = sent(added=(AddedLicence("VOL-QNT", 2),))
    upload = {"purchase_order_number": "PO-77", "accepted_by": "Ada Lenz"}
    return lambda: orders.accept_quote(version=version, purchase_order_file=uploaded(), **upload, **BY)


def uploaded() -> Any:
    file = BytesIO(papers.PDF)
    file.name = "PO-77.pdf"
    return file


def paid() -> Callable[[], object]:
    world.make_catalogue()
    order = world.sell(world.make_dongle(customer=world.make_customer(fulfil_on="payment")), DAY)
    return lambda: orders.fulfil_order(order=order, paid_on=date(2026, 2, 1), **BY)


def cancelled() -> Callable[[], object]:
    """From a day in the first of the years that it bought, so that a period is shortened; its added licence goes."""
    order = world.sell(new_dongle(), DAY, renew_years=2, added=(AddedLicence("VOL-QNT", 2),))
    return lambda: cancellations.cancel_order(order=order, from_on=date(2026, 2, 1), reason="Sold", **BY)


def credited() -> Callable[[], object]:
    line = world.sell(new_dongle(), DAY).lines.first()
    return lambda: credits.credit_line(order_line=line, amount=10_000, reason="Support was slow", **BY)


def attached() -> Callable[[], object]:
    order = world.sell(new_dongle(), DAY)
    return lambda: files.attach_purchase_order(order=order, name="PO.pdf", content=papers.PDF, **BY)


HAPPENINGS: dict[Any, Callable[[], Callable[[], object]]] = {
    orders.accept_quote: accepted,
    orders.fulfil_order: paid,
    cancellations.cancel_order: cancelled,
    credits.credit_line: credited,
    files.attach_purchase_order: attached,
}

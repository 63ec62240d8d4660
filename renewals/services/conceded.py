"""What sold lines gave away and what lapses cost, noted with the sale for the reports (renewals.models.SaleFact)."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from renewals.conceded_rows import fact_rows
from renewals.models import Order, SaleFact
from renewals.services.sales import Sale

TELLING = frozenset({"P6", "P7", "Q3"})  # rules of lines of which something is to be noted
BATCH = 500  # orders read at once


def tell_facts(sold: Iterable[Sale]) -> bool:
    """Whether anything is to be noted of these sales; most are plain. Honoured terms are not seen here (Q1)."""
    return any(
        sale.line is None or sale.free_days or sale.line.discounts or TELLING.intersection(sale.line.rules)
        for sale in sold
    )


def note_facts(orders: Sequence[Order]) -> None:
    """Note what is true of the lines of these orders, which have just been fulfilled."""
    SaleFact.objects.bulk_create(fact_rows(orders))


def forget_facts(order: Order) -> None:
    """The order was annulled: nothing of it was sold."""
    SaleFact.objects.filter(order=order).delete()


@transaction.atomic
def note_all_facts() -> int:
    """Throw the facts away and note them anew of every fulfilled order that was not annulled; how many there are.

    Who fulfils an order meanwhile waits for it: the order's facts would be noted twice.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE renewals_salefact IN SHARE ROW EXCLUSIVE MODE")
    fulfilled = Order.objects.filter(fulfilled_on__isnull=False).order_by("pk")
    SaleFact.objects.exclude(order__in=fulfilled.order_by().values("pk")).delete()
    last = 0
    while orders := list(fulfilled.filter(pk__gt=last)[:BATCH]):
        rows = list(fact_rows(orders))  # what they said of who bought is read before they go
        SaleFact.objects.filter(order__in=orders).delete()
        SaleFact.objects.bulk_create(rows)
        last = orders[-1].pk
    return SaleFact.objects.count()

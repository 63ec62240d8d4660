"""What was given away and what lapses cost is noted as the order lines have it (Q1, Q3, P6–P8): fact by fact."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from renewals.conceded_rows import fact_rows
from renewals.invariants.findings import Batch, Finding
from renewals.models import Order, SaleFact

BATCH = 500  # orders, each with its lines, prices and policy
Said = dict[str, object]
TOLD = (
    *("kind", "month", "customer_id", "product_id", "country", "customer_segment", "currency", "approved_by_id"),
    *("number", "amount"),
)


def check(at: datetime) -> Iterator[Batch]:
    """The facts of every fulfilled order are those of its lines; no other order has any."""
    fulfilled = Order.objects.filter(fulfilled_on__isnull=False).order_by("pk")
    strangers = SaleFact.objects.filter(order__fulfilled_on__isnull=True).order_by("pk")
    yield Batch(0, [_finding(fact, None, fact) for fact in strangers])
    last = 0
    while orders := list(fulfilled.filter(pk__gt=last)[:BATCH]):
        noted = SaleFact.objects.filter(order__in=orders).order_by("pk")
        yield Batch(len(orders), list(_differences(fact_rows(orders), noted)))
        last = orders[-1].pk


def _differences(due: Iterable[SaleFact], noted: Iterable[SaleFact]) -> Iterator[Finding]:
    expected, found = ({_place(fact): fact for fact in facts} for facts in (due, noted))
    for place in sorted({*expected, *found}):
        right, said = expected.get(place), found.get(place)
        if right is None or said is None or _said(right) != _said(said):
            yield _finding(right or found[place], right, said)


def _place(fact: SaleFact) -> tuple[int, int, str]:
    return fact.order_id, fact.order_line_id, fact.kind


def _said(fact: SaleFact) -> Said:
    return {name: getattr(fact, name) for name in TOLD}


def _finding(fact: SaleFact, due: SaleFact | None, found: SaleFact | None) -> Finding:
    """What differs of two facts in the same place, or all of the one that stands alone."""
    both = [_said(each) if each else {} for each in (due, found)]
    names = [name for name in TOLD if not (due and found) or both[0][name] != both[1][name]]
    subject = f"order O-{fact.order_id:06d} line {fact.order_line_id}, {fact.kind}"
    return Finding(subject, *(_written(names, each) for each in both))


def _written(names: Sequence[str], said: Said) -> str:
    """“number 2, amount 20000” in minor units."""
    return ", ".join(f"{name.removesuffix('_id')} {said[name]}" for name in names) if said else "no such fact"

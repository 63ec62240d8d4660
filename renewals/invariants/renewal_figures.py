"""The figures of renewals (F5) are what the rule says of orders, periods and customers, and their sums are right.

What is in the queue is left out: it is known to be worked out anew (renewals/services/renewal_figures.py).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from dongles.models import Dongle
from portal.models import Customer
from renewals.invariants.findings import BATCH, Batch, Finding
from renewals.models import CustomerCohort, CustomerRetention, DueDongle, OutdatedRenewal
from renewals.renewal_facts import concerned_by
from renewals.renewal_rows import CohortRow, DueRow, RetentionRow, customer_rows, due_rows
from renewals.renewal_sums import OF_CUSTOMERS, OF_DONGLES, Sums


def check(at: datetime) -> Iterator[Batch]:
    """Sums against their rows, and the rows of every dongle and customer against the rule."""
    yield Batch(0, [finding for sums in (*OF_DONGLES, *OF_CUSTOMERS) for finding in _unlike_their_rows(sums)])
    outdated = concerned_by(OutdatedRenewal.objects.values_list("dongle_id", "customer_id"))
    for ids in _batches(Dongle.objects.filter(replaces__isnull=True), outdated.firsts):
        stored = DueDongle.objects.filter(first_dongle__in=ids).values_list(*DueRow._fields)
        yield Batch(len(ids), list(_differences("dongle", due_rows(ids), map(DueRow._make, stored))))
    for ids in _batches(Customer.objects.all(), outdated.customers):
        rows = customer_rows(ids)
        retention = CustomerRetention.objects.filter(customer__in=ids).values_list(*RetentionRow._fields)
        cohorts = CustomerCohort.objects.filter(customer__in=ids).values_list(*CohortRow._fields)
        findings = [
            *_differences("customer", rows.retention, map(RetentionRow._make, retention)),
            *_differences("customer", rows.cohorts, map(CohortRow._make, cohorts)),
        ]
        yield Batch(0, findings)


def _batches(rows: Any, left_out: Collection[int]) -> Iterator[list[int]]:
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield [pk for pk in ids if pk not in left_out]
        last = ids[-1]


def _differences(noun: str, expected: Iterable[tuple[Any, ...]], found: Iterable[tuple[Any, ...]]) -> Iterator[Finding]:
    """Rows that should be there and are not, and the other way round; the first column says whose they are."""
    right, stored = Counter(expected), Counter(found)
    for row in sorted((right - stored) + (stored - right), key=repr):
        said = _written(row)
        is_missing = row in right
        yield Finding(f"{noun} {row[0]}", said if is_missing else "nothing", "nothing" if is_missing else said)


def _written(row: tuple[Any, ...]) -> str:
    named = zip(row._fields[1:], row[1:], strict=True)  # type: ignore[attr-defined]  # rows are named tuples
    return ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in named if value not in (None, "", 0))


def _unlike_their_rows(sums: Sums) -> Iterator[Finding]:
    """Sums that are not what their rows come to; one that is nothing needs no row."""
    key, amounts = ", ".join(sums.key), list(sums.sums)
    both = ", ".join(f"sum(added_{n})::bigint, sum(held_{n})::bigint" for n in range(len(amounts)))
    differ = " OR ".join(f"sum(added_{n}) <> sum(held_{n})" for n in range(len(amounts)))
    statement = (
        f"SELECT {key}, {both} FROM ("  # noqa: S608 - names of our own columns
        f"SELECT {key}, {_named(amounts, 'added')}, {_named(['0'] * len(amounts), 'held')} FROM ({sums.of_rows}) added"
        f" UNION ALL SELECT {key}, {_named(['0'] * len(amounts), 'added')}, {_named(amounts, 'held')} FROM {sums.held}"
        f") told GROUP BY {key} HAVING {differ} ORDER BY {key}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"owners": None})
        yield from (_of_sums(sums, row) for row in cursor.fetchall())


def _named(amounts: Sequence[str], prefix: str) -> str:
    return ", ".join(f"{amount} AS {prefix}_{n}" for n, amount in enumerate(amounts))


def _of_sums(sums: Sums, row: Sequence[Any]) -> Finding:
    where = ", ".join(str(value) for value in row[: len(sums.key)] if value not in (None, ""))
    pairs = zip(sums.sums, row[len(sums.key) :: 2], row[len(sums.key) + 1 :: 2], strict=True)
    wrong = [(name.strip('"'), expected, found) for name, expected, found in pairs if expected != found]
    return Finding(
        f"{sums.held.removeprefix('renewals_')} of {where}",
        ", ".join(f"{name} {expected}" for name, expected, _ in wrong),
        ", ".join(f"{name} {found}" for name, _, found in wrong),
    )

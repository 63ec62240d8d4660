"""Keeping the figures of renewals (F5) as orders, periods and customers make them (renewals.models.DueDongle …).

What may have changed stands in a queue, written by triggers in the transaction of the change. One at a time works it
off: what is taken from the queue and what comes of it are one transaction, so the figures are never half done, whoever
dies when. Everything of a dongle or customer is taken out of the sums and put in anew: twice is as good as once.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from dongles.models import Dongle
from portal.models import Customer
from renewals import renewal_facts
from renewals.models import OutdatedRenewal
from renewals.renewal_rows import COHORTS, DUE, RETENTION, Table, customer_rows, due_rows
from renewals.renewal_sums import OF_CUSTOMERS, OF_DONGLES, Sums

LOCK = 0x72656E65  # whoever works on the figures holds this advisory lock until the transaction ends
BATCH = 1000  # rows of the queue worked off in one transaction
BULK = 2000  # dongles or customers whose facts are read at once


def update_renewal_figures(*, batch: int = BATCH, waits: bool = True) -> int:
    """Work off the queue, in batches of a transaction each; how many rows of it there were.

    Where somebody else is at it, it waits for them: afterwards the figures are what was committed before. Or it leaves
    the work to them, if it is not to wait.
    """
    if not OutdatedRenewal.objects.exists():
        return 0
    return sum(iter(lambda: _update_batch(batch, waits), 0))


def update_without_waiting() -> None:
    """What is done again and again beside the outbox: work off the queue, unless somebody is at it."""
    update_renewal_figures(waits=False)


@transaction.atomic
def _update_batch(limit: int, waits: bool) -> int:
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        else:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return 0
        taken = _take(cursor, limit)
        if not taken:
            return 0
        firsts, customers = renewal_facts.concerned_by(taken)
        _take_out(cursor, OF_DONGLES, (DUE,), firsts)
        _put_in_dongles(cursor, firsts)
        _add(cursor, OF_DONGLES, firsts, 1)
        customers |= renewal_facts.customers_of(firsts)
        _take_out(cursor, OF_CUSTOMERS, (RETENTION, COHORTS), customers)
        _put_in_customers(cursor, customers)
        _add(cursor, OF_CUSTOMERS, customers, 1)
    return len(taken)


@transaction.atomic
def rebuild_renewal_figures() -> int:
    """Throw all figures away and work them out anew, of every dongle and customer; how many dongles there are.

    Who sells or reads need not wait for it: what changes meanwhile is in the queue afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for table in (OutdatedRenewal._meta.db_table, *FIGURES):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables
        firsts = sorted(Dongle.objects.filter(replaces__isnull=True).values_list("pk", flat=True))
        _put_in_dongles(cursor, firsts)
        _add(cursor, OF_DONGLES, None, 1)
        cursor.execute(f"ANALYZE {DUE.name}")
        _put_in_customers(cursor, sorted(Customer.objects.filter(merged_into=None).values_list("pk", flat=True)))
        _add(cursor, OF_CUSTOMERS, None, 1)
        for table in FIGURES:
            cursor.execute(f"ANALYZE {table}")
    return len(firsts)


FIGURES = tuple(table for each in (*OF_DONGLES, *OF_CUSTOMERS) for table in (each.rows, each.held))


def _take(cursor: CursorWrapper, limit: int) -> list[tuple[int | None, int | None]]:
    cursor.execute(
        "DELETE FROM renewals_outdatedrenewal WHERE id = ANY (ARRAY("
        "SELECT id FROM renewals_outdatedrenewal ORDER BY id LIMIT %s)) RETURNING dongle_id, customer_id",
        [limit],
    )
    return list(cursor.fetchall())


def _take_out(cursor: CursorWrapper, sums: Iterable[Sums], tables: Iterable[Table], owners: Collection[int]) -> None:
    _add(cursor, sums, owners, -1)
    for table in tables:
        cursor.execute(f"DELETE FROM {table.name} WHERE {table.owner} = ANY (%s)", [list(owners)])  # noqa: S608 - ours


def _add(cursor: CursorWrapper, sums: Iterable[Sums], owners: Collection[int] | None, sign: int) -> None:
    for each in sums:
        cursor.execute(each.add, {"owners": None if owners is None else list(owners), "sign": sign})


def _put_in_dongles(cursor: CursorWrapper, firsts: Iterable[int]) -> None:
    for some in _slices(firsts):
        _copy(cursor, DUE, due_rows(some))


def _put_in_customers(cursor: CursorWrapper, customers: Iterable[int]) -> None:
    for some in _slices(customers):
        rows = customer_rows(some)
        _copy(cursor, RETENTION, rows.retention)
        _copy(cursor, COHORTS, rows.cohorts)


def _slices(ids: Iterable[int]) -> Iterator[list[int]]:
    waiting = sorted(ids)
    while waiting:
        yield waiting[:BULK]
        waiting = waiting[BULK:]


def _copy(cursor: CursorWrapper, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows as one stream: a tenth of the time that as many statements take."""
    names = ", ".join(f'"{name}"' for name in table.columns)
    made = list(rows)  # their facts are read by the same connection, which is the stream's until that ends
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as stream:
        for row in made:
            stream.write_row(row)

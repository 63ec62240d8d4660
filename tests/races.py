"""Calls at the same moment, each on a connection of its own; for a control without the row locks that they ask for."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from django.db import connection


class WithoutRowLocks:
    """Runs statements as they are but for their row locks; the first of each call waits until all have run theirs."""

    def __init__(self, meeting: threading.Barrier) -> None:
        self.meeting: threading.Barrier | None = meeting

    def __call__(self, execute, sql, params, many, context):
        found = re.search(r" FOR (NO KEY )?UPDATE", sql)
        if found is None:
            return execute(sql, params, many, context)
        rows = execute(sql[: found.start()], params, many, context)
        meeting, self.meeting = self.meeting, None
        if meeting is not None:
            with suppress(threading.BrokenBarrierError):  # where one of them asks for no lock
                meeting.wait(10)
        return rows


def at_once(calls: list[Callable[[], object]], *, locked: bool = True) -> list[object]:
    """Run the calls at the same moment, each on a connection of its own; what each returned or raised."""
    barrier, meeting = threading.Barrier(len(calls)), threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            if locked:
                return call()
            with connection.execute_wrapper(WithoutRowLocks(meeting)):
                return call()
        except Exception as error:  # noqa: BLE001 - whatever a thread meets is its result
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))

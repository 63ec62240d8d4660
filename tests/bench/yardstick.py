"""The same questions asked of DuckDB over stored monthly rows: a yardstick for what reports read from sums.

DuckDB is told the segments alone and works out by itself what each earns in each month (F1, F2, in integers, a half
away from zero): a second reading of the formula, whose answers must be those of the portal.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
from django.db import connection

from renewals.calendar import following
from renewals.overviews.finance import figures
from renewals.overviews.finance.filters import ReportFilters
from tests.bench.measuring import Figure, paired_medians

COLUMNS = (
    "id BIGINT, booked_month DATE, product BIGINT, currency VARCHAR, reason VARCHAR, amount BIGINT, starts_on DATE,"
    " ends_on DATE, basis_amount BIGINT, basis_starts_on DATE"
)
SEGMENTS = (
    "SELECT id, booked_month, product_id, currency, reason, amount, starts_on, ends_on, basis_amount, basis_starts_on"
    " FROM renewals_revenuesegment"
)
EARNED = """
CREATE MACRO earned(amount, starts_on, ends_on, day) AS CASE
    WHEN day < starts_on THEN 0
    WHEN day >= ends_on THEN amount
    ELSE sign(amount) * ((2 * abs(amount) * (day - starts_on + 1) + (ends_on - starts_on + 1))
        // (2 * (ends_on - starts_on + 1)))
END"""
MONTHS = """
CREATE TABLE monthly AS
WITH months AS (
    SELECT *, unnest(generate_series(
        date_trunc('month', least(booked_month, starts_on)), greatest(booked_month, ends_on), INTERVAL 1 MONTH
    ))::DATE AS month FROM segment
), through AS (
    SELECT *, CASE WHEN last_day(month) < starts_on THEN 0
        ELSE earned(basis_amount, basis_starts_on, ends_on, last_day(month))
            - earned(basis_amount, basis_starts_on, ends_on, starts_on - 1) END AS month_end,
        CASE WHEN month - 1 < starts_on THEN 0
        ELSE earned(basis_amount, basis_starts_on, ends_on, (month - 1)::DATE)
            - earned(basis_amount, basis_starts_on, ends_on, starts_on - 1) END AS before
    FROM months
)
SELECT id, booked_month, month, product, currency,
    CASE WHEN month = booked_month THEN month_end ELSE month_end - before END AS earned
FROM through WHERE month >= booked_month"""


class Question(NamedTuple):
    """What is asked: of the portal, and of DuckDB; both answer with the same rows."""

    name: str
    portal: Callable[[], list]
    query: str


def measure(today: date, lines: int) -> Iterator[Figure]:
    """Each question to the sums against the same to the monthly rows, in turn; in the currency with the most lines."""
    with _monthly_rows() as yard:
        rows = yard.execute("SELECT count(*) FROM monthly").fetchone()[0]
        for question in _questions(today):
            assert question.portal() == yard.execute(question.query).fetchall(), question.name
            seconds, floor = paired_medians(
                question.portal, lambda asked=question.query: yard.execute(asked).fetchall(), rounds=11
            )
            name = f"{question.name} from the sums of {lines:,} lines, against DuckDB"
            yield Figure(name, seconds * 1e3, "ms", floor * 1e3, most=1, note=f"{rows:,} monthly rows there")


def _questions(today: date) -> Iterator[Question]:
    month = today.replace(day=1)
    first = following(month, -23)
    filters = ReportFilters(first, month, currency="EUR")
    span = f"currency = 'EUR' AND month BETWEEN '{first}' AND '{month}'"
    yield Question(
        "Recognised by month and product",
        lambda: [
            (*key, row["recognised"] + row["caught_up"])
            for key, row in figures.month_figures(
                filters, "EUR", ("month", "product_id"), figures=("recognised", "caught_up")
            ).items()
            if row["recognised"] or row["caught_up"]
        ],
        f"SELECT month, product, sum(earned)::BIGINT FROM monthly WHERE {span}"
        " GROUP BY ALL HAVING count_if(earned <> 0) > 0 ORDER BY ALL",
    )
    yield Question(
        "The waterfall",
        lambda: [
            (*key, row["recognised"] + row["caught_up"]) for key, row in figures.booking_figures(filters, "EUR").items()
        ],
        f"SELECT booked_month, month, sum(earned)::BIGINT FROM monthly WHERE {span} AND earned <> 0"
        " GROUP BY ALL ORDER BY ALL",
    )
    yield Question(
        "Deferred at the month's end",
        lambda: [(figures.deferred_at(filters, "EUR", month),)],
        f"""SELECT ((SELECT sum(amount) FROM segment WHERE currency = 'EUR' AND booked_month <= '{month}')
        - (SELECT sum(earned) FROM monthly WHERE currency = 'EUR' AND month <= '{month}'))::BIGINT""",
    )


@contextmanager
def _monthly_rows() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with a row for each segment and month in a file, on as many threads as there are processors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "segments.csv"
        with (
            file.open("wb") as out,
            connection.cursor() as cursor,
            cursor.copy(f"COPY ({SEGMENTS}) TO STDOUT CSV") as rows,
        ):
            for part in rows:
                out.write(part)
        with duckdb.connect(str(Path(folder) / "yard.duckdb"), config={"threads": os.cpu_count() or 1}) as yard:
            yard.execute(f"CREATE TABLE segment ({COLUMNS})")
            yard.execute(f"COPY segment FROM '{file}' (FORMAT csv, HEADER false)")
            file.unlink()
            yard.execute(EARNED)
            yard.execute(MONTHS)
            yield yard

"""The sums of renewals (rule F5): what rows of dongles and customers add to the figures that reports read.

Said once: the service adds by it (renewals/services/renewal_figures.py), the invariant compares by it.
"""

from typing import NamedTuple

from renewals.models import (
    CohortFigures,
    CustomerCohort,
    CustomerRetention,
    DueDongle,
    DueFigures,
    RetentionFigures,
)

DIMENSIONS = ("family_id", "product_id", "country", "customer_segment", "currency")


class Sums(NamedTuple):
    """Figures (table `held`) that are sums of rows (table `rows`), which belong to a dongle or customer (`owner`).

    `key` are the columns that tell the figures apart, `sums` the others, each with what a row adds to it.
    """

    held: str
    rows: str
    owner: str
    key: dict[str, str]
    sums: dict[str, str]

    @property
    def of_rows(self) -> str:
        """The SELECT of what the rows of some owners (a parameter, an array of ids; NULL for all) add."""
        key = ", ".join(f"{source} AS {name}" for name, source in self.key.items())
        sums = ", ".join(f"({source})::bigint AS {name}" for name, source in self.sums.items())
        owners = "(%(owners)s::bigint[] IS NULL OR " + f"{self.owner} = ANY (%(owners)s::bigint[]))"
        grouped = ", ".join(self.key.values())
        return f"SELECT {key}, {sums} FROM {self.rows} WHERE {owners} GROUP BY {grouped}"  # noqa: S608 - constants alone

    @property
    def add(self) -> str:
        """The statement that adds what the rows of some owners come to, or takes it away (`sign` 1 or −1)."""
        names = ", ".join((*self.key, *self.sums))
        signed = ", ".join((*self.key, *(f"%(sign)s * {name}" for name in self.sums)))
        changed = ", ".join(f"{name} = held.{name} + excluded.{name}" for name in self.sums)
        return (
            f"INSERT INTO {self.held} AS held ({names}) SELECT {signed} FROM ({self.of_rows}) added"  # noqa: S608 - the same
            f" ORDER BY {', '.join(self.key)} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed}"
        )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


DUE = Sums(
    DueFigures._meta.db_table,
    DueDongle._meta.db_table,
    "first_dongle_id",
    {
        "family_id": "family_id",
        "product_id": "product_id",
        "month": "date_trunc('month', due_on)::date",
        **_same(*DIMENSIONS[2:]),
    },
    {
        "due": "count(*)",
        "renewed": "count(*) FILTER (WHERE outcome = 'renewed')",
        "won_back": "count(*) FILTER (WHERE outcome = 'won_back')",
        "valued": "count(*) FILTER (WHERE is_valued)",
        "due_value": "sum(old_value)",
        "kept_value": "sum(kept_value)",
        "renewed_value": "coalesce(sum(new_value) FILTER (WHERE outcome = 'renewed'), 0)",
        "won_back_value": "coalesce(sum(new_value) FILTER (WHERE outcome = 'won_back'), 0)",
        "unrenewed_value": "coalesce(sum(old_value) FILTER (WHERE outcome = ''), 0)",
    },
)
AMOUNTS = ("value", "then", "kept", "now", "lost", "customers_then", "customers_kept")
RETENTION = Sums(
    RetentionFigures._meta.db_table,
    CustomerRetention._meta.db_table,
    "customer_id",
    {**_same("family_id", "product_id", "month"), **_same(*DIMENSIONS[2:])},
    {f'"{name}"': f'sum("{name}")' for name in AMOUNTS},
)
COHORTS = Sums(
    CohortFigures._meta.db_table,
    CustomerCohort._meta.db_table,
    "customer_id",
    {**_same("family_id", "product_id", "first_year", "year"), **_same(*DIMENSIONS[2:])},
    {name: f"sum({name})" for name in ("customers", "value")},
)
OF_DONGLES = (DUE,)
OF_CUSTOMERS = (RETENTION, COHORTS)

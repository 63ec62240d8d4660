"""Which account an amount goes to: a map of accounts by role and by where the money comes from."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

Role = Literal["receivables", "deferred", "revenue"]
ROLES: Mapping[Role, str] = {"receivables": "Receivables", "deferred": "Deferred revenue", "revenue": "Revenue"}


class Named(NamedTuple):
    """A product or a family: the id that is compared, and the name that people read."""

    id: int
    name: str


class Origin(NamedTuple):
    """Where an amount comes from: what was sold, to what kind of customer, where."""

    product: Named
    family: Named
    country: str
    segment: str


class MapRow(NamedTuple):
    """An account for a role, and what it is for; none and "" stand for all."""

    role: Role
    account: str
    name: str
    product: Named | None = None
    family: Named | None = None
    country: str = ""
    segment: str = ""

    def is_for(self, origin: Origin) -> bool:
        return (
            (self.product is None or self.product.id == origin.product.id)
            and (self.family is None or self.family.id == origin.family.id)
            and self.country in ("", origin.country)
            and self.segment in ("", origin.segment)
        )

    @property
    def precision(self) -> tuple[bool, bool, bool, bool]:
        """A row for a product goes before one for a family, that before one for a country, that before a segment."""
        return self.product is not None, self.family is not None, self.country != "", self.segment != ""


class AccountMap:
    """The rows of a map, as they stand at one moment."""

    def __init__(self, rows: Iterable[MapRow]) -> None:
        self.rows = tuple(rows)
        self._found: dict[tuple[Role, Origin], MapRow | None] = {}

    def row_for(self, role: Role, origin: Origin) -> MapRow | None:
        """The most precise row for what comes from there, none where the map has a hole."""
        asked = role, origin
        if asked not in self._found:
            fitting = [row for row in self.rows if row.role == role and row.is_for(origin)]
            self._found[asked] = max(fitting, key=lambda row: row.precision, default=None)
        return self._found[asked]

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                **row._asdict(),
                "product": row.product and row.product._asdict(),
                "family": row.family and row.family._asdict(),
            }
            for row in self.rows
        ]

    @classmethod
    def of_json(cls, rows: Iterable[Mapping[str, Any]]) -> "AccountMap":
        return cls(
            MapRow(**{**row, **{key: Named(**row[key]) if row[key] else None for key in ("product", "family")}})
            for row in rows
        )

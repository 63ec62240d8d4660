"""What is read of accounts and journals: the map, its holes, what a close posted, and what was exported."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

from django.db.models import Q

from dongles.models import Product
from portal.errors import DomainError
from portal.wording import write_month
from renewals.calendar import last_day
from renewals.journal.accounts import ROLES, AccountMap, Named, Origin
from renewals.journal.postings import (
    SIDES,
    AccountSum,
    Entry,
    Hole,
    Journal,
    holes_in,
    holes_of,
    journal_of,
    sums_by_account,
    totals_of,
)
from renewals.models import (
    AccountingMonth,
    AccountMapEntry,
    DatevDetails,
    JournalExport,
    JournalFile,
    LedgerEntry,
    MonthClose,
    MonthFigures,
)


def account_entries() -> list[AccountMapEntry]:
    """All accounts, by role and from the general to the particular."""
    entries = AccountMapEntry.objects.select_related("product", "family")
    roles = list(ROLES)
    return sorted(
        entries,
        key=lambda each: (
            roles.index(each.row.role),
            each.row.precision,
            str(each.product or each.family or ""),
            each.country,
            each.segment,
        ),
    )


def account_map() -> AccountMap:
    return AccountMap(entry.row for entry in account_entries())


def datev_details() -> DatevDetails | None:
    return DatevDetails.objects.filter(pk=1).first()


def map_holes(accounts: AccountMap, month: date | None = None) -> list[Hole]:
    """What the map lacks of all that the ledger has amounts of: in a month, or in past months and those to come."""
    figures = MonthFigures.objects.filter(month=month) if month else MonthFigures.objects.all()
    asked: dict[str, Q] = {
        "booked": ~Q(booked=0) | ~Q(credited=0),
        "recognised": ~Q(recognised=0) | ~Q(caught_up=0),
    }
    places = {
        kind: set(
            figures.filter(has_amounts).order_by().values_list("product_id", "country", "customer_segment").distinct()
        )
        for kind, has_amounts in asked.items()
    }
    origins = _origins(set().union(*places.values()))
    roles = [
        (role, origins[place])
        for kind, found in places.items()
        for place in sorted(found)
        for role in SIDES[kind]  # type: ignore[index]  # both are kinds
    ]
    return holes_in(roles, accounts)


class HoleInWords(NamedTuple):
    """A role and a product without an account, and where it is sold: “DE commercial, FR academic”."""

    role: str
    product: str
    places: str


def holes_in_words(holes: Iterable[Hole]) -> list[HoleInWords]:
    """The holes of a role and product in one line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for hole in holes:
        place = f"{hole.origin.country} {hole.origin.segment}".strip()
        lines.setdefault((ROLES[hole.role], hole.origin.product.name), []).append(place)
    return [HoleInWords(*key, ", ".join(places)) for key, places in lines.items()]


def _origins(places: Collection[tuple[int, str, str]]) -> dict[tuple[int, str, str], Origin]:
    """Where an amount comes from, by product, country and segment."""
    products = Product.objects.select_related("family").in_bulk({product for product, _, _ in places})
    return {place: _origin(products[place[0]], *place[1:]) for place in places}


def _origin(product: Product, country: str, segment: str) -> Origin:
    return Origin(Named(product.pk, product.name), Named(product.family_id, product.family.name), country, segment)


def entries_of(close: MonthClose) -> list[Entry]:
    """What a close posted, which for a later close of a month are the differences."""
    posted = LedgerEntry.objects.filter(close=close).order_by("number").select_related("product__family")
    return [
        Entry(
            each.number,
            each.kind,  # type: ignore[arg-type]  # one of the choices
            _origin(each.product, each.country, each.customer_segment),
            each.currency,
            each.amount,
        )
        for each in posted
    ]


def journal_of_close(close: MonthClose, entries: Iterable[Entry], accounts: AccountMap) -> Journal:
    """The journal of what a close posted; refuses `account_missing`."""
    month = close.month_id
    return journal_of(entries, accounts, month=month, last_day=last_day(month), revision=close.revision)


class Exported(NamedTuple):
    """A layout of a close's journal: how it was exported, none where it wasn't, and its files without their content."""

    layout: str
    name: str
    export: JournalExport | None
    files: list[JournalFile]


class CloseJournal(NamedTuple):
    """A close with its journal, which is empty where the map has holes.

    `map_has_changed` since it was first exported, whose accounts it has.
    """

    close: MonthClose
    posted: int
    sums: list[AccountSum]
    totals: list[tuple[str, int, int]]
    layouts: list[Exported]
    holes: list[Hole]
    map_has_changed: bool

    @property
    def is_exported(self) -> bool:
        return any(each.export for each in self.layouts)

    @property
    def holes_in_words(self) -> list[HoleInWords]:
        return holes_in_words(self.holes)


def closes_of(month: date) -> list[MonthClose]:
    """The closes of a month, the newest first; refuses `month_not_closed` where there is none."""
    closes = MonthClose.objects.filter(month=month).select_related("closed_by").order_by("-revision")
    found = list(closes)
    if not found:
        raise DomainError(
            "month_not_closed",
            f"{write_month(month)} is not closed: a journal has what was posted when its month was closed.",
            {"month": f"{month:%Y-%m}"},
        )
    return found


def is_open_again(month: date) -> bool:
    return AccountingMonth.objects.filter(month=month, is_closed=False).exists()


def journals_of(month: date) -> list[CloseJournal]:
    """The journal of each close of a month, the newest first; refuses `month_not_closed`."""
    accounts = account_map()
    return [_told(close, accounts) for close in closes_of(month)]


def _told(close: MonthClose, accounts: AccountMap) -> CloseJournal:
    exports = {each.layout: each for each in close.journals.select_related("exported_by")}
    files = list(JournalFile.objects.filter(export__close=close).defer("content"))
    layouts = [
        Exported(layout, name, exports.get(layout), [file for file in files if file.export_id == _pk(exports, layout)])
        for layout, name in JournalExport.Layout.choices
    ]
    used = frozen_map(exports.values()) or accounts
    entries = entries_of(close)
    holes = holes_of(entries, used)
    lines = [] if holes else journal_of_close(close, entries, used).lines
    totals = [(currency, *both) for currency, both in totals_of(lines).items()]
    has_changed = used.as_json() != accounts.as_json()
    posted = sum(1 for each in entries if each.amount)
    return CloseJournal(close, posted, sums_by_account(lines), totals, layouts, holes, has_changed)


def _pk(exports: dict[str, JournalExport], layout: str) -> int | None:
    return exports[layout].pk if layout in exports else None


def frozen_map(exports: Iterable[JournalExport]) -> AccountMap | None:
    """The map with which a close was first exported; none where it never was."""
    first = min(exports, key=lambda each: each.pk, default=None)
    return AccountMap.of_json(first.accounts) if first else None

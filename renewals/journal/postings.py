"""From what a close posted to balanced double entries: one debit and one credit of the same amount each.

What is booked is owed by customers and not yet earned; what is recognised is earned of it. So `booked` and `credited`
go between receivables and deferred revenue, `recognised` and `caught_up` between deferred revenue and revenue.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple

from portal.errors import DomainError
from portal.wording import NOTHING
from renewals.journal.accounts import ROLES, AccountMap, MapRow, Origin, Role

Kind = Literal["booked", "credited", "recognised", "caught_up"]
KINDS: dict[Kind, str] = {
    "booked": "Booked",
    "credited": "Credited",
    "recognised": "Recognised",
    "caught_up": "Caught up",
}
# The account that a positive amount is debited to, and the one that it is credited to.
SIDES: dict[Kind, tuple[Role, Role]] = {
    "booked": ("receivables", "deferred"),
    "credited": ("receivables", "deferred"),
    "recognised": ("deferred", "revenue"),
    "caught_up": ("deferred", "revenue"),
}


class Entry(NamedTuple):
    """What a close posted: a signed amount in minor units. What was credited is negative, and so is what takes back."""

    number: int
    kind: Kind
    origin: Origin
    currency: str
    amount: int


class Account(NamedTuple):
    number: str
    name: str


class Line(NamedTuple):
    """A double entry: `account` is debited, or credited where not `is_debit`, and `contra` gets the other side.

    `amount` is above 0, in minor units of `currency`.
    """

    number: int
    day: date
    account: Account
    contra: Account
    is_debit: bool
    amount: int
    currency: str
    text: str
    origin: Origin

    @property
    def debited(self) -> Account:
        return self.account if self.is_debit else self.contra

    @property
    def credited(self) -> Account:
        return self.contra if self.is_debit else self.account


class File(NamedTuple):
    name: str
    content: bytes


class Hole(NamedTuple):
    """An account that the map lacks."""

    role: Role
    origin: Origin

    def in_words(self) -> str:
        place = self.origin
        return f"{ROLES[self.role]} of {place.product.name}, {place.country or NOTHING}, {place.segment or NOTHING}"


class Journal(NamedTuple):
    """A close's lines in the order of their numbers. `month` is its first day, `revision` counts its closes from 1."""

    month: date
    revision: int
    lines: Sequence[Line]

    @property
    def label(self) -> str:
        return f"{self.month:%Y-%m} r{self.revision}"


def journal_of(
    entries: Iterable[Entry], accounts: AccountMap, *, month: date, last_day: date, revision: int
) -> Journal:
    """The journal of a close, dated on the month's last day; an amount of 0 makes no line.

    Refuses `account_missing`, naming every hole of the map that is in the way.
    """
    posted = sorted((entry for entry in entries if entry.amount), key=lambda entry: entry.number)
    if holes := holes_of(posted, accounts):
        words = "; ".join(hole.in_words() for hole in holes)
        raise DomainError(
            "account_missing",
            f"The account map has no account for: {words}.",
            {"holes": [[hole.role, *hole.origin] for hole in holes]},
        )
    lines = [_line(entry, accounts, last_day) for entry in posted]
    assert all(debit == credit for debit, credit in totals_of(lines).values())
    return Journal(month, revision, lines)


def holes_of(entries: Iterable[Entry], accounts: AccountMap) -> list[Hole]:
    """What the map lacks for these entries."""
    return holes_in(((role, each.origin) for each in entries if each.amount for role in SIDES[each.kind]), accounts)


def holes_in(asked: Iterable[tuple[Role, Origin]], accounts: AccountMap) -> list[Hole]:
    """What the map has no account for, each once, in the order of the roles and then by name."""
    lacking = {Hole(role, origin) for role, origin in asked if accounts.row_for(role, origin) is None}
    roles = list(ROLES)
    return sorted(lacking, key=lambda hole: (roles.index(hole.role), hole.origin.product.name, *hole.origin[2:]))


class AccountSum(NamedTuple):
    """What an account is debited and credited with in a currency; minor units."""

    currency: str
    account: Account
    debit: int
    credit: int


def sums_by_account(lines: Iterable[Line]) -> list[AccountSum]:
    """What comes to each account, by currency and number."""
    sums: defaultdict[tuple[str, Account], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        sums[line.currency, line.debited][0] += line.amount
        sums[line.currency, line.credited][1] += line.amount
    return [AccountSum(*key, *sums[key]) for key in sorted(sums)]


def totals_of(lines: Iterable[Line]) -> dict[str, tuple[int, int]]:
    """Per currency what all accounts are debited with, and what they are credited with: the same."""
    totals: dict[str, tuple[int, int]] = {}
    for each in sums_by_account(lines):
        debit, credit = totals.get(each.currency, (0, 0))
        totals[each.currency] = debit + each.debit, credit + each.credit
    return totals


def _line(entry: Entry, accounts: AccountMap, day: date) -> Line:
    account, contra = (_account(accounts.row_for(role, entry.origin)) for role in SIDES[entry.kind])
    return Line(
        number=entry.number,
        day=day,
        account=account,
        contra=contra,
        is_debit=entry.amount > 0,
        amount=abs(entry.amount),
        currency=entry.currency,
        text=f"{KINDS[entry.kind]}: {entry.origin.product.name}",
        origin=entry.origin,
    )


def _account(row: MapRow | None) -> Account:
    assert row is not None  # holes are refused before
    return Account(row.account, row.name)

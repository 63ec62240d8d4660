"""What is on record, as far as a file touches it, and what is to be made: the values that planning works on. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from dongles.coverage import Period
from dongles.installed_base.faults import Fault

# On record


class RecordedCustomer(NamedTuple):
    """`emails` of its contacts are in lower case, `contact_names` folded. A spelling that was merged into another
    customer stands for that one."""

    id: int
    name: str
    country: str
    currency: str
    segment: str
    tax_status: str
    emails: frozenset[str]
    contact_names: frozenset[str]


class RecordedLicence(NamedTuple):
    """`periods` are all that were ever on record, `standing` those of them that were not cancelled."""

    id: int
    product: str
    seats: int
    acquired_on: date
    is_withdrawn: bool
    periods: frozenset[Period]
    standing: frozenset[Period]


class RecordedDongle(NamedTuple):
    id: int
    serial: str
    kind: str
    state: str
    customer_id: int | None
    expiry_on: date | None
    has_codes: bool
    licences: tuple[RecordedLicence, ...]


class Record(NamedTuple):
    """`customers` by folded name, `dongles` by serial."""

    customers: Mapping[str, Sequence[RecordedCustomer]]
    dongles: Mapping[str, RecordedDongle]


# To be made

Key = tuple[str, str]  # a customer's folded name and country


class PlannedCustomer(NamedTuple):
    """A customer that is new, or one on record (`id`) that gets contacts: pairs of name and e-mail address. `row` is
    the first of the file that names it."""

    row: int
    id: int | None
    name: str
    country: str
    currency: str
    segment: str
    tax_status: str
    contacts: tuple[tuple[str, str], ...]


class PlannedLicence(NamedTuple):
    """A licence that is new, or one on record (`id`) that gets periods."""

    id: int | None
    product: str
    seats: int
    acquired_on: date
    periods: tuple[Period, ...]


class PlannedDongle(NamedTuple):
    """A dongle that is new, or one on record (`id`) that gets something. `owner` is none where it has none, or keeps
    its own; `expiry_on` none where its date stays. `row` is the first of the file that names it."""

    row: int
    id: int | None
    serial: str
    kind: str
    owner: Key | None
    expiry_on: date | None
    licences: tuple[PlannedLicence, ...]


class Flags(NamedTuple):
    """Serials of dongles that are taken as they are and that somebody should look at, and rows whose contact has no
    e-mail address."""

    ragged: Sequence[str] = ()
    without_periods: Sequence[str] = ()
    without_owner: Sequence[str] = ()
    contacts_without_email: Sequence[int] = ()


class Plan(NamedTuple):
    """What is to be made, with the faults because of which nothing is. `owners` are the ids of the customers on record
    that the file names, `unchanged` counts the dongles of which it says nothing new, and `days` are the earliest and
    the latest day in it."""

    customers: Mapping[Key, PlannedCustomer]
    owners: Mapping[Key, int]
    dongles: Sequence[PlannedDongle]
    faults: Sequence[Fault]
    flags: Flags
    unchanged: int
    days: tuple[date, date] | None

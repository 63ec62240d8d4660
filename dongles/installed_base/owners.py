"""Gathers what a file says of customers and their contacts, dongle by dongle. Pure.

Customers are one by name (spaces and case do not matter) and country, never because they are alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from dongles.installed_base.faults import Fault
from dongles.installed_base.plans import Key, PlannedCustomer, Record, RecordedCustomer
from dongles.installed_base.rows import Choices, Row


def fold_name(name: str) -> str:
    """A customer's name as it is compared."""
    return " ".join(name.casefold().split())


class Customers:
    """Gathers what the rows say of customers. What is not stated comes from the record, then from the choices."""

    FACTS = ("currency", "segment", "tax_status")

    def __init__(self, record: Record, choices: Choices, rows: Iterable[Row]) -> None:
        self._record, self._choices, self._countries = record, choices, _stated_countries(rows)
        self._names: dict[Key, tuple[str, int]] = {}
        self._stated: dict[Key, dict[str, tuple[str, int]]] = defaultdict(dict)
        self._contacts: dict[Key, dict[str, tuple[str, str]]] = defaultdict(dict)
        self._names_alone: dict[Key, dict[str, str]] = defaultdict(dict)
        self._taken: dict[int, set[str]] = defaultdict(set)
        self._without_country: set[str] = set()
        self.faults: list[Fault] = []
        self.without_email: list[int] = []

    def owner_of(self, rows: Sequence[Row]) -> tuple[Key | None, list[Fault]]:
        """The one customer that the rows of a dongle name; a fault where they name two."""
        owners: dict[Key, Row] = {}
        for row in rows:
            key = self._gather(row)
            if key:
                owners.setdefault(key, row)
        if len(owners) > 1:
            first, second = list(owners.values())[:2]
            names = f"Row {first.number} says {first.customer}, {_country_of(first, owners)}"
            sentence = f"{names}; row {second.number} {second.customer}, {_country_of(second, owners)}."
            return None, [Fault("dongle_of_two_customers", second.number, "customer", sentence)]
        return next(iter(owners), None), []

    def _gather(self, row: Row) -> Key | None:
        if not row.customer:
            return None
        folded = fold_name(row.customer)
        country = row.country or self._usual_country(folded)
        if country is None:
            if folded not in self._without_country:
                self._without_country.add(folded)
                sentence = f"No row says in which country {row.customer} is."
                self.faults.append(Fault("country_missing", row.number, "country", sentence))
            return None
        key = (folded, country)
        self._names.setdefault(key, (row.customer, row.number))
        for name in self.FACTS:
            self._state(key, name, getattr(row, name), row)
        if row.contact_email:
            self._contacts[key].setdefault(
                row.contact_email.lower(), (row.contact_name or row.contact_email, row.contact_email)
            )
        elif row.contact_name:
            self.without_email.append(row.number)
            self._names_alone[key].setdefault(fold_name(row.contact_name), row.contact_name)
        return key

    def _usual_country(self, folded: str) -> str | None:
        """The country of a customer in a row that does not state it."""
        for known in (self._countries[folded], {each.country for each in self._record.customers.get(folded, ())}):
            if len(known) == 1:
                return next(iter(known))
        return self._choices.country or None

    def _state(self, key: Key, name: str, value: str | None, row: Row) -> None:
        if value is None:
            return
        before, number = self._stated[key].setdefault(name, (value, row.number))
        if before != value:
            what = name.replace("_", " ")
            sentence = f"The {what} of {row.customer} is {value} here and {before} in row {number}."
            self.faults.append(Fault("customer_differs", row.number, name, sentence))
        elif number == row.number and (known := self._known(key)) and getattr(known, name) != value:
            sentence = (
                f"The {name.replace('_', ' ')} of {known.name} is {value} here and {getattr(known, name)} on record."
            )
            self.faults.append(Fault("differs_from_record", row.number, name, sentence))

    def _known(self, key: Key) -> RecordedCustomer | None:
        folded, country = key
        return next((each for each in self._record.customers.get(folded, ()) if each.country == country), None)

    def ids_of(self, key: Key | None) -> set[int]:
        """The customers on record of this name and country; before somebody merges them there may be two."""
        if key is None:
            return set()
        return {each.id for each in self._record.customers.get(key[0], ()) if each.country == key[1]}

    def _new_contacts(self, key: Key, known: RecordedCustomer | None) -> tuple[tuple[str, str], ...]:
        """Pairs of name and address that are not on record. A name without an address is new where nobody of that name
        is known, neither on record nor in the file."""
        emails, names = (set(known.emails), set(known.contact_names)) if known else (set(), set())
        if known:  # two spellings of one customer share what is taken already
            emails |= self._taken[known.id]
            self._taken[known.id] |= self._contacts[key].keys()
        new = [contact for email, contact in self._contacts[key].items() if email not in emails]
        names |= {fold_name(name) for name, _ in self._contacts[key].values()}
        new += [(name, "") for folded, name in self._names_alone[key].items() if folded not in names]
        return tuple(new)

    def on_record(self) -> dict[Key, int]:
        """The ids of the customers that are on record already."""
        return {key: known.id for key in self._names if (known := self._known(key))}

    def planned(self) -> dict[Key, PlannedCustomer]:
        """The customers that are new or get contacts; faults where a new one lacks its currency."""
        found = {}
        for key, (name, number) in self._names.items():
            known = self._known(key)
            contacts = self._new_contacts(key, known)
            if known:
                if contacts:
                    facts_known = (known.name, known.country, known.currency, known.segment, known.tax_status)
                    found[key] = PlannedCustomer(number, known.id, *facts_known, contacts)
                continue
            facts = {each: self._stated[key].get(each, ("",))[0] or getattr(self._choices, each) for each in self.FACTS}
            if not facts["currency"]:
                sentence = f"No row says in which currency {name} is quoted."
                self.faults.append(Fault("currency_missing", number, "currency", sentence))
            found[key] = PlannedCustomer(number, None, name, key[1], **facts, contacts=contacts)
        return found


def _country_of(row: Row, owners: Mapping[Key, Row]) -> str:
    return next(country for (_, country), each in owners.items() if each is row)


def _stated_countries(rows: Iterable[Row]) -> dict[str, set[str]]:
    """The countries that the file states of each customer, by folded name."""
    stated: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.customer:
            stated[fold_name(row.customer)] |= {row.country} if row.country else set()
    return stated

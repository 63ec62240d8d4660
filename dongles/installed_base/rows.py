"""Reads the rows of a table into values, and says what is wrong with those that can't be read. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, partial
from typing import Any, NamedTuple

from dongles.installed_base import cells
from dongles.installed_base.cells import Unreadable
from dongles.installed_base.faults import Fault
from dongles.installed_base.fields import DAYS
from dongles.installed_base.sheets import Table
from dongles.installed_base.values import Cell


class Choices(NamedTuple):
    """What a person has chosen for a file: which column holds what (by index), and what holds where nothing stands.

    `order` is "day", "month" or "" (found out from the file); `shorter` what is done with serials shorter than nearly
    all others: "ask", "keep" or "fill".
    """

    columns: Mapping[str, int]
    country: str = ""
    currency: str = ""
    segment: str = "commercial"
    tax_status: str = "standard"
    kind: str = "dongle"
    order: str = ""
    shorter: str = "ask"


class Row(NamedTuple):
    """A row whose cells could all be read; what is not stated is none."""

    number: int
    serial: str
    product: str
    seats: int | None = None
    licence: str | None = None
    acquired_on: date | None = None
    sma_starts_on: date | None = None
    sma_ends_on: date | None = None
    expiry_on: date | None = None
    kind: str | None = None
    customer: str | None = None
    country: str | None = None
    currency: str | None = None
    segment: str | None = None
    tax_status: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None


class ReadRows(NamedTuple):
    """The rows that could be read, what is wrong with the others, and what was found out while reading."""

    rows: Sequence[Row]
    faults: Sequence[Fault]
    order: str
    order_by: str


Reader = Callable[[Cell], Any]
TOLD_EVERY = 1000


def read_rows(table: Table, choices: Choices, products: Mapping[str, str], tell: Callable[[int], None]) -> ReadRows:
    """Read every row. `products` are the codes of products by their folded codes and names."""
    order, order_by = _order_in(table, choices)
    readers = _readers(table, choices, products, order)
    rows: list[Row] = []
    faults: list[Fault] = []
    for count, (number, line) in enumerate(table.rows, 1):
        values: dict[str, Any] = {}
        found: list[Fault] = []
        for name, index, reader in readers:
            try:
                values[name] = reader(line[index])
            except Unreadable as error:
                found.append(Fault(error.code, number, name, error.sentence))
        found += _gaps(number, values, {fault.field for fault in found})
        if found:
            faults += found
        else:
            rows.append(Row(number, **values))
        if count % TOLD_EVERY == 0:
            tell(count)
    return ReadRows(rows, faults, order, order_by)


def _gaps(number: int, values: Mapping[str, Any], unreadable: set[str]) -> list[Fault]:
    """What a row lacks or says against itself."""
    found = []

    def lacks(name: str) -> bool:
        return values.get(name) is None and name not in unreadable

    if lacks("serial"):
        found.append(Fault("serial_missing", number, "serial", "The row has no serial number."))
    if lacks("product"):
        found.append(Fault("product_missing", number, "product", "The row has no product."))
    starts_on, ends_on, acquired_on = (values.get(name) for name in ("sma_starts_on", "sma_ends_on", "acquired_on"))
    if starts_on and lacks("sma_ends_on"):
        found.append(
            Fault("start_without_end", number, "sma_ends_on", f"The SMA starts on {starts_on} and has no end.")
        )
    if starts_on and ends_on and ends_on < starts_on:
        found.append(
            Fault("ends_before_start", number, "sma_ends_on", f"It starts on {starts_on} and ends on {ends_on}.")
        )
    elif acquired_on and (first := starts_on or ends_on) and first < acquired_on:
        field, verb = ("sma_starts_on", "starts") if starts_on else ("sma_ends_on", "ends")
        sentence = f"The licence was acquired on {acquired_on}, the SMA {verb} on {first}."
        found.append(Fault("period_before_acquired", number, field, sentence))
    told = [name for name in ("country", "currency", "contact_email", "contact_name") if values.get(name)]
    if told and lacks("customer") and "customer" in values:
        found.append(
            Fault("customer_missing", number, "customer", "The row names no customer, but says something of it.")
        )
    return found


def _order_in(table: Table, choices: Choices) -> tuple[str, str]:
    """The order of day and month, as chosen or as the columns of days show together, and what shows it."""
    if choices.order:
        return choices.order, ""
    indexes = [choices.columns[name] for name in DAYS if name in choices.columns]
    order, text = cells.order_of(line[index] for _, line in table.rows for index in indexes)
    return ("" if order == "both" else order), text


def _readers(table: Table, choices: Choices, products: Mapping[str, str], order: str) -> list[tuple[str, int, Reader]]:
    """Field, index of its column, and what reads its cells; a text that was read once is not read again."""
    day: Reader = partial(cells.read_day, order=order)
    readers: dict[str, Reader] = {
        "product": cache(partial(cells.read_product, products=products)),
        "seats": cells.read_seats,
        "licence": cells.read_text,
        **dict.fromkeys(DAYS, cache(day)),
        "customer": cells.read_text,
        "country": cache(cells.read_country),
        "currency": cache(cells.read_currency),
        **{name: cache(partial(cells.read_choice, field=name)) for name in ("kind", "segment", "tax_status")},
        "contact_name": cells.read_text,
        "contact_email": cells.read_email,
    }
    if "serial" in choices.columns:
        index = choices.columns["serial"]
        usual = cells.usual_length_of(line[index] for _, line in table.rows)
        readers["serial"] = partial(_read_serial, usual=usual, choices=choices, is_text=table.is_text)
    return [(name, choices.columns[name], readers[name]) for name in readers if name in choices.columns]


def _read_serial(cell: Cell, *, usual: int | None, choices: Choices, is_text: bool) -> str | None:
    """In a workbook a text is what somebody has typed; a number, or anything in a CSV, may have lost zeros."""
    is_sure = isinstance(cell, str) and not is_text
    return cells.read_serial(cell, usual_length=None if is_sure else usual, shorter=choices.shorter)

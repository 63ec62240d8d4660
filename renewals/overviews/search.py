"""What the search finds: one text, read as everything that it could name. One query a kind, each by an index."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Upper
from django.urls import reverse

from dongles.models import Dongle, UnlockCode
from dongles.unlock import NotASerial, canonical_serial
from portal.models import Contact, Customer
from portal.wording import count, country_name, write_day, write_expiry, write_money
from renewals.models import Order
from renewals.overviews.lists import newest_versions, orders_newest_first
from renewals.overviews.requests import requests_newest_first

MOST_OF_A_KIND = 8
SHORTEST_PART = 3  # letters or digits: shorter parts of words are in no index, only the beginnings of names

# “Q-000123”, “quote 123”, “q123”, with a version or without; of a number alone nobody knows whose it is.
NUMBERED = re.compile(
    r"(q|o|r|quote|order|request)[ #.:-]*0*([1-9][0-9]{0,17})(?: ?(?:-|,? ?v(?:ersion)?\.?) ?[0-9]{1,3})?",
    re.IGNORECASE,
)
NUMBER = re.compile(r"#?0*([1-9][0-9]{0,17})")
CODE = re.compile(r"(.+?)[ -]+([0-9]{1,3})[ -]+([0-9]{1,5})")


class Typed(NamedTuple):
    """A text with what it could be read as: a serial, a number of some kind (q, o, r; "" for any), an unlock code."""

    text: str
    serial: str
    letter: str
    number: int | None
    code: tuple[str, int, int] | None

    @property
    def words(self) -> list[str]:
        return self.text.split()

    @property
    def is_long_enough(self) -> bool:
        """Whether parts of words can be looked for, rather than beginnings of names alone."""
        return any(sum(map(str.isalnum, word)) >= SHORTEST_PART for word in self.words)

    def number_of(self, letter: str) -> int | None:
        return self.number if self.letter in ("", letter) else None

    def is_exact(self, name: str) -> bool:
        """Whether the text is this name in full, whatever the case and the spaces."""
        return self.text.casefold() == " ".join(name.split()).casefold()


class Hit(NamedTuple):
    """Something found, with enough to recognise it. It is exact where the text names it in full."""

    title: str
    address: str
    about: str
    customer: Customer | None = None
    state: str = ""
    is_exact: bool = False


class Found(NamedTuple):
    """What was found of a kind, the best first; `has_more` than is shown, all of it at `all_address` if a list does."""

    noun: str
    hits: Sequence[Hit]
    has_more: bool
    all_address: str

    @property
    def number_in_words(self) -> str:
        return f"{count(len(self.hits), self.noun)}{' or more' if self.has_more else ''}"


def search_results(text: str, today: date) -> Sequence[Found]:
    """What the text finds, by kind: the kinds with an exact hit first."""
    typed = read_typed(text)
    if not typed.text:
        return []
    found = []
    for noun, read in READS.items():
        hits = sorted(read(typed, today), key=lambda hit: not hit.is_exact)
        if hits:
            shown, has_more = hits[:MOST_OF_A_KIND], len(hits) > MOST_OF_A_KIND
            list_name = LISTS.get(noun)
            address = f"{reverse(list_name)}?{urlencode({'q': typed.text})}" if list_name and has_more else ""
            found.append(Found(noun, shown, has_more, address))
    return sorted(found, key=lambda kind: not kind.hits[0].is_exact)


def the_one_meant(found: Sequence[Found]) -> Hit | None:
    """The one hit that is exact, else the only hit that there is; none where there is a choice."""
    hits = [hit for kind in found for hit in kind.hits]
    exact = [hit for hit in hits if hit.is_exact]
    candidates = exact or hits
    return candidates[0] if len(candidates) == 1 else None


def read_typed(text: str) -> Typed:
    """A text as everything that it could be."""
    text = " ".join(text.split())
    numbered, alone, code = NUMBERED.fullmatch(text), NUMBER.fullmatch(text), CODE.fullmatch(text)
    code_serial = _serial(code[1]) if code else ""
    return Typed(
        text=text,
        serial=_serial(text),
        letter=numbered[1][0].lower() if numbered else "",
        number=int(numbered[2]) if numbered else int(alone[1]) if alone else None,
        code=(code_serial, int(code[2]), int(code[3])) if code and code_serial else None,
    )


def _serial(text: str) -> str:
    try:
        return canonical_serial(text)
    except NotASerial:
        return ""


def _dongles(typed: Typed, today: date) -> Sequence[Hit]:
    """By the whole serial or its beginning."""
    if not typed.serial:
        return []
    return [
        Hit(
            title=dongle.serial,
            address=reverse("renewals:dongle", args=[dongle.serial]),
            about=f"SMA {write_expiry(dongle.issued_expiry_on, today)}" if dongle.issued_expiry_on else "No SMA date",
            customer=dongle.customer,
            state=dongle.state,
            is_exact=dongle.serial == typed.serial,
        )
        for dongle in _first(Dongle.objects.select_related("customer"), Q(serial__startswith=typed.serial), "serial")
    ]


def _customers(typed: Typed, today: date) -> Sequence[Hit]:
    """By words of the name, or by its beginning where they are too short; names that begin with the text first."""
    is_named = _all_in("name", typed.words) if typed.is_long_enough else Q(name__istartswith=typed.text)
    order = (_closeness("name", typed.text), Upper("name"), "pk")
    return [
        Hit(
            title=customer.name,
            address=_customer_address(customer),
            about=f"{country_name(customer.country)}, {customer.currency}, {customer.get_segment_display().lower()}",
            is_exact=typed.is_exact(customer.name),
        )
        for customer in _first(Customer.objects.all(), is_named, *order)
    ]


def _contacts(typed: Typed, today: date) -> Sequence[Hit]:
    """By words of the name or a part of the e-mail address; who has left comes last."""
    if not typed.is_long_enough:
        return []
    is_meant = _all_in("name", typed.words) | Q(email__icontains=typed.text)
    who_is_there = F("left_on").desc(nulls_first=True)
    order = (_closeness("email", typed.text), who_is_there, Upper("name"), "pk")
    return [
        Hit(
            title=contact.name,
            address=f"{_customer_address(contact.customer)}#contacts",
            about=f"{contact.email}{f', left {write_day(contact.left_on)}' if contact.left_on else ''}",
            customer=contact.customer,
            is_exact=typed.is_exact(contact.email),
        )
        for contact in _first(_contacts_on_file(), is_meant, *order)
    ]


def _contacts_on_file() -> QuerySet[Contact]:
    """Without those that two spellings of a customer had in common: they are on file with the one that was kept."""
    return Contact.objects.filter(customer__merged_into__isnull=True).select_related("customer")


def _quotes(typed: Typed, today: date) -> Sequence[Hit]:
    number = typed.number_of("q")
    if number is None:
        return []
    return [
        Hit(
            title=f"{version.quote.number} version {version.number}",
            address=reverse("renewals:quote_version", args=[version.quote_id, version.number]),
            about=f"{write_money(version.total, version.currency)}, priced {write_day(version.priced_on)}",
            customer=version.quote.customer,
            state="expired" if version.is_expired_on(today) else version.state,
            is_exact=typed.letter == "q",
        )
        for version in newest_versions().filter(quote=number)
    ]


def _orders(typed: Typed, today: date) -> Sequence[Hit]:
    """By the order's number, or the whole or a part of the purchase order's."""
    part = "icontains" if typed.is_long_enough else "iexact"
    is_meant, number = Q(**{f"purchase_order_number__{part}": typed.text}), typed.number_of("o")
    if number is not None:
        is_meant |= Q(pk=number)
    return [
        Hit(
            title=order.number,
            address=reverse("renewals:order", args=[order.pk]),
            about=_about_order(order),
            customer=order.customer,
            state=order.state,
            is_exact=typed.is_exact(order.purchase_order_number) or (typed.letter == "o" and order.pk == number),
        )
        for order in _first(orders_newest_first(), is_meant, _closeness("purchase_order_number", typed.text), "-pk")
    ]


def _about_order(order: Order) -> str:
    bought = f"Purchase order {order.purchase_order_number}, " if order.purchase_order_number else ""
    return f"{bought}{write_money(order.version.total, order.version.currency)}, {write_day(order.accepted_on)}"


def _requests(typed: Typed, today: date) -> Sequence[Hit]:
    number = typed.number_of("r")
    if number is None:
        return []
    return [
        Hit(
            title=request.number,
            address=reverse("renewals:request", args=[request.pk]),
            about=f"{request.name}, for dongle {request.serial}",
            customer=request.dongle.customer if request.dongle else None,
            state=request.state,
            is_exact=typed.letter == "r",
        )
        for request in requests_newest_first().filter(pk=number)
    ]


def _codes(typed: Typed, today: date) -> Sequence[Hit]:
    """By a code's whole name: serial, generation and number."""
    if typed.code is None:
        return []
    serial, generation, sequence = typed.code
    codes = UnlockCode.objects.filter(dongle__serial=serial, generation=generation, sequence=sequence)
    return [
        Hit(
            title=f"Code {code}",
            address=reverse("dongles:code", args=[code.pk]),
            about=f"SMA date {write_day(code.expiry_on)}, issued {write_day(code.issued_on)}",
            customer=code.dongle.customer,
            is_exact=True,
        )
        for code in codes.select_related("dongle__customer").defer("letters", "licences")
    ]


def _first(rows: QuerySet[Any], is_meant: Q, *order: Any) -> Sequence[Any]:
    """Of what is meant as many as are shown, and one more to know that there are more; chosen before being joined."""
    keys = rows.model._default_manager.filter(is_meant).order_by(*order).values("pk")[: MOST_OF_A_KIND + 1]
    return list(rows.filter(pk__in=keys).order_by(*order))


def _all_in(field: str, words: Sequence[str]) -> Q:
    return Q(*(Q(**{f"{field}__icontains": word}) for word in words))


def _closeness(field: str, text: str) -> Case:
    """The whole text first, then what begins with it, then the rest."""
    is_whole, begins = ({f"{field}__{lookup}": text} for lookup in ("iexact", "istartswith"))
    return Case(When(**is_whole, then=Value(0)), When(**begins, then=Value(1)), default=2, output_field=IntegerField())


def _customer_address(customer: Customer) -> str:
    return reverse("renewals:customer", args=[customer.pk])


# How each kind is found, in the order in which they are shown; and the lists that show all of a kind.
READS = {
    "dongle": _dongles,
    "customer": _customers,
    "contact": _contacts,
    "quote": _quotes,
    "order": _orders,
    "request": _requests,
    "unlock code": _codes,
}
LISTS = {"dongle": "dongles:find", "customer": "renewals:customers"}

"""What is not right with the data on record, each with what mends it. A fixed number of queries, however much there is.

Only what can be sold for counts: dongles that are active, licences that are not withdrawn.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from dongles.models import Dongle, Licence, SmaPeriod
from portal.models import Contact, Customer, Job
from portal.wording import write_day
from renewals.models import CustomerMerge, Resemblance

# Per dongle the least and the latest C(l) of its licences (C4); ragged where they differ (C3).
RAGGED = """
WITH covered AS (
    SELECT licence.dongle_id, coalesce(max(period.ends_on), licence.acquired_on) AS through
    FROM dongles_licence licence
    LEFT JOIN dongles_smaperiod period ON period.licence_id = licence.id AND NOT period.is_cancelled
    WHERE licence.withdrawn_on IS NULL GROUP BY licence.id
), ragged AS (
    SELECT dongle.serial, customer.name, min(covered.through) AS least, max(covered.through) AS latest
    FROM covered
    JOIN dongles_dongle dongle ON dongle.id = covered.dongle_id AND dongle.state = 'active'
    JOIN portal_customer customer ON customer.id = dongle.customer_id
    GROUP BY dongle.id, customer.id HAVING min(covered.through) <> max(covered.through)
)
"""
COUNT_RAGGED = "SELECT count(*) FROM ragged"
READ_RAGGED = "SELECT serial, name, least, latest FROM ragged ORDER BY latest DESC, serial LIMIT %s OFFSET %s"


class Finding(NamedTuple):
    """Something that is not right: what, what is known about it, and the addresses of what mends it."""

    what: str
    address: str
    about: str
    customer: str
    mends: Sequence[tuple[str, str]]


class Flaw(NamedTuple):
    """A kind of what is not right: its name, why it matters (and by which rule), how many there are, and those from one
    on.
    """

    name: str
    why: str
    how_many: Callable[[], int]
    read: Callable[[date, int, int], Sequence[Finding]]
    rule: str = ""


def _ragged_count() -> int:
    with connection.cursor() as cursor:
        cursor.execute(RAGGED + COUNT_RAGGED)
        return int(cursor.fetchone()[0])


def _ragged(today: date, first: int, length: int) -> Sequence[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(RAGGED + READ_RAGGED, [length, first])
        rows = cursor.fetchall()
    return [
        Finding(
            f"Dongle {serial}",
            reverse("renewals:dongle", args=[serial]),
            f"Covered through days between {write_day(least)} and {write_day(latest)}",
            customer,
            [(_words_for_quote(latest, today), _quote_for(serial, latest, today))],
        )
        for serial, customer, least, latest in rows
    ]


def _words_for_quote(latest: date, today: date) -> str:
    return f"Align to {write_day(latest)}" if latest >= today else "Make a quote"


def _quote_for(serial: str, latest: date, today: date) -> str:
    """The builder, asking what brings the licences to one day: alignment to E (P2), or renewal where all is over."""
    asked = f"align_to={latest.isoformat()}" if latest >= today else "renew_years=1"
    return f"{reverse('renewals:quote_builder', args=[serial])}?{asked}"


def _without_periods() -> QuerySet[Licence]:
    periods = SmaPeriod.objects.filter(licence=OuterRef("pk"), is_cancelled=False)
    licences = Licence.objects.filter(withdrawn_on__isnull=True, dongle__state=Dongle.State.ACTIVE)
    return licences.filter(~Exists(periods)).select_related("dongle__customer", "product")


def _periodless(today: date, first: int, length: int) -> Sequence[Finding]:
    found = _without_periods().order_by("dongle__serial", "pk")[first : first + length]
    return [
        Finding(
            f"{each.product} on dongle {each.dongle.serial}",
            reverse("renewals:dongle", args=[each.dongle.serial]),
            f"Acquired {write_day(each.acquired_on)}, never covered",
            each.dongle.customer.name if each.dongle.customer else "",
            [
                ("Make a quote", f"{reverse('renewals:quote_builder', args=[each.dongle.serial])}?renew_years=1"),
                ("Withdraw it", reverse("renewals:withdraw", args=[each.dongle.serial, each.pk])),
            ],
        )
        for each in found
    ]


def _contacts_without_email() -> QuerySet[Contact]:
    contacts = Contact.objects.filter(email="", left_on__isnull=True, customer__merged_into__isnull=True)
    return contacts.select_related("customer")


def _unmailable(today: date, first: int, length: int) -> Sequence[Finding]:
    found = _contacts_without_email().order_by("customer__name", "pk")[first : first + length]
    return [
        Finding(
            each.name,
            reverse("renewals:customer", args=[each.customer_id]),
            "No e-mail address",
            each.customer.name,
            [("Enter the address", reverse("renewals:contact", args=[each.customer_id, each.pk]))],
        )
        for each in found
    ]


def _unreachable_customers() -> QuerySet[Customer]:
    reachable = Contact.objects.filter(customer=OuterRef("pk"), left_on__isnull=True).exclude(email="")
    owning = Dongle.objects.filter(customer=OuterRef("pk"), state=Dongle.State.ACTIVE)
    return Customer.objects.filter(~Exists(reachable), Exists(owning))


def _unreachable(today: date, first: int, length: int) -> Sequence[Finding]:
    found = _unreachable_customers().order_by("name", "pk")[first : first + length]
    return [
        Finding(
            each.name,
            reverse("renewals:customer", args=[each.pk]),
            "Owns dongles, and nobody can be mailed",
            each.name,
            [("Add a contact", reverse("renewals:new_contact", args=[each.pk]))],
        )
        for each in found
    ]


def _ownerless_dongles() -> QuerySet[Dongle]:
    return Dongle.objects.filter(customer__isnull=True, state=Dongle.State.ACTIVE)


def _ownerless(today: date, first: int, length: int) -> Sequence[Finding]:
    found = _ownerless_dongles().order_by(F("issued_expiry_on").desc(nulls_last=True), "serial")
    return [
        Finding(
            f"Dongle {each.serial}",
            reverse("renewals:dongle", args=[each.serial]),
            f"SMA date {write_day(each.issued_expiry_on)}" if each.issued_expiry_on else "No SMA date",
            "",
            [("Say whose it is", reverse("renewals:transfer", args=[each.serial]))],
        )
        for each in found[first : first + length]
    ]


def _open_resemblances() -> QuerySet[Resemblance]:
    standing = Q(one__merged_into__isnull=True, other__merged_into__isnull=True, dismissed_at__isnull=True)
    return Resemblance.objects.filter(standing).select_related("one", "other")


def _doubles(today: date, first: int, length: int) -> Sequence[Finding]:
    return [
        Finding(
            f"{each.one.name} – {each.other.name}",
            reverse("renewals:merge", args=[each.pk]),
            "The same but for case, accents or legal form" if each.likeness == 100 else f"{each.likeness}% alike",
            f"{each.one.country}, {each.one.currency} – {each.other.country}, {each.other.currency}",
            [("Compare and merge", reverse("renewals:merge", args=[each.pk]))],
        )
        for each in _open_resemblances().order_by("-likeness", "pk")[first : first + length]
    ]


FLAWS = {
    "ragged": Flaw(
        "Ragged dongles",
        "Licences of one dongle are covered through different days. The next quote brings them to one day.",
        _ragged_count,
        _ragged,
        rule="C3",
    ),
    "periodless": Flaw(
        "Licences never covered",
        "A licence without a single SMA period: was it forgotten on import, or never bought?",
        lambda: _without_periods().order_by().count(),
        _periodless,
    ),
    "unmailable": Flaw(
        "Contacts without an e-mail address",
        "Neither quotes nor codes nor reminders reach them.",
        lambda: _contacts_without_email().count(),
        _unmailable,
    ),
    "unreachable": Flaw(
        "Customers nobody can write to",
        "They own dongles and have no contact with an e-mail address who has not left.",
        lambda: _unreachable_customers().count(),
        _unreachable,
    ),
    "ownerless": Flaw(
        "Dongles without an owner",
        "Nothing can be quoted for them.",
        lambda: _ownerless_dongles().count(),
        _ownerless,
    ),
    "doubles": Flaw(
        "Two spellings of one customer",
        "Their dongles are quoted apart, and each gets mails of its own.",
        lambda: _open_resemblances().count(),
        _doubles,
    ),
}


def counts_of_flaws() -> dict[str, int]:
    """How many there are of each kind."""
    return {key: flaw.how_many() for key, flaw in FLAWS.items()}


def last_look_for_doubles() -> Job | None:
    """The newest job that looked for customers entered twice."""
    return Job.objects.filter(kind="double_customers").order_by("-pk").first()


def merged_lately(limit: int = 10) -> Sequence[CustomerMerge]:
    """The newest merges that stand."""
    standing = CustomerMerge.objects.filter(undone_at__isnull=True).select_related("kept", "merged", "merged_by")
    return list(standing.order_by("-pk")[:limit])


class Side(NamedTuple):
    """One of two customers that may be one, with what it has."""

    customer: Customer
    dongles: int
    quotes: int
    orders: int
    contacts: Sequence[Contact]


def sides_of(resemblance: Resemblance) -> Sequence[Side]:
    """Both customers of a pair, the one that has more first: it is the one to keep unless somebody says otherwise."""
    sides = [
        Side(
            customer,
            customer.dongles.count(),
            customer.quotes.count(),
            customer.orders.count(),
            list(customer.contacts.order_by("pk")),
        )
        for customer in (resemblance.one, resemblance.other)
    ]
    return sorted(sides, key=lambda side: (side.orders, side.quotes, side.dongles), reverse=True)


def differences_of(one: Customer, other: Customer) -> Sequence[tuple[str, Any, Any]]:
    """What is kept differently for the two: what it is called, and both values."""
    named = {
        "Country": "country",
        "Currency": "currency",
        "Price list": "get_segment_display",
        "Tax": "get_tax_status_display",
        "Fulfilled": "get_fulfil_on_display",
        "Language of documents": "locale",
        "Looked after by": "owner",
    }
    found = []
    for name, field in named.items():
        values = [getattr(each, field) for each in (one, other)]
        shown = [value() if callable(value) else value or "nobody" for value in values]
        if shown[0] != shown[1]:
            found.append((name, shown[0], shown[1]))
    return found

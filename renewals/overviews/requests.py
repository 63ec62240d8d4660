"""What the pages of requests for a quote show."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from dongles.models import Dongle, Product
from portal.models import Customer
from portal.spelling import folded_address
from portal.trail import history_of
from portal.wording import count
from renewals.models import PolicySettings, RenewalRequest, RequestedDongle
from renewals.states import RequestState

# What the portal found, in a few words for lists.
IN_SHORT = {
    "unknown_serial": "serial number not on record",
    "recipient_not_on_file": "not a contact on file",
    "dongle_without_owner": "dongle without an owner",
    "dongle_not_active": "dongle lost or replaced",
}


class Askable(NamedTuple):
    """What a visitor may ask for: licences of these products, a renewal for so many years at most."""

    products: Sequence[Product]
    most_years: int


def askable_on(day: date) -> Askable:
    """What the public page offers, the same to everybody; where no policy is in force, its usual five years."""
    policy = PolicySettings.objects.filter(valid_from__lte=day).order_by("-valid_from").first()
    return Askable(list(Product.objects.order_by("family__name", "number")), policy.max_years if policy else 5)


def requests_newest_first() -> QuerySet[RenewalRequest]:
    return RenewalRequest.objects.select_related("dongle__customer__owner", "quote", "recorded_by").order_by("-pk")


def request_overview(request: RenewalRequest) -> dict[str, Any]:
    """A request's page. A quote goes only to contacts on file (Q5), so it says whether who asks is one."""
    asked = list(request.dongles.select_related("dongle__customer", "quote"))
    customer = request.dongle.customer if request.dongle else None
    contacts = list(customer.reachable_contacts()) if customer else []
    waiting = [each for each in asked if each.quote is None]
    return {
        "asked": request,
        "dongles": asked,
        "is_quoted_at_once": bool(asked) and not waiting,
        "wanted": wishes_in_words(request.wanted, len(asked)),
        "builder": _builder(request, waiting, customer),
        "other_customers": sorted({str(its) for each in waiting if (its := _owner(each)) and its != customer}),
        "customer": customer,
        "contacts": contacts,
        "is_on_file": any(folded_address(contact.email) == folded_address(request.email) for contact in contacts),
        "is_open": request.state == RequestState.OPEN,
        "history": history_of(request),
    }


def wishes_in_words(wanted: Mapping[str, Any], dongles: int) -> list[str]:
    """What a visitor wants: “Renew for 2 years”, “2 seats more of Volocity Quantitation on dongle 104233”."""
    years, added = wanted.get("renew_years"), wanted.get("added", ())
    products = Product.objects.in_bulk([each["product"] for each in added], field_name="code")
    words = [f"Renew for {count(years, 'year')}"] if years else []
    for each in added:
        product = products.get(each["product"])
        on = f" on dongle {each['serial']}" if dongles > 1 else ""
        words.append(f"{count(each['seats'], 'seat')} more of {product or each['product']}{on}")
    return words


def standing_in_short(request: RenewalRequest) -> str:
    """Why an open request waits for sales, for lists: “not a contact on file”; nothing where sales recorded it."""
    if not request.is_public:
        return ""
    if request.looked_up_at is None:
        return "not looked up yet"
    waiting = [each for each in request.dongles.all() if each.quote_id is None]
    if not waiting:
        return "quoted at once, with a message to read"
    return ", ".join(dict.fromkeys(IN_SHORT.get(each.finding, "can’t be priced") for each in waiting))


def dongles_in_short(request: RenewalRequest) -> str:
    """“dongle 104-233”, or how many."""
    asked = request.dongles.all()
    return f"dongle {request.serial}" if len(asked) < 2 else count(len(asked), "dongle")


def _owner(each: RequestedDongle) -> Customer | None:
    return each.dongle.customer if each.dongle else None


def _builder(request: RenewalRequest, waiting: Sequence[RequestedDongle], customer: Customer | None) -> str:
    """The address of the builder with what is asked for the customer's dongles that wait; none where nobody has one."""
    its = [
        each
        for each in waiting
        if each.dongle and _owner(each) == customer and each.dongle.state == Dongle.State.ACTIVE
    ]
    if customer is None or not its:
        return ""
    first, *others = its
    asked: list[tuple[str, Any]] = [("request", request.pk)]
    if request.wanted:
        asked += [("renew_years", request.wanted.get("renew_years") or "")]
    asked += [("dongles", each.dongle.serial) for each in others if each.dongle]
    for each in its:
        for licence in request.wanted.get("added", ()):
            if licence["serial"] == each.serial and each.dongle:
                asked.append((f"add_{each.dongle.serial}_{licence['product']}", licence["seats"]))
    assert first.dongle is not None
    return f"{reverse('renewals:quote_builder', args=[first.dongle.serial])}?{urlencode(asked)}"

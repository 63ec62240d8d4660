"""How dongles stand for those who use them, and what they can do next about each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from dongles.models import Dongle, Licence
from portal.models import Customer
from portal.wording import count, write_day, write_money, write_validity
from renewals.models import Order, QuoteDongle, QuoteVersion
from renewals.overviews.dongles import LicenceStanding, standings_by_dongle
from renewals.states import OrderState, QuoteState


class Step(NamedTuple):
    """What to do next: a link of a few words, and what it is about. Without an address there is nothing to do."""

    label: str
    address: str = ""
    about: str = ""


class OwnDongle(NamedTuple):
    """A dongle of the customer's: what it carries in words, how its SMA stands, and what to do next.

    `waiting_code` is the id of a code that is to be applied, `quote` the newest that is open for it, `order` one that
    waits for its payment.
    """

    dongle: Dongle
    licences: Sequence[str]
    status: str
    standing: str
    step: Step
    standings: Sequence[LicenceStanding]
    waiting_code: int | None
    quote: QuoteVersion | None
    order: Order | None

    @property
    def is_active(self) -> bool:
        return self.dongle.state == Dongle.State.ACTIVE


def stand(customer: Customer, dongles: Sequence[Dongle], today: date) -> Sequence[OwnDongle]:
    """How these dongles of the customer's stand, read by `with_waiting_code`; in six queries however many they are."""
    standings_by_id = standings_by_dongle(dongles, today)
    quotes, orders = _open_quotes(customer, standings_by_id, today), _unpaid_orders(customer, standings_by_id)
    found = []
    for dongle in dongles:
        status, standings = standings_by_id[dongle.pk]
        waiting_code = dongle.waiting_code if dongle.state == Dongle.State.ACTIVE else None  # type: ignore[attr-defined]  # annotated by with_waiting_code
        each = OwnDongle(
            dongle,
            [licence_in_words(each.licence) for each in standings],
            status,
            standing_in_words(dongle, standings, today),
            Step("Nothing to do"),
            standings,
            waiting_code,
            quotes.get(dongle.pk),
            orders.get(dongle.pk),
        )
        found.append(each._replace(step=step_for(each, today)))
    return found


def _open_quotes(customer: Customer, dongle_ids: Iterable[int], today: date) -> Mapping[int, QuoteVersion]:
    """Per dongle (id) the newest quote that is sent and valid."""
    quoted = QuoteDongle.objects.filter(
        dongle__in=list(dongle_ids),
        version__state=QuoteState.SENT,
        version__valid_until__gte=today,
        version__quote__customer=customer,
    )
    rows = quoted.select_related("version__quote").only("dongle_id", "version__quote", *SHOWN_OF_VERSIONS)
    return {row.dongle_id: row.version for row in rows.order_by("version__quote_id")}


SHOWN_OF_VERSIONS = ("version__total", "version__currency", "version__valid_until", "version__number")


def _unpaid_orders(customer: Customer, dongle_ids: Iterable[int]) -> Mapping[int, Order]:
    """Per dongle (id) the order that waits for its payment."""
    orders = Order.objects.filter(
        customer=customer, state=OrderState.ACCEPTED, version__dongles__dongle__in=list(dongle_ids)
    )
    rows = orders.values_list("version__dongles__dongle", "pk").order_by("pk")
    return {dongle_id: Order(pk=pk) for dongle_id, pk in rows}


def licence_in_words(licence: Licence) -> str:
    """“Volocity Visualisation”, and the seats where there are more than one."""
    return f"{licence.product}{f', {licence.seats} seats' if licence.seats > 1 else ''}"


def standing_in_words(dongle: Dongle, standings: Sequence[LicenceStanding], today: date) -> str:
    """How a dongle's SMA stands: “SMA valid until 14 Sep 2027, for 9 months more”."""
    if dongle.state == Dongle.State.LOST:
        return "On record as lost"
    if dongle.state == Dongle.State.RETIRED:
        return "No longer in use"
    if not standings:
        return "No licence on it yet"
    ends = [each.covered_through for each in standings]
    never = sum(not each.covered.periods for each in standings)
    ended = sum(end < today for end in ends)
    if never == len(ends):
        return "Never had an SMA"
    if min(ends) == max(ends):
        return f"SMA {write_validity(max(ends), today)}"
    if ended == len(ends):
        return f"SMA {write_validity(max(ends), today)}, and earlier for some licences"
    if ended:
        return f"SMA {write_validity(max(ends), today)}; ended for {ended} of {count(len(ends), 'licence')}"
    return f"SMA valid until different days, from {write_day(min(ends))} to {write_day(max(ends))}"


def step_for(each: OwnDongle, today: date) -> Step:
    """What to do next about a dongle: apply, pay, decide, renew, or nothing."""
    serial = each.dongle.serial
    if not each.is_active:
        return Step("See what became of it", reverse("renewals:my_dongle", args=[serial]))
    if each.waiting_code:
        return Step("Apply the code that waits", reverse("dongles:my_code", args=[serial, each.waiting_code]))
    if each.order:
        address = reverse("renewals:my_order", args=[each.order.pk])
        return Step("See the order", address, f"Order {each.order.number} waits for its payment")
    if each.quote and each.quote.valid_until:
        total, until = write_money(each.quote.total, each.quote.currency), write_day(each.quote.valid_until)
        about = f"Quote {each.quote.quote.number}, {total}, is valid until {until}"
        return Step("Look at the quote", my_quote_address(each.quote.quote_id), about)
    if each.status == "empty":
        return Step("Add a licence", renewal_address([serial], way="add"))
    if each.status != "valid":
        return Step("Renew", renewal_address([serial]))
    ends = {standing.covered_through for standing in each.standings}
    if len(ends) > 1:
        return Step("Bring to one date", renewal_address([serial], align_to=max(ends).isoformat()))
    return Step("Nothing to do")


def renewal_address(serials: Iterable[str], **asked: str) -> str:
    """The page on which the customer asks for a quote for these dongles."""
    return f"{reverse('renewals:my_renew')}?{urlencode({'dongle': list(serials), **asked}, doseq=True)}"


def my_quote_address(quote_id: int) -> str:
    """The customer's own page of a quote."""
    return reverse("renewals:my_quote", args=[quote_id])

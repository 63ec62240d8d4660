"""What a visitor has asked for on the public page (Q5): quoted at once to contacts on file, or diagnosed for sales."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from dongles.models import Dongle
from dongles.queries import find_dongle, successors_of
from portal.access import check_ability
from portal.audit import Actor, Deed, record
from portal.errors import DomainError
from portal.models import Contact, Customer, has_address
from portal.wording import write_day
from renewals.models import Quote, RenewalRequest, RequestedDongle
from renewals.pricing import AddedLicence
from renewals.queries import DongleRequest, price_quote
from renewals.services.self_service import quote_at_once
from renewals.states import RequestState

PORTAL = Actor("Request page")


@transaction.atomic
def answer_at_once(*, request: RenewalRequest, actor: Actor, at: datetime) -> RenewalRequest:
    """Q5: look up the dongles of a public request; for each customer that has the e-mail address on file, quote them.

    All that can't be quoted is kept with its diagnosis, and the request stays open for sales; so it does where there is
    a message to read. Nobody is mailed who is not on file. Looked up again, nothing happens; neither where sales has
    taken the request up meanwhile.
    """
    check_ability(actor, "sell")
    request = RenewalRequest.objects.get(pk=request.pk)
    if request.looked_up_at is not None or request.state != RequestState.OPEN or request.quote_id is not None:
        return request
    asked = list(request.dongles.all())
    _find(asked)
    groups = _by_contact(asked, request.email)
    is_whole = not request.message and sum(map(len, groups.values())) == len(asked)
    for number, (contact, its) in enumerate(groups.items(), 1):
        priced = _priced(contact.customer, its, request.wanted, at)
        is_whole = is_whole and priced == its
        answers = request if is_whole and number == len(groups) else None
        if not (priced and _quote(contact, priced, request, answers, actor, at)):
            is_whole = False
    return _keep(request, asked, actor, at)


def _find(asked: Sequence[RequestedDongle]) -> None:
    """Match the serials with the dongles on record; what is not there, or nobody's, is said."""
    for each in asked:
        each.dongle = find_dongle(each.serial)
        if each.dongle is None:
            _diagnose(each, "unknown_serial", "No dongle on record has this serial number. Ask for its label.")
        elif each.dongle.state != Dongle.State.ACTIVE:
            _diagnose(each, "dongle_not_active", _what_became_of(each.dongle))
        elif each.dongle.customer is None:
            words = "The dongle has no owner on record. Find out whose it is and put that on record, then quote it."
            _diagnose(each, "dongle_without_owner", words)
    RequestedDongle.objects.bulk_update(asked, ["dongle"])  # a quote answers a request about its customer's dongles


def _what_became_of(dongle: Dongle) -> str:
    chain = successors_of([dongle.pk])[dongle.pk]
    if chain:
        return f"The dongle was replaced by dongle {Dongle.objects.get(pk=chain[-1])}: quote that one (Q8)."
    return f"The dongle is {dongle.get_state_display().lower()}: nothing is sold for it before that is cleared up."


def _by_contact(asked: Sequence[RequestedDongle], email: str) -> dict[Contact, list[RequestedDongle]]:
    """What may be quoted at once, by the contact who gets it; in the order of customers, in which quotes are locked."""
    groups: dict[int, list[RequestedDongle]] = {}
    for each in asked:
        if each.dongle is not None and each.dongle.customer_id is not None and not each.finding:
            groups.setdefault(each.dongle.customer_id, []).append(each)
    found = {}
    for customer in Customer.objects.filter(pk__in=groups).order_by("pk"):
        contact = customer.reachable_contacts().select_related("customer").filter(has_address(email)).first()
        if contact is not None:
            found[contact] = groups[customer.pk]
            continue
        words = _why_not(customer, email)
        for each in groups[customer.pk]:
            _diagnose(each, "recipient_not_on_file", words)
    return found


def _why_not(customer: Customer, email: str) -> str:
    """That the address is not the customer's, and who is on file."""
    left = customer.contacts.filter(has_address(email), left_on__isnull=False).first()
    elsewhere = Customer.objects.filter(contacts__in=Contact.objects.filter(has_address(email), left_on__isnull=True))
    others = ", ".join(elsewhere.exclude(pk=customer.pk).order_by("name").distinct().values_list("name", flat=True)[:3])
    on_file = ", ".join(map(str, customer.reachable_contacts()[:5])) or "nobody with an e-mail address"
    words = [f"The dongle belongs to {customer.name}, where {email} is not on file."]
    if left is not None and left.left_on is not None:
        words = [f"The dongle belongs to {customer.name}, which {left.name} has left on {write_day(left.left_on)}."]
    if others:
        words.append(f"The address is on file with {others}.")
    words.append(f"On file is: {on_file}.")
    return " ".join(words)


def _priced(
    customer: Customer, asked: Sequence[RequestedDongle], wanted: Mapping[str, Any], at: datetime
) -> list[RequestedDongle]:
    """Those of a customer's dongles whose wishes the rules don't refuse; a refusal is the diagnosis of the others."""
    kept: list[RequestedDongle] = []
    for each in asked:
        try:
            price_quote(customer, [_wish(each, wanted)], on=timezone.localdate(at))
        except DomainError as refusal:
            _diagnose(each, refusal.code, refusal.message)
        else:
            kept.append(each)
    return kept


def _wish(each: RequestedDongle, wanted: Mapping[str, Any]) -> DongleRequest:
    assert each.dongle is not None
    added = (
        AddedLicence(licence["product"], licence["seats"])
        for licence in wanted.get("added", ())
        if licence["serial"] == each.serial
    )
    return DongleRequest(each.dongle, wanted.get("renew_years"), None, tuple(added))


def _quote(
    contact: Contact,
    asked: Sequence[RequestedDongle],
    request: RenewalRequest,
    answers: RenewalRequest | None,
    actor: Actor,
    at: datetime,
) -> bool:
    """Quote the dongles to the contact, or keep why that is refused: then nothing is left of it."""
    wishes = [_wish(each, request.wanted) for each in asked]
    try:
        version = quote_at_once(requests=wishes, contact=contact, answers=answers, actor=actor, at=at)
    except DomainError as refusal:
        for each in asked:
            _diagnose(each, refusal.code, refusal.message)
        return False
    for each in asked:
        each.quote = version.quote
    return True


def _keep(request: RenewalRequest, asked: Sequence[RequestedDongle], actor: Actor, at: datetime) -> RenewalRequest:
    """Write what was found. Sales goes on with the first dongle that has an owner and no quote yet."""
    RequestedDongle.objects.bulk_update(asked, ["dongle", "quote", "finding", "diagnosis"])
    request = RenewalRequest.objects.select_for_update().get(pk=request.pk)
    request.dongle = _to_go_on_with(asked)
    request.looked_up_at = at
    request.save(update_fields=["dongle", "looked_up_at"])
    found = [{"serial": each.serial, **_outcome(each.quote, each)} for each in asked]
    record(actor, at, Deed("look_up", request, after={"found": found, "looked_up_at": at.isoformat()}))
    return request


def _to_go_on_with(asked: Iterable[RequestedDongle]) -> Dongle | None:
    found = [each for each in asked if each.dongle is not None]
    found.sort(key=lambda each: (each.quote is not None, each.dongle is None or each.dongle.customer_id is None))
    return found[0].dongle if found else None


def _outcome(quote: Quote | None, each: RequestedDongle) -> dict[str, str]:
    return {"quote": quote.number} if quote else {"finding": each.finding, "diagnosis": each.diagnosis}


def _diagnose(each: RequestedDongle, finding: str, diagnosis: str) -> None:
    each.finding, each.diagnosis = finding, diagnosis

"""Where customers ask for a quote: what is asked stands in the address, the price beside it lives; posting gets it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import replace_url

from dongles.models import Dongle
from dongles.terms import ONE_DAY, term_end
from dongles.unlock import NotASerial, canonical_serial
from portal.access import customer_page
from portal.errors import DomainError
from portal.models import Contact, Customer, has_address
from portal.web import attempt, by, done_once
from renewals import queries
from renewals.forms.asking import ADDING, BY_YEARS, TO_A_DATE, RenewalForm, in_own_words
from renewals.overviews import my
from renewals.overviews.my.renewal import dongles_to_choose, products_on_sale
from renewals.overviews.my.standing import OwnDongle
from renewals.services.self_service import quote_at_once

MOST_DRAWN = 5  # dongles with a timeline each
ASKED_ONCE = "add"  # of the addresses that lead here, for the first dongle: add=VOL-QNT, add=VOL-QNT:5


@require_http_methods(["GET", "POST"])
@customer_page
def renew_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask for a quote for dongles of one's own, which is mailed at once and stands on a page of its own.

    `?dongle=104233` (repeatable), then `&years=3` or `&align_to=2027-12-31`, and `&add=VOL-QNT:5`. A dongle that is not
    the customer's is as one that is not there.
    """
    form = _form(request, customer)
    if request.htmx and form.is_half_typed:
        return HttpResponse(status=204)
    shown: dict[str, Any] = {}
    if form.is_valid():
        today = timezone.localdate()
        shown = attempt(form, _worded(my.renewal_overview), customer, form.requests, today) or {}
        if refusal := shown.get("refusal"):
            told = in_own_words(refusal)
            form.add_error(told.data["field"] or None, told.message)
        is_wanted = request.method == "POST" and not {"work_it_out", "choose"} & request.POST.keys()
        if is_wanted and form.is_valid() and (address := done_once(request, lambda: _quote(request, customer, form))):
            return redirect(address)
    context = {
        "form": form,
        "contact": contact_of(request, customer),
        "quote_valid_days": queries.policy_on(timezone.localdate()).quote_valid_days,
        "most_drawn": MOST_DRAWN,
        "is_choosing": request.htmx.target == "renewal",
        "once": request.POST.get("once") or uuid4().hex,
        **shown,
    }
    if request.htmx:
        is_whole = request.htmx.target == "renewal"
        template = "renewals/my/renew.html" if is_whole else "renewals/my/parts/renewal_answer.html"
        return replace_url(render(request, template, context), f"{reverse('renewals:my_renew')}?{form.asked}")
    is_refused = request.method == "POST" and bool(form.errors)
    return render(request, "renewals/my/renew.html", context, status=422 if is_refused else 200)


def contact_of(request: HttpRequest, customer: Customer) -> Contact:
    """The contact as which the user is on file with the organisation."""
    return customer.reachable_contacts().get(has_address(request.user.email))


def _form(request: HttpRequest, customer: Customer) -> RenewalForm:
    today = timezone.localdate()
    asked = (request.POST if request.method == "POST" else request.GET).copy()
    serials = _serials(asked.getlist("dongle"))
    choices = dongles_to_choose(customer, serials, today)
    chosen = [each.dongle for each in choices if each.dongle.serial in serials]
    if len(chosen) < len(serials):
        raise Http404
    products = products_on_sale(customer, chosen, today)
    max_years = queries.policy_on(today).max_years
    asked.setlist("dongle", serials)
    if request.method == "POST" and (choice := request.POST.get("choose")):
        asked.update(_choice(asked, choice))
    _fill_in(asked)
    if request.method == "GET" and asked["way"] == TO_A_DATE and "align_to" not in asked:
        asked["align_to"] = _proposed_date(choices[: len(chosen)], today).isoformat()
    unknown = _add(asked, chosen, products)
    form = RenewalForm(asked, choices=choices, chosen=chosen, products=products, max_years=max_years)
    if unknown:
        form.full_clean()
        form.add_error(None, f"{unknown} can’t be added to dongle {chosen[0].serial}. What can be is listed below.")
    return form


def _serials(texts: Sequence[str]) -> list[str]:
    """The serials that are asked for, each once; what is no serial is nobody's (404)."""
    try:
        return list(dict.fromkeys(map(canonical_serial, texts)))
    except NotASerial:
        raise Http404 from None


def _fill_in(asked: QueryDict) -> None:
    """What an address left open: a date where it names one, else a year."""
    if asked.get("way") not in (BY_YEARS, TO_A_DATE, ADDING):
        asked["way"] = TO_A_DATE if asked.get("align_to") else BY_YEARS
    if "years" not in asked:
        asked["years"] = "1"


def _proposed_date(chosen: Sequence[OwnDongle], today: date) -> date:
    """To which the dongles could be brought: a year from the last day of the SMA that ends last, or from today."""
    ends = [standing.covered_through for each in chosen for standing in each.standings]
    return term_end(max([*ends, today - ONE_DAY]) + ONE_DAY, 12)


def _choice(asked: QueryDict, chosen: str) -> dict[str, str]:
    """What the button of another length stands for (`Offer.key`): years or a date."""
    first, _, second = chosen.partition("_")
    for name in ("way", "years", "align_to"):
        asked.pop(name, None)
    return {"way": BY_YEARS, "years": first} if second == "years" else {"way": TO_A_DATE, "align_to": second}


def _add(asked: QueryDict, chosen: Sequence[Dongle], products: dict[int, Any]) -> str:
    """Put `add=VOL-QNT:5` into the field of the first dongle; the code of a product that can't be added to it."""
    for wanted in asked.pop(ASKED_ONCE, []):
        code, _, seats = wanted.partition(":")
        product = next((each for each in products[chosen[0].pk] if each.code == code), None) if chosen else None
        if product is None:
            return code[:40] if chosen else ""
        asked[RenewalForm.name_of(chosen[0], product)] = seats or "1"
    return ""


def _worded(service: Callable[..., Any]) -> Callable[..., Any]:
    """The service, refusing in customers' words."""

    def asked(*args: Any, **kwargs: Any) -> Any:
        try:
            return service(*args, **kwargs)
        except DomainError as refusal:
            raise in_own_words(refusal) from None

    return asked


def _quote(request: HttpRequest, customer: Customer, form: RenewalForm) -> str | None:
    """Get the quote; the address of its page, or none where it is refused."""
    contact = contact_of(request, customer)
    version = attempt(form, _worded(quote_at_once), requests=form.requests, contact=contact, **by(request))
    if version is None:
        return None
    messages.success(request, f"Quote {version.quote.number} is ready, and on its way to {contact.email} as well.")
    return my.my_quote_address(version.quote_id)

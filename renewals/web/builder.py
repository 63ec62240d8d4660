"""The quote builder: what is asked stands in the address, the price beside it lives; posting keeps a draft."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from django_htmx.http import replace_url

from dongles import queries as dongle_queries
from dongles.models import Dongle
from portal.access import staff_page
from portal.errors import DomainError
from portal.web import attempt, by, done_once
from renewals import overviews, queries
from renewals.forms.staff import QuoteForm
from renewals.models import Quote, RenewalRequest
from renewals.services import quotes

LONGEST_NUMBER = 18  # what a database's number holds
KEPT_IN_THE_ADDRESS = ("revises", "request")


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def quote_builder(request: HttpRequest, serial: str) -> HttpResponse:
    """Make a quote: what is asked stands in the address, the arithmetic beside it lives; posting keeps a draft.

    With `?revises=` it makes the next version of a quote, with `?request=` it answers a request for one.
    """
    dongle = dongle_queries.dongle_by_serial(serial)
    revises = revised_quote(request, dongle)
    form = _form(request, dongle, revises)
    if request.htmx and form.is_half_typed:
        return HttpResponse(status=204)
    shown: dict[str, Any] = {}
    if dongle.customer is None:
        form.add_error(None, f"Dongle {dongle.serial} has no owner on record: say first whose it is.")
    elif form.is_valid():
        shown = attempt(
            form,
            overviews.builder_overview,
            dongle.customer,
            form.requests,
            form.concessions,
            form.cleaned_data["part_month"],
            timezone.localdate(),
        )
        shown = shown or {}
        if refusal := shown.get("refusal"):
            field = refusal.data.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
        is_kept = request.method == "POST" and not {"work_it_out", "choose"} & request.POST.keys()
        if is_kept and form.is_valid() and (drafted := done_once(request, lambda: _draft(request, form, revises))):
            return redirect(drafted)
    address = _address(request)
    context = {
        "dongle": dongle,
        "form": form,
        "revises": revises,
        "answers": _answered_request(request),
        "newest_known": _newest_known(request, revises),
        "address": address,  # of the form; `back` asks for what is typed too
        "back": f"{address}{'&' if '?' in address else '?'}{form.asked}",
        "once": request.POST.get("once") or uuid4().hex,
        **shown,
    }
    if request.htmx:
        is_whole = request.htmx.target == "builder"
        template = "renewals/quote_builder.html" if is_whole else "renewals/parts/quote_preview_answer.html"
        response = render(request, template, context)
        return replace_url(response, context["back"])
    is_refused = request.method == "POST" and bool(form.errors)
    return render(request, "renewals/quote_builder.html", context, status=422 if is_refused else 200)


def _form(request: HttpRequest, dongle: Dongle, revises: Quote | None) -> QuoteForm:
    asked = _asked(request, dongle, revises)
    others = dongle_queries.other_dongles_of(dongle, asked.getlist("dongles")) if dongle.customer else []
    wanted = [other for other in others if other.serial in asked.getlist("dongles")]
    return QuoteForm(
        asked,
        dongle=dongle,
        others=others,
        products=dongle_queries.products_for([dongle, *wanted]),
        policy=queries.policy_on(timezone.localdate()),
    )


def _asked(request: HttpRequest, dongle: Dongle, revises: Quote | None) -> QueryDict:
    """What is posted, or what the address asks; the bare page starts with one year, where there is what to renew.

    The next version of a quote starts with the words of the one before. A button of an offer puts it in its place.
    """
    asked = (request.POST if request.method == "POST" else request.GET).copy()
    if request.method == "POST":
        if chosen := request.POST.get("choose"):
            asked.update(_choice(asked, chosen))
        return asked
    if not asked.keys() - set(KEPT_IN_THE_ADDRESS) and dongle_queries.licences_of([dongle]).exists():
        asked["renew_years"] = "1"
    words = revises and revises.versions.order_by("-number").values("discount_reason", "note").first()
    for name, word in (words or {}).items():
        asked.setdefault(name, word)
    return asked


def _choice(asked: QueryDict, chosen: str) -> Mapping[str, str]:
    """What an offer's button stands for (`Offer.key`): years, or a date with the way that a part of a year counts."""
    first, _, second = chosen.partition("_")
    for name in ("renew_years", "align_to", "part_month"):
        asked.pop(name, None)
    return {"renew_years": first} if second == "years" else {"part_month": first, "align_to": second}


def _address(request: HttpRequest) -> str:
    kept = {name: request.GET[name] for name in KEPT_IN_THE_ADDRESS if request.GET.get(name)}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def _newest_known(request: HttpRequest, revises: Quote | None) -> int | None:
    """The newest version of the quote when this form was opened: one made since is not overwritten."""
    if revises is None:
        return None
    known = request.POST.get("newest_known", "")
    if known.isdecimal() and len(known) < LONGEST_NUMBER:
        return int(known)
    return revises.versions.order_by("-number").values_list("number", flat=True).first()


def _draft(request: HttpRequest, form: QuoteForm, revises: Quote | None) -> str | None:
    """Draft what the form asks; the address of the draft, or none where it is refused."""
    customer = form.chosen[0].customer
    assert customer is not None
    version = attempt(
        form,
        quotes.draft_quote,
        customer=customer,
        requests=form.requests,
        concessions=form.concessions,
        discount_reason=form.cleaned_data["discount_reason"],
        part_month=form.cleaned_data["part_month"],
        note=form.cleaned_data["note"],
        revises=revises,
        newest_known=_newest_known(request, revises),
        answers=_answered_request(request),
        **by(request),
    )
    return version and reverse("renewals:quote_version", args=[version.quote_id, version.number])


def _answered_request(request: HttpRequest) -> RenewalRequest | None:
    number = request.GET.get("request", "")
    if not number.isdecimal() or len(number) > LONGEST_NUMBER:
        return None
    return get_object_or_404(RenewalRequest, pk=int(number))


def revised_quote(request: HttpRequest, dongle: Dongle) -> Quote | None:
    """The dongle's quote of which `?revises=` asks for the next version (`quote_of_other_dongles`)."""
    number = request.GET.get("revises", "")
    if not number.isdecimal() or len(number) > LONGEST_NUMBER:
        return None
    quote = get_object_or_404(Quote, pk=int(number), customer=dongle.customer)
    newest = quote.versions.order_by("-number").first()
    if newest is None or not newest.dongles.filter(dongle=dongle).exists():
        raise DomainError(
            "quote_of_other_dongles",
            f"{quote.number} is not a quote of dongle {dongle.serial}.",
            {"quote": quote.number},
        )
    return quote

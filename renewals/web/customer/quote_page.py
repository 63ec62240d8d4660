"""The page of a sent quote for its customer, with all that they can do there.

People come through one of two doors: by the link of a quote (quote.py) or after login (my_quotes.py). Both lead to the
same page; what differs is the door's.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from portal.audit import Actor
from portal.models import Contact
from portal.web import attempt
from renewals import overviews
from renewals.forms.quote_page import CustomerAcceptForm, CustomerDeclineForm, QuestionForm
from renewals.models import QuoteDocument, QuoteVersion
from renewals.overviews import my
from renewals.services import self_service
from renewals.services.questions import ask_question
from renewals.services.quotes import decline_quote
from renewals.states import QuoteState


class Door(NamedTuple):
    """How somebody came to a quote: what they may see of it, who they are, and where the page and its steps are.

    `opened` is the version whose link they have, `contact` who is logged in. `leads_to` answers with another quote.
    """

    version: QuoteVersion
    opened: QuoteVersion | None
    contact: Contact | None
    page: str
    addresses: Mapping[str, str]
    leads_to: Callable[[QuoteVersion], HttpResponse]

    def actor(self, request: HttpRequest, name: str = "") -> Actor:
        """Who acts: a contact, or by the name that they give, if any, whoever has the link."""
        if self.contact:
            return Actor.of(request.user)
        return Actor(f"{name or 'Somebody'}, by the link of quote {self.version.quote.number}", None, "customer")

    @property
    def recipients(self) -> list[Contact]:
        """Whom a new quote is mailed to: contacts on file, whoever asks for it (Q5)."""
        return [self.contact] if self.contact else list(overviews.recipients_of(self.version))


Step = Callable[[HttpRequest, Door], HttpResponse]


def show(request: HttpRequest, door: Door) -> HttpResponse:
    """What the quote changes, what it costs and why, and what to do next."""
    return _page(request, door, {})


def _page(request: HttpRequest, door: Door, refused: dict[str, forms.Form]) -> HttpResponse:
    """The page as things stand now; a form that was refused comes back as it was typed."""
    version = my.current_version(door.version.quote)
    assert version is not None
    contact = door.contact
    known = {"accepted_by": contact.name} if contact else {}
    context = {
        **my.customer_quote(version, timezone.localdate(), opened=door.opened, contact=contact),
        "accept_form": CustomerAcceptForm(
            customer=version.quote.customer, terms=settings.VENDOR["terms"], initial=known
        ),
        "decline_form": CustomerDeclineForm(contact=contact, auto_id="decline_%s"),
        "question_form": QuestionForm(contact=contact, auto_id="question_%s"),
        "refused": next(iter(refused.values()), None),
        "lost_file": bool(request.FILES),
        "page": door.page,
        "to": door.addresses,
        **refused,
    }
    return render(request, "renewals/my/quote.html", context, status=422 if refused else 200)


def document(request: HttpRequest, door: Door) -> HttpResponse:
    """The PDF as it was sent."""
    version = door.version
    name = f"{version.quote.number}-{version.number}.pdf"
    return HttpResponse(
        bytes(QuoteDocument.objects.get(version=version).pdf),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


def _check_seen(request: HttpRequest, door: Door, form: forms.Form) -> bool:
    """Whether the form is about the version that counts; else it is refused, and the page shows that version."""
    seen = request.POST.get("version", "")
    if seen == str(door.version.number):
        return True
    form.add_error(
        None,
        f"A newer version of this quote, version {door.version.number}, has taken the place of the one that you looked"
        " at. It stands below: look at it first.",
    )
    return False


def accept(request: HttpRequest, door: Door) -> HttpResponse:
    """Accept the quote. However often and by however many it is, once: who comes later sees by whom it was."""
    version = door.version
    if version.state == QuoteState.ACCEPTED:
        return redirect(door.page)
    form = CustomerAcceptForm(
        request.POST, request.FILES, customer=version.quote.customer, terms=settings.VENDOR["terms"]
    )
    if form.is_valid() and _check_seen(request, door, form):
        order = attempt(
            form,
            self_service.accept_as_customer,
            version=version,
            **form.order,
            recipients=[contact.email for contact in door.recipients],
            actor=door.actor(request, form.order["accepted_by"]),
            at=timezone.now(),
        )
        if order:
            return redirect(door.page)
    return _page(request, door, {"accept_form": form})


def decline(request: HttpRequest, door: Door) -> HttpResponse:
    """Decline the quote, with a reason."""
    version, form = door.version, CustomerDeclineForm(request.POST, contact=door.contact, auto_id="decline_%s")
    if form.is_valid() and _check_seen(request, door, form):
        actor = door.actor(request, form.cleaned_data.get("name", ""))
        reason = form.cleaned_data["reason"]
        if attempt(form, decline_quote, version=version, reason=reason, actor=actor, at=timezone.now()):
            return redirect(door.page)
    return _page(request, door, {"decline_form": form})


def ask(request: HttpRequest, door: Door) -> HttpResponse:
    """Ask the vendor's team something about the quote."""
    form = QuestionForm(request.POST, contact=door.contact, auto_id="question_%s")
    if form.is_valid():
        asked = form.asked
        actor = door.actor(request, asked["name"])
        if attempt(form, ask_question, version=door.version, **asked, actor=actor, at=timezone.now()):
            team = f"our {settings.VENDOR['team']}"
            messages.success(request, f"Your question is with {team}. The answer comes to {asked['email']}.")
            return redirect(door.page)
    return _page(request, door, {"question_form": form})


def choose(request: HttpRequest, door: Door) -> HttpResponse:
    """Have the same dongles quoted in one of the other ways that the page shows, and go to that quote.

    It is mailed to a contact on file, whoever chooses: who only has the link can spend nothing by it, and tells nobody.
    """
    version, form = door.version, forms.Form(request.POST)
    today = timezone.localdate()
    context = my.customer_quote(version, today)
    choice = next((each for each in context["choices"] if each.key == request.POST.get("choice")), None)
    if choice is None:
        form.add_error(None, "This is not offered any more. What is offered now stands below: choose again.")
    elif not door.recipients:
        form.add_error(None, "Nobody of your organisation is on file to whom a quote may be mailed. Ask us below.")
    elif quote := attempt(
        form,
        self_service.quote_otherwise,
        version=version,
        requests=choice.requests,
        contact=door.recipients[0],
        actor=door.actor(request),
        at=timezone.now(),
    ):
        return door.leads_to(quote)
    return _page(request, door, {"choice_form": form})


def again(request: HttpRequest, door: Door) -> HttpResponse:
    """Have a quote that ran out, or was declined, made again as of today, and mailed to contacts on file."""
    form, version = forms.Form(request.POST), door.version
    if version.state != QuoteState.DECLINED and not version.is_expired_on(timezone.localdate()):
        return redirect(door.page)
    sent = attempt(
        form,
        self_service.offer_anew,
        version=version,
        recipients=[contact.email for contact in door.recipients],
        actor=door.actor(request),
        at=timezone.now(),
    )
    if sent:
        messages.success(request, f"Here is version {sent.number} with today’s prices. It is on its way by mail, too.")
        return redirect(door.page)
    if not form.errors:
        form.add_error(None, "This one is made by our sales team. Ask for it below, under “Ask a question”.")
    return _page(request, door, {"again_form": form})

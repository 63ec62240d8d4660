"""Quotes: the list, a version's page, and the steps that it can take."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.access import staff_page
from portal.web import PAGE_LENGTH, attempt, by, done_once
from renewals import overviews
from renewals.documents import quote_pdf
from renewals.forms.staff import AcceptForm, ReasonForm, RecipientsForm
from renewals.models import QuoteDocument, QuoteQuestion, QuoteVersion
from renewals.services import orders, questions, quotes
from renewals.web.customers import asked_customer


@require_GET
@staff_page()
def quote_list(request: HttpRequest) -> HttpResponse:
    """All quotes, the newest first, or those to one customer (`?customer=`)."""
    versions, customer = overviews.newest_versions(), asked_customer(request)
    if customer:
        versions = versions.filter(quote__customer=customer)
    page = Paginator(versions, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/quotes.html", {"page": page, "customer": customer})


@require_GET
@staff_page()
def quote_page(request: HttpRequest, quote_id: int, number: int | None = None) -> HttpResponse:
    """A version of a quote (the newest unless named), its lines with their arithmetic, its history, the next step."""
    return _quote_page(request, _version(quote_id, number), {})


def _version(quote_id: int, number: int | None) -> QuoteVersion:
    versions = overviews.versions_with_quote().filter(quote_id=quote_id)
    return (
        get_object_or_404(versions.filter(number=number))
        if number
        else get_object_or_404(versions.order_by("-number")[:1])
    )


def _quote_page(request: HttpRequest, version: QuoteVersion, forms: dict[str, Any], status: int = 200) -> HttpResponse:
    """The quote's page; a form of it that was refused comes back as it was typed, if it still has its place there."""
    context = {
        **overviews.quote_overview(version, timezone.localdate()),
        "recipients_form": RecipientsForm(customer=version.quote.customer),
        "once": uuid4().hex,
        "accept_form": AcceptForm(customer=version.quote.customer),
        "approve_form": ReasonForm(),
        "decline_form": ReasonForm(),
        "refused": next(iter(forms.values()), None),
        **forms,
    }
    return render(request, "renewals/quote.html", context, status=status)


@require_POST
@staff_page("sell")
def send(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """Send a draft, to the contacts that are ticked."""
    return _mail(request, _version(quote_id, number), quotes.send_quote)


@require_POST
@staff_page("sell")
def resend(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """Mail a sent version once more, to the contacts that are ticked."""
    return _mail(request, _version(quote_id, number), quotes.resend_quote)


def _mail(request: HttpRequest, version: QuoteVersion, service: Callable[..., QuoteVersion]) -> HttpResponse:
    form = RecipientsForm(request.POST, customer=version.quote.customer)
    here = reverse("renewals:quote_version", args=[version.quote_id, version.number])

    def mail() -> str | None:
        done = attempt(form, service, version=version, recipients=form.cleaned_data["recipients"], **by(request))
        return done and here

    if form.is_valid() and done_once(request, mail):
        whom = " and ".join(form.cleaned_data["recipients"])
        messages.success(request, f"Quote {version.quote.number} is on its way to {whom}.")
        return redirect(here)
    return _quote_page(request, version, {"recipients_form": form}, status=422)


@require_GET
@staff_page()
def document(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """The version's PDF: the bytes that were frozen when it was sent, or a draft's as it would look, marked as one."""
    version = _version(quote_id, number)
    frozen = QuoteDocument.objects.filter(version=version).first()
    pdf = bytes(frozen.pdf) if frozen else quote_pdf(version, on=timezone.localdate())
    name = f"{version.quote.number}-{version.number}{'' if frozen else '-draft'}.pdf"
    return HttpResponse(
        pdf, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


@require_POST
@staff_page("sell")
def approve(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.approve_quote, version=version, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, "Approved: the quote can be sent.")
        return redirect("renewals:quote_version", quote_id, number)
    return _quote_page(request, version, {"approve_form": form}, status=422)


@require_POST
@staff_page("sell")
def decline(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    version, form = _version(quote_id, number), ReasonForm(request.POST)
    if form.is_valid() and attempt(
        form, quotes.decline_quote, version=version, reason=form.cleaned_data["reason"], **by(request)
    ):
        messages.success(request, "Recorded as declined.")
        return redirect("renewals:quote_version", quote_id, number)
    return _quote_page(request, version, {"decline_form": form}, status=422)


@require_POST
@staff_page("sell")
def accept(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """Record the purchase order: the order is made and, unless the customer pays first, fulfilled."""
    version = _version(quote_id, number)
    form = AcceptForm(request.POST, request.FILES, customer=version.quote.customer)
    if form.is_valid():
        order = attempt(form, orders.accept_quote, version=version, **form.cleaned_data, **by(request))
        if order:
            return redirect("renewals:order", order.pk)
    return _quote_page(request, version, {"accept_form": form}, status=422)


@require_POST
@staff_page("sell")
def answered(request: HttpRequest, quote_id: int, question_id: int) -> HttpResponse:
    """Note that a customer's question was answered, by mail."""
    question = get_object_or_404(
        QuoteQuestion.objects.select_related("version"), pk=question_id, version__quote=quote_id
    )
    questions.answer_question(question=question, **by(request))
    messages.success(request, f"{question.name}’s question is marked as answered.")
    return redirect("renewals:quote_version", quote_id, question.version.number)

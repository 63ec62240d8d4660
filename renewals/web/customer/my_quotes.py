"""The quotes and orders of an organisation for its contacts, after login: no link is needed."""

from collections.abc import Callable
from functools import wraps

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.access import customer_page
from portal.models import Customer, has_address
from portal.web import PAGE_LENGTH
from renewals.models import Quote, QuoteVersion
from renewals.overviews import my
from renewals.web.customer import quote_page
from renewals.web.customer.quote import STEPS
from renewals.web.customer.quote_page import Door, Step


@require_GET
@customer_page
def quote_list(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What was quoted to the organisation and what it ordered, the newest first."""
    page = Paginator(my.quotes_of(customer), PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"customer": customer, "page": page, "today": timezone.localdate()}
    return render(request, "renewals/my/quotes.html", context)


def _door(request: HttpRequest, customer: Customer, quote_id: int) -> Door:
    quote = get_object_or_404(Quote.objects.select_related("customer"), pk=quote_id, customer=customer)
    version = my.current_version(quote)
    contact = customer.contacts.filter(has_address(request.user.email), left_on__isnull=True).first()
    if version is None or contact is None:
        raise Http404
    addresses = {step: reverse(f"renewals:my_quote_{step}", args=[quote_id]) for step in STEPS}
    return Door(version, None, contact, reverse("renewals:my_quote", args=[quote_id]), addresses, _lead_to)


def _lead_to(version: QuoteVersion) -> HttpResponse:
    return redirect("renewals:my_quote", version.quote_id)


def _in_account(step: Step) -> Callable[..., HttpResponse]:
    """A step of the page for a contact who is logged in, of a quote to their organisation."""

    @customer_page
    @wraps(step)
    def view(request: HttpRequest, customer: Customer, quote_id: int) -> HttpResponse:
        return step(request, _door(request, customer, quote_id))

    return view


show = require_GET(_in_account(quote_page.show))
document = require_GET(_in_account(quote_page.document))
accept = require_POST(_in_account(quote_page.accept))
decline = require_POST(_in_account(quote_page.decline))
ask = require_POST(_in_account(quote_page.ask))
choose = require_POST(_in_account(quote_page.choose))
again = require_POST(_in_account(quote_page.again))

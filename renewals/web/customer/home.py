"""Where customers stand: all dongles of their organisation."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dongles.forms import plain_text
from portal.access import customer_page
from portal.models import Customer
from portal.web import PAGE_LENGTH
from renewals.overviews import my

LONGEST_FILTER = 80
FILTER_FROM = 20  # dongles; fewer are seen at a glance


@require_GET
@customer_page
def home_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The organisation's dongles, the most urgent first, those of `?q=` alone; ticked ones are renewed together."""
    today = timezone.localdate()
    words = plain_text(request.GET.get("q", "")).replace("\x00", "").strip()[:LONGEST_FILTER]
    page = Paginator(my.own_dongles(customer, today, words), PAGE_LENGTH).get_page(request.GET.get("page"))
    context = my.home_overview(customer, list(page.object_list), words, today)
    has_filter = bool(words) or context["active_count"] > FILTER_FROM
    return render(request, "renewals/my/home.html", {**context, "page": page, "words": words, "has_filter": has_filter})

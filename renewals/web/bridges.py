"""Bridging codes (rule Q7): granting one for a sent quote, and the list of all."""

from contextlib import suppress

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import staff_page
from portal.web import PAGE_LENGTH, attempt, by
from portal.wording import write_day
from renewals.calendar import read_month
from renewals.forms.staff import BridgeForm
from renewals.overviews.bridges import bridges_newest_first, bridging_of, told_bridges
from renewals.overviews.lists import versions_with_quote
from renewals.services.bridges import grant_bridge


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def bridge_page(request: HttpRequest, quote_id: int, number: int) -> HttpResponse:
    """Grant a bridging code for a sent quote, saying beforehand what that does."""
    version = get_object_or_404(versions_with_quote(), quote_id=quote_id, number=number)
    quoted = list(version.dongles.select_related("dongle").order_by("dongle_id"))
    bridging = bridging_of(version, quoted, timezone.localdate())
    dongles = [each.dongle for each in quoted]
    initial = {"dongle_ids": [dongle.pk for dongle in dongles], "until": bridging.limit_on}
    form = BridgeForm(request.POST or None, dongles=dongles, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = attempt(form, grant_bridge, version=version, **form.cleaned_data, **by(request))
        if given:
            messages.success(
                request, f"The bridging code through {write_day(given[0].ends_on)} is on its way to the customer."
            )
            return redirect("renewals:quote_version", quote_id, number)
    context = {"version": version, "quote": version.quote, "quoted": quoted, "bridging": bridging, "form": form}
    return render(request, "renewals/grant_bridge.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def bridge_list(request: HttpRequest) -> HttpResponse:
    """Every bridging code, newest first, or those granted in a month (`granted`), and what became of it."""
    found = bridges_newest_first()
    with suppress(ValueError):  # what is no month filters nothing
        month = read_month(request.GET.get("granted", ""))
        found = found.filter(granted_on__year=month.year, granted_on__month=month.month)
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(
        request,
        "renewals/bridges.html",
        {"page": page, "told": told_bridges(page.object_list, timezone.localdate())},
    )

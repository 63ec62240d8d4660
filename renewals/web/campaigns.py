"""Renewal campaigns: the list, asking for one with a look at what it would do, what came of it, and sending it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import staff_page
from portal.web import PAGE_LENGTH, attempt, by, done_once
from portal.wording import country_name
from renewals import queries
from renewals.forms.staff import CampaignForm, ScheduleForm
from renewals.models import Campaign, CampaignItem
from renewals.overviews import campaigns as overviews
from renewals.overviews.due import due_figures, first_due_on
from renewals.overviews.pipeline import read_choices
from renewals.services import campaigns, sending

DAYS_AHEAD = 90
SHOWN = {"quotes": "Quotes", "left_out": "Left out", "passed_over": "Passed over"}
USUAL_SCHEDULE = {"is_on": False, "day_of_month": 1, "days_ahead": 60, "renew_years": 1}


@require_GET
@staff_page()
def campaign_list(request: HttpRequest) -> HttpResponse:
    """All campaigns, the newest first, and when they begin by themselves."""
    page = Paginator(overviews.campaigns_newest_first(), PAGE_LENGTH).get_page(request.GET.get("page"))
    came = overviews.what_came_of(page.object_list)
    context = {
        "page": page,
        "told": [(campaign, came[campaign.pk]) for campaign in page],
        "schedule": overviews.campaign_schedule(),
    }
    return render(request, "renewals/campaigns.html", context)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def new_campaign(request: HttpRequest) -> HttpResponse:
    """Ask for a campaign: what is asked stands in the address, with what it would do; posting begins it."""
    today = timezone.localdate()
    form = _campaign_form(request)
    figures: list[Any] | None = None
    if form.is_valid():
        asked = {"window": form.window, "renew_years": form.cleaned_data["renew_years"]}
        attempt(form, campaigns.check_terms, **asked, today=today)
        is_asked = request.method == "POST" and form.is_valid()
        if is_asked and (address := done_once(request, lambda: _begin(request, form, asked))):
            return redirect(address)
        if form.is_valid():
            figures = due_figures(form.window, today)
    context = {
        "form": form,
        "figures": figures,
        "to_quote": sum(each.to_quote for each in figures or ()),
        "have_quote": sum(each.have_quote for each in figures or ()),
        "customers": sum(each.customers for each in figures or ()),
        "unpriced": sum(each.unpriced for each in figures or ()),
        "once": request.POST.get("once") or uuid4().hex,
    }
    return render(request, "renewals/new_campaign.html", context, status=422 if form.errors else 200)


def _campaign_form(request: HttpRequest) -> CampaignForm:
    """Bound to what is posted or stands in the address; the bare page asks for what ends within 90 days."""
    today, choices = timezone.localdate(), read_choices()
    asked = request.POST if request.method == "POST" else request.GET.copy()
    if isinstance(asked, QueryDict) and request.method == "GET":
        asked.setdefault("starts_on", first_due_on(today).isoformat())
        asked.setdefault("ends_on", (today + timedelta(days=DAYS_AHEAD)).isoformat())
        asked.setdefault("renew_years", "1")
    return CampaignForm(
        asked,
        most_years=queries.policy_on(today).max_years,
        families=[(pk, name) for name, pk in choices.families.items()],
        countries=sorted(((code, country_name(code)) for code in choices.countries), key=lambda each: each[1]),
        owners=choices.owners,
        currencies=choices.currencies,
    )


def _begin(request: HttpRequest, form: CampaignForm, asked: dict[str, Any]) -> str | None:
    campaign = attempt(form, campaigns.start_campaign, **asked, **by(request))
    return campaign and reverse("job", args=[campaign.job_id])


@require_GET
@staff_page()
def campaign_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """What came of a campaign: its quotes with what they come to, and what it left out and why."""
    campaign, today = _campaign(campaign_id), timezone.localdate()
    shown = request.GET.get("show", "")
    shown = shown if shown in SHOWN else "quotes"
    if shown == "quotes":
        rows = overviews.quotes_of(campaign)
    else:
        rows = overviews.items_of(campaign, CampaignItem.Outcome(shown))
    page = Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page"))
    overview = overviews.campaign_overview(campaign)
    numbers = overview.came._asdict()
    context = {
        **overview._asdict(),
        "shown": shown,
        "kinds": [(key, title, numbers[key]) for key, title in SHOWN.items() if numbers[key] or key == "quotes"],
        "page": page,
        "quotes": [(each, overviews.held_back_by(each, today)) for each in page] if shown == "quotes" else [],
        "once": uuid4().hex,
    }
    return render(request, "renewals/campaign.html", context)


@require_POST
@staff_page("sell")
def send(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Send all drafts of a campaign."""
    campaign = _campaign(campaign_id)

    def begin() -> str:
        return reverse("job", args=[sending.start_sending(campaign=campaign, **by(request)).pk])

    return redirect(done_once(request, begin))


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def schedule(request: HttpRequest) -> HttpResponse:
    """When campaigns begin by themselves."""
    kept = overviews.campaign_schedule()
    initial = {name: getattr(kept, name) for name in USUAL_SCHEDULE} if kept else USUAL_SCHEDULE
    form = ScheduleForm(request.POST or None, initial=initial)
    is_asked = request.method == "POST" and form.is_valid()
    if is_asked and attempt(form, campaigns.keep_schedule, **form.cleaned_data, **by(request)):
        messages.success(request, "The schedule of campaigns is kept.")
        return redirect("renewals:campaigns")
    return render(
        request, "renewals/campaign_schedule.html", {"form": form, "kept": kept}, status=422 if form.errors else 200
    )


def _campaign(campaign_id: int) -> Campaign:
    return get_object_or_404(overviews.campaigns_newest_first(), pk=campaign_id)

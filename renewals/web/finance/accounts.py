"""The account map: which accounts the journal posts to, what it lacks, and what DATEV asks for."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import staff_page
from portal.web import attempt, by
from renewals.forms.accounts import AccountForm, DatevForm
from renewals.models import AccountMapEntry
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance import journal as overview
from renewals.services import account_map

HOLES_SHOWN = 50


@require_GET
@staff_page("settle")
def account_list(request: HttpRequest) -> HttpResponse:
    """All accounts, and what has none."""
    holes = overview.holes_in_words(overview.map_holes(overview.account_map()))
    context = {
        "kinds": REPORTS.values(),
        "entries": overview.account_entries(),
        "holes": holes[:HOLES_SHOWN],
        "more": max(len(holes) - HOLES_SHOWN, 0),
        "datev": overview.datev_details(),
    }
    return render(request, "renewals/finance/accounts.html", context)


@require_http_methods(["GET", "POST"])
@staff_page("settle")
def account_page(request: HttpRequest, entry_id: int | None = None) -> HttpResponse:
    """A new account, or one to be changed."""
    entry = get_object_or_404(AccountMapEntry, pk=entry_id) if entry_id else AccountMapEntry()
    initial = AccountForm.initial_of(entry) if entry_id else None
    form = AccountForm(request.POST or None, initial=initial)
    title = str(entry)
    if request.method == "POST" and form.is_valid():
        kept = attempt(form, account_map.keep_account, entry=form.fill(entry), **by(request))
        if kept:
            messages.success(request, f"{kept} is on the map.")
            return redirect("renewals:accounts")
    context = {"form": form, "entry_id": entry_id, "title": title}
    return render(request, "renewals/finance/account.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("settle")
def remove(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Take an account off the map."""
    entry = get_object_or_404(AccountMapEntry, pk=entry_id)
    account_map.remove_account(entry=entry, **by(request))
    messages.success(request, f"{entry} is off the map. Journals that were exported before keep it.")
    return redirect("renewals:accounts")


@require_http_methods(["GET", "POST"])
@staff_page("settle")
def datev_page(request: HttpRequest) -> HttpResponse:
    """What DATEV asks for."""
    details = overview.datev_details()
    form = DatevForm(request.POST or None, initial=details.settings._asdict() if details else {"account_length": 4})
    if request.method == "POST" and form.is_valid():
        kept = attempt(form, account_map.keep_datev, settings=form.settings, **by(request))
        if kept:
            messages.success(request, f"{kept}: journals can be exported for DATEV.")
            return redirect("renewals:accounts")
    return render(request, "renewals/finance/datev.html", {"form": form}, status=422 if form.errors else 200)

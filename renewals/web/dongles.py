"""A dongle's page, and taking a licence off it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from dongles import queries as dongle_queries
from dongles.models import Licence
from dongles.services import withdraw_licence
from portal.access import staff_page
from portal.web import attempt, by
from renewals import overviews
from renewals.forms.staff import ReasonForm


@require_GET
@staff_page()
def dongle_page(request: HttpRequest, serial: str) -> HttpResponse:
    """What the dongle is, carries and runs, what was quoted and sold for it, and what to do next."""
    dongle = dongle_queries.dongle_by_serial(serial)
    if dongle.serial != serial:
        return redirect("renewals:dongle", dongle.serial)
    return render(request, "renewals/dongle.html", overviews.dongle_overview(dongle, timezone.localdate()))


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def withdraw_page(request: HttpRequest, serial: str, licence_id: int) -> HttpResponse:
    """C6: take a licence off the dongle, with a reason; `?back=` leads back to a quote that is being made."""
    back = request.GET.get("back", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = reverse("renewals:dongle", args=[serial])
    licence = get_object_or_404(
        Licence.objects.select_related("dongle", "product"), pk=licence_id, dongle__serial=serial
    )
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(form, withdraw_licence, licence=licence, reason=form.cleaned_data["reason"], **by(request))
        if done:
            messages.success(request, f"{licence.product} was withdrawn from dongle {serial}.")
            return redirect(back)
    context = {"licence": licence, "dongle": licence.dongle, "form": form, "back": back}
    return render(request, "renewals/withdraw.html", context, status=422 if form.errors else 200)

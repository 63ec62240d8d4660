"""A customer's page of a dongle of theirs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dongles.web.my import own_dongle
from portal.access import customer_page
from portal.models import Customer
from renewals.overviews import my


@require_GET
@customer_page
def dongle_page(request: HttpRequest, customer: Customer, serial: str) -> HttpResponse:
    """How the dongle stands, what to do next, what renewing costs now and later, and all that happened to it."""
    dongle = own_dongle(customer, serial)
    if dongle.serial != serial:
        return redirect("renewals:my_dongle", dongle.serial)
    return render(request, "renewals/my/dongle.html", my.own_dongle_overview(dongle, customer, timezone.localdate()))

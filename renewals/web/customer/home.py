"""Where customers stand: all dongles of their organisation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dongles.models import Dongle
from portal.access import customer_page
from portal.models import Customer


@require_GET
@customer_page
def home_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The organisation's dongles, the soonest SMA date first."""
    dongles = Dongle.objects.filter(customer=customer).order_by("issued_expiry_on", "serial")
    return render(request, "renewals/my/home.html", {"customer": customer, "dongles": dongles})

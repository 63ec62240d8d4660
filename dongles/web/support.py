"""May this one call the support desk? For customers of their own dongles, for staff on the telephone by serial (S1)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dongles import helpdesk, queries
from dongles.forms import SupportForm
from dongles.models import Dongle
from portal.access import customer_page, staff_page
from portal.models import Customer
from portal.web import attempt


@require_GET
@customer_page
def my_support(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The answer for each family, dongle by dongle, with its reason and what would make it a yes."""
    dongles = Dongle.objects.filter(customer=customer, state=Dongle.State.ACTIVE)
    families = helpdesk.support_answers(dongles, timezone.localdate())
    return render(request, "dongles/my/support.html", {"customer": customer, "families": families})


@require_GET
@staff_page()
def support(request: HttpRequest) -> HttpResponse:
    """One field and one big answer."""
    form = SupportForm(request.GET if "serial" in request.GET else None)
    dongle = attempt(form, queries.dongle_by_serial, form.cleaned_data["serial"]) if form.is_valid() else None
    context = {
        "form": form,
        "dongle": dongle,
        "families": helpdesk.support_answers([dongle], timezone.localdate()) if dongle else [],
        "replaced_by": getattr(dongle, "replaced_by", None),
    }
    return render(request, "dongles/support.html", context, status=404 if form.errors else 200)

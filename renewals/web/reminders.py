"""Reminders: what is coming, what went out, who gets none; and the page on which a contact stops them."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import staff_page
from portal.audit import Actor
from portal.models import Contact, Customer
from portal.web import PAGE_LENGTH, by, for_the_holder_of_the_key
from renewals.overviews import reminders as overview
from renewals.services.reminders import switch_reminders


@require_GET
@staff_page()
def coming(request: HttpRequest) -> HttpResponse:
    """What goes out in the next two weeks, day by day, and to whom on one of them: `?on=2026-12-24`."""
    today = timezone.localdate()
    days = overview.coming_days(today)
    busy = [day for day in days if day.customers]
    asked = request.GET.get("on", "")
    chosen = next((day for day in busy if day.on.isoformat() == asked), busy[0] if busy else None)
    context = {
        "days": days,
        "chosen": chosen,
        "today": today,
        "is_on": settings.REMINDERS,
        "hour": settings.REMINDERS_HOUR,
    }
    if chosen:
        customers = Customer.objects.filter(pk__in=chosen.reminders).order_by("name", "pk")
        page = Paginator(customers, PAGE_LENGTH).get_page(request.GET.get("page"))
        context |= {"page": page, "mailings": overview.coming_mailings(chosen, list(page.object_list))}
    return render(request, "renewals/reminders.html", context)


@require_GET
@staff_page()
def sent(request: HttpRequest) -> HttpResponse:
    """What went out to whom, newest first; of one dongle with `?dongle=104233`."""
    mailings, serial = overview.mailings_newest_first(), request.GET.get("dongle", "")
    if serial:
        mailings = mailings.filter(reminders__dongle__serial=serial)
    page = Paginator(mailings, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"page": page, "told": overview.told_mailings(page.object_list), "serial": serial}
    return render(request, "renewals/reminders_sent.html", context)


@require_GET
@staff_page()
def unreached(request: HttpRequest) -> HttpResponse:
    """The customers who should be reminded within two weeks and have nobody to write to."""
    today = timezone.localdate()
    found = overview.unreached_customers(overview.coming_days(today))
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/reminders_unreached.html", {"page": page, "today": today})


@require_GET
@staff_page()
def stopped(request: HttpRequest) -> HttpResponse:
    """The contacts who want no reminders."""
    page = Paginator(overview.contacts_who_stopped(), PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "renewals/reminders_stopped.html", {"page": page})


@require_POST
@staff_page("sell")
def switch(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Stop reminders to a contact, or let them have reminders again; then back to where it was asked."""
    contact, wanted = get_object_or_404(Contact, pk=contact_id), request.POST.get("reminders") == "on"
    switch_reminders(contact=contact, wanted=wanted, **by(request))
    messages.success(request, f"{contact.email} gets {'reminders again' if wanted else 'no reminders any more'}.")
    back = request.POST.get("back", "")
    return redirect(
        back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "renewals:reminders_stopped"
    )


@csrf_exempt  # the key is what opens it, and mail programs post without having been here before
@require_http_methods(["GET", "HEAD", "POST"])
def reminders_of_key(request: HttpRequest, key: UUID) -> HttpResponse:
    """A contact's own page: whether they get reminders, to be changed by a button.

    A mail program that stops them by itself (RFC 8058) posts here too, and is led nowhere else.
    """
    contact = get_object_or_404(Contact.objects.select_related("customer"), reminders_key=key)
    if request.method == "POST":
        wanted = request.POST.get("reminders") == "on"
        actor = Actor("By the link in a reminder")
        contact = switch_reminders(contact=contact, wanted=wanted, actor=actor, at=timezone.now())
        if "List-Unsubscribe" not in request.POST:
            return redirect("renewals:reminders_of_key", key)
    return for_the_holder_of_the_key(render(request, "renewals/reminders_of_contact.html", {"contact": contact}))

"""A customer's account: who is on file, addresses, passkeys, what was changed, and everything that is held."""

from collections.abc import Callable
from functools import partial

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import customer_page, organisation_of, organisations_of
from portal.audit import Deed, record
from portal.models import Contact, Customer
from portal.services import customers as services
from portal.services.customers import Addresses
from portal.services.logins import choose_organisation
from portal.web import attempt, by
from renewals.overviews import held
from renewals.services.reminders import switch_reminders
from renewals.web.contacts import contact_at, contact_form
from renewals.web.customer.passkeys import passkeys_of

RECENT = 10  # changes on the page


class AddressesForm(forms.Form):
    """Where post and invoices go."""

    postal_address = forms.CharField(
        label="Postal address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "street-address"}),
        help_text="As it is to stand below the organisation’s name, without the country. It is printed on quotes.",
    )
    invoice_address = forms.CharField(
        label="Invoice address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Only if invoices go elsewhere: with the name that is to stand on them.",
    )


@require_GET
@customer_page
def account_page(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Who is on file and where post goes, how one logs in, and what was changed last."""
    contacts = list(customer.contacts.order_by("left_on", "name", "pk"))
    context = {
        "customer": customer,
        "contacts": [each for each in contacts if each.left_on is None],
        "left": [each for each in contacts if each.left_on],
        "passkeys": passkeys_of(request.user),
        "changes": held.recent_changes(customer, RECENT),
    }
    return render(request, "renewals/my/account.html", context)


@require_http_methods(["GET", "POST"])
@customer_page
def new_contact(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Put a colleague on file, who may log in from then on."""
    return _contact_page(request, customer, None, partial(services.add_contact, customer=customer), "is on file")


@require_http_methods(["GET", "POST"])
@customer_page
def contact_page(request: HttpRequest, customer: Customer, contact_id: int) -> HttpResponse:
    """Change a person's name or address, or say that they have left."""
    contact = contact_at(customer.pk, contact_id)
    return _contact_page(request, customer, contact, partial(services.change_contact, contact=contact), "is changed")


@require_POST
@customer_page
def contact_left(request: HttpRequest, customer: Customer, contact_id: int) -> HttpResponse:
    """A person has left: no mail goes there any more, and they can't log in."""
    contact = services.contact_left(contact=contact_at(customer.pk, contact_id), **by(request))
    messages.success(request, f"{contact.name} is marked as having left: no mail goes to them, and they can’t log in.")
    return _back(request)


@require_POST
@customer_page
def contact_came_back(request: HttpRequest, customer: Customer, contact_id: int) -> HttpResponse:
    """A person is there after all."""
    contact = services.contact_came_back(contact=contact_at(customer.pk, contact_id), **by(request))
    messages.success(request, f"{contact.name} is on file again.")
    return _back(request)


@require_POST
@customer_page
def reminders(request: HttpRequest, customer: Customer, contact_id: int) -> HttpResponse:
    """Stop reminders to a person, or let them have reminders again."""
    wanted = request.POST.get("reminders") == "on"
    contact = switch_reminders(contact=contact_at(customer.pk, contact_id), wanted=wanted, **by(request))
    messages.success(request, f"{contact.name} gets {'reminders again' if wanted else 'no reminders any more'}.")
    return _back(request)


@require_http_methods(["GET", "POST"])
@customer_page
def addresses(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Change where post and invoices go."""
    form = AddressesForm(request.POST or None, initial=Addresses.of(customer)._asdict())
    if request.method == "POST" and form.is_valid():
        typed = Addresses(**form.cleaned_data)
        if attempt(form, services.change_addresses, customer=customer, addresses=typed, **by(request)):
            messages.success(request, "The addresses are saved.")
            return redirect("renewals:my_account")
    context = {"form": form, "customer": customer}
    return render(request, "renewals/my/addresses.html", context, status=422 if form.errors else 200)


@require_GET
@customer_page
def export(request: HttpRequest, customer: Customer) -> HttpResponse:
    """What the file with everything that is held has in it, part by part."""
    return render(request, "renewals/my/export.html", {"customer": customer, "parts": held.PARTS})


@require_GET
@customer_page
def export_file(request: HttpRequest, customer: Customer) -> HttpResponseBase:
    """The file, written while it is sent."""
    now = by(request)
    record(now["actor"], now["at"], Deed("export", customer))
    name = f"{slugify(customer.name) or 'organisation'}-{timezone.localdate().isoformat()}.json"
    return StreamingHttpResponse(
        held.held_about(customer, now["at"]),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@customer_page
def choose(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Go over to another of one's organisations."""
    asked = request.POST.get("organisation", "")
    chosen = get_object_or_404(organisations_of(request.user), pk=asked if asked.isdecimal() and len(asked) < 19 else 0)
    choose_organisation(user=request.user, customer=chosen, **by(request))
    return redirect("renewals:my_home")


def _contact_page(
    request: HttpRequest, customer: Customer, contact: Contact | None, save: Callable[..., Contact], outcome: str
) -> HttpResponse:
    form, is_kept = contact_form(request, contact, save, outcome)
    if is_kept:
        return _back(request)
    context = {"form": form, "customer": customer, "contact": contact}
    if contact:
        others = customer.reachable_contacts().exclude(pk=contact.pk)
        context |= {"is_oneself": contact.email.lower() == request.user.email, "is_last": not others.exists()}
    return render(request, "renewals/my/contact.html", context, status=422 if form.errors else 200)


def _back(request: HttpRequest) -> HttpResponse:
    """To the account; or to the login, for who has just taken their own address from the file."""
    if organisation_of(request.user) is not None:
        return redirect("renewals:my_account")
    logout(request)
    messages.success(request, "It is done, and you are logged out: this address is not on file any more.")
    return redirect("account_request_login_code")

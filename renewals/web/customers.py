"""Customers: the list, a customer's page, what is on record of it, and its contacts."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any
from uuid import uuid4

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import wording
from portal.access import staff_page
from portal.models import Contact, Customer, User
from portal.services import customers as services
from portal.services.customers import CustomerDetails
from portal.web import PAGE_LENGTH, attempt, by, done_once
from renewals import overviews
from renewals.models import PriceList
from renewals.web.contacts import contact_at, contact_form

# Details that the price of a new quote depends on, and no price that was quoted.
PRICED_BY = ("currency", "segment", "country", "tax_status")


class NamesForm(forms.Form):
    """Finds customers by parts of their names."""

    q = forms.CharField(label="Name", max_length=200, required=False)


class CustomerForm(forms.Form):
    """What is on record of a customer. `known` says which details the form was opened with."""

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Enter the customer’s name."})
    country = forms.ChoiceField(label="Country", help_text="It decides on the tax and on the size of the paper.")
    currency = forms.ChoiceField(
        label="Currency",
        help_text="One that a price list has. Quotes and orders that are there keep theirs.",
    )
    segment = forms.ChoiceField(label="Segment", choices=Customer.Segment.choices)
    tax_status = forms.ChoiceField(label="Tax status", choices=Customer.TaxStatus.choices)
    fulfil_on = forms.ChoiceField(label="Orders are fulfilled", choices=Customer.FulfilOn.choices)
    locale = forms.ChoiceField(label="Language of dates and amounts", help_text="In quotes, their documents and mails.")
    postal_address = forms.CharField(
        label="Postal address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Below the name, without the country. It is printed on quotes.",
    )
    invoice_address = forms.CharField(
        label="Invoice address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where invoices go instead, with the name that is to stand on them.",
    )
    owner = forms.ModelChoiceField(User.objects.none(), label="Looked after by", required=False, empty_label="Nobody")
    known = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, customer: Customer | None = None, **kwargs: Any) -> None:
        start = CustomerDetails.of(customer) if customer else None
        initial = {**start._asdict(), "known": start.fingerprint} if start else {"locale": "en_GB"}
        super().__init__(*args, initial=initial, **kwargs)
        currencies = set(PriceList.objects.order_by().values_list("currency", flat=True).distinct())
        locales = dict(_locales())
        if start:
            currencies.add(start.currency)
            locales.setdefault(start.locale, start.locale)
        self.fields["country"].choices = [("", "Choose one"), *wording.countries().items()]
        self.fields["currency"].choices = [("", "Choose one"), *((each, each) for each in sorted(currencies))]
        self.fields["locale"].choices = sorted(locales.items(), key=lambda each: each[1])
        staff = ~Q(role=User.Role.CUSTOMER) & (Q(is_active=True) | Q(pk=start.owner.pk if start and start.owner else 0))
        self.fields["owner"].queryset = User.objects.filter(staff).order_by("name", "email")

    @property
    def details(self) -> CustomerDetails:
        return CustomerDetails(**{name: self.cleaned_data[name] for name in CustomerDetails._fields})


@cache
def _locales() -> tuple[tuple[str, str], ...]:
    """The official languages of each country as locales, with their English names: “German (Austria)”."""
    found = {}
    for country in wording.countries():
        for language in get_official_languages(country, de_facto=True):
            try:
                locale = Locale.parse(f"{language}_{country}")
            except UnknownLocaleError:
                continue
            found[f"{language}_{country}"] = locale.get_display_name(wording.LOCALE) or str(locale)
    return tuple(found.items())


def customer_at(customer_id: int) -> Customer:
    """The customer of an address, or 404."""
    return get_object_or_404(Customer.objects.select_related("owner"), pk=customer_id)


def asked_customer(request: HttpRequest) -> Customer | None:
    """The customer whose rows alone a list shows: `?customer=`."""
    number = request.GET.get("customer", "")
    return customer_at(int(number)) if number.isdecimal() and len(number) < 19 else None


@require_GET
@staff_page()
def customer_list(request: HttpRequest) -> HttpResponse:
    """All customers by name, or those in whose names all the words of `?q=` occur."""
    form = NamesForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    page = Paginator(overviews.customers_by_name(words), PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {"form": form, "words": words, "page": page}
    return render(request, "renewals/customers.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def customer_page(request: HttpRequest, customer_id: int) -> HttpResponse:
    """How things stand with a customer, what to do next, and all that is on record."""
    customer, today = customer_at(customer_id), timezone.localdate()
    if customer.merged_into_id is not None:
        messages.info(request, f"{customer.name} was another spelling of this customer.")
        return redirect("renewals:customer", customer.merged_into_id)
    dongles = overviews.dongles_most_urgent_first(customer, today)
    page = Paginator(dongles, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {
        **overviews.customer_overview(customer, page.object_list, today),
        "page": page,
        "country": wording.country_name(customer.country),
        "language": dict(_locales()).get(customer.locale, customer.locale),
    }
    return render(request, "renewals/customer.html", context)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def new_customer(request: HttpRequest) -> HttpResponse:
    """Put a customer on record."""
    form = CustomerForm(request.POST or None)

    def create() -> str | None:
        made = attempt(form, services.create_customer, details=form.details, **by(request))
        return made and reverse("renewals:customer", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := done_once(request, create)):
        messages.success(request, f"{form.details.name} is on record.")
        return redirect(address)
    context = {"form": form, "once": request.POST.get("once") or uuid4().hex}
    return render(request, "renewals/customer_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def change_page(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Change what is on record of a customer."""
    customer = customer_at(customer_id)
    form = CustomerForm(request.POST or None, customer=customer)
    if request.method == "POST" and form.is_valid():
        known = form.cleaned_data["known"]
        done = attempt(
            form, services.change_customer, customer=customer, details=form.details, known=known, **by(request)
        )
        if done:
            messages.success(request, _sentence_on_change(customer, done))
            return redirect("renewals:customer", customer_id)
    context = {"form": form, "customer": customer}
    return render(request, "renewals/customer_form.html", context, status=422 if form.errors else 200)


def _sentence_on_change(before: Customer, after: Customer) -> str:
    """What was saved, and what becomes of quotes that are on their way where their price would be another one now."""
    sentence = f"{after.name} is changed."
    if all(getattr(before, name) == getattr(after, name) for name in PRICED_BY):
        return sentence
    number = overviews.quotes_on_their_way(after, timezone.localdate())
    if not number:
        return sentence
    which = f"{number} quotes on their way keep" if number > 1 else "One quote on its way keeps"
    return f"{sentence} {which} currency, prices and tax; new ones and new versions follow the new details."


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def new_contact(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Put a person on file."""
    customer = customer_at(customer_id)
    return _contact_page(request, customer, None, partial(services.add_contact, customer=customer), "is on file")


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def contact_page(request: HttpRequest, customer_id: int, contact_id: int) -> HttpResponse:
    """Change a person's name or address."""
    contact = contact_at(customer_id, contact_id)
    save = partial(services.change_contact, contact=contact)
    return _contact_page(request, contact.customer, contact, save, "is changed")


def _contact_page(
    request: HttpRequest, customer: Customer, contact: Contact | None, save: Callable[..., Contact], outcome: str
) -> HttpResponse:
    form, is_kept = contact_form(request, contact, save, outcome)
    if is_kept:
        return _to_contacts(customer.pk)
    context = {"form": form, "customer": customer, "contact": contact}
    return render(request, "renewals/contact_form.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("sell")
def left(request: HttpRequest, customer_id: int, contact_id: int) -> HttpResponse:
    """A person has left: no mail goes there any more."""
    contact = services.contact_left(contact=contact_at(customer_id, contact_id), **by(request))
    messages.success(request, f"{contact.name} is marked as having left, and gets no mail any more.")
    return _to_contacts(customer_id)


@require_POST
@staff_page("sell")
def came_back(request: HttpRequest, customer_id: int, contact_id: int) -> HttpResponse:
    """A person is there after all."""
    contact = services.contact_came_back(contact=contact_at(customer_id, contact_id), **by(request))
    messages.success(request, f"{contact.name} is on file again.")
    return _to_contacts(customer_id)


def _to_contacts(customer_id: int) -> HttpResponse:
    return redirect(f"{reverse('renewals:customer', args=[customer_id])}#contacts")

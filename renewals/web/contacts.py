"""A person on file and the form about them, for the pages of staff and those of customers."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from portal.models import Contact
from portal.web import attempt, by


class ContactForm(forms.Form):
    """A person to whom quotes and codes may go."""

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Enter the person’s name."})
    email = forms.EmailField(label="E-mail address", error_messages={"required": "Enter the e-mail address."})


def contact_at(customer_id: int, contact_id: int) -> Contact:
    """The contact of an address, or 404: of this customer alone."""
    return get_object_or_404(Contact.objects.select_related("customer"), pk=contact_id, customer=customer_id)


def contact_form(
    request: HttpRequest, contact: Contact | None, save: Callable[..., Contact], outcome: str
) -> tuple[ContactForm, bool]:
    """The form about a person, and whether what was posted is kept; a message says so, in the words of `outcome`."""
    initial = {"name": contact.name, "email": contact.email} if contact else None
    form = ContactForm(request.POST or None, initial=initial)
    if request.method != "POST" or not form.is_valid():
        return form, False
    kept = attempt(form, save, **form.cleaned_data, **by(request))
    if kept is None:
        return form, False
    messages.success(request, f"{kept.name} {outcome}.")
    return form, True

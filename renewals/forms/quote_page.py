"""What customers do with a quote on its page: accept it, decline it, ask about it."""

from hashlib import sha256
from typing import Any

from django import forms

from portal.models import Contact, Customer
from renewals.forms.staff import AcceptForm, ReasonForm


class CustomerAcceptForm(AcceptForm):
    """A quote accepted by the customer: the order, who places it, and the terms that they agree to.

    The form carries the version of the terms that were shown, so that nobody agrees to others than they have read.
    """

    accepted_by = forms.CharField(
        label="Your name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your name."},
    )
    role = forms.CharField(
        label="Your role",
        max_length=90,
        help_text="Your job title, for example Laboratory manager or Purchasing.",
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
        error_messages={"required": "Enter your role, for example Purchasing."},
    )
    terms_version = forms.CharField(widget=forms.HiddenInput, required=False)
    agrees = forms.BooleanField(
        label="I have read these terms and agree to them",
        error_messages={"required": "Tick the box to agree to the terms: without that the quote can’t be accepted."},
    )

    def __init__(self, *args: object, customer: Customer, terms: str, **kwargs: object) -> None:
        super().__init__(*args, customer=customer, **kwargs)
        self.terms = terms
        self.fields["purchase_order_number"].help_text = (
            "The number under which your organisation orders."
            if self.fields["purchase_order_number"].required
            else "If your organisation orders with one."
        )
        self.fields["terms_version"].initial = self._terms_version

    @property
    def _terms_version(self) -> str:
        return sha256(self.terms.encode()).hexdigest()[:16]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("agrees") and values.get("terms_version") != self._terms_version:
            self.data = {**self.data.dict(), "terms_version": self._terms_version, "agrees": ""}
            self.add_error("agrees", "The terms have changed since you opened this page: read them again, then agree.")
        return values

    @property
    def order(self) -> dict[str, Any]:
        """What is ordered, by whom, as the service takes it."""
        values = self.cleaned_data
        return {
            "purchase_order_number": values["purchase_order_number"],
            "purchase_order_file": values["purchase_order_file"],
            "accepted_by": f"{values['accepted_by']}, {values['role']}",
            "terms": self.terms,
        }


class CustomerDeclineForm(ReasonForm):
    """Why a customer does not want a quote, and who says so; of a contact who is logged in the name is known."""

    name = forms.CharField(
        label="Your name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your name."},
    )

    def __init__(self, *args: object, contact: Contact | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "A word helps us: too expensive, no budget this year, the dongle is not used."
        self.fields["reason"].error_messages["required"] = "Say in a word why."
        if contact:
            del self.fields["name"]


class QuestionForm(forms.Form):
    """A question about a quote. Of a contact who is logged in, name and address are known."""

    text = forms.CharField(
        label="Your question",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write what you want to know."},
    )
    name = forms.CharField(
        label="Your name",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your name."},
    )
    email = forms.EmailField(
        label="Your e-mail address",
        help_text="The answer goes there.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": "Enter your e-mail address: the answer goes there.",
            "invalid": "Write the whole address, like name@institute.example.",
        },
    )

    def __init__(self, *args: object, contact: Contact | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.contact = contact
        if contact:
            del self.fields["name"], self.fields["email"]

    @property
    def asked(self) -> dict[str, str]:
        """The question and who asks, as the service takes it."""
        known = {"name": self.contact.name, "email": self.contact.email} if self.contact else {}
        return {**known, **self.cleaned_data}

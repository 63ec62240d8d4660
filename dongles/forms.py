"""Forms about dongles."""

import unicodedata
from collections.abc import Sequence

from django import forms

from dongles.models import Dongle
from portal.models import Customer

# What word processors and mail programs make of plain separators (UNLOCK-CODE, Letters).
TYPOGRAPHIC_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")


def plain_text(text: str) -> str:
    """Pasted text with plain spaces and hyphens, as readers of serials, codes and receipts want it."""
    return "".join(
        " " if unicodedata.category(letter) == "Zs" else letter for letter in text.translate(TYPOGRAPHIC_HYPHENS)
    )


class PlainCharField(forms.CharField):
    def to_python(self, value: object) -> str:
        return plain_text(super().to_python(value) or "").strip()


class FindForm(forms.Form):
    """Finds dongles by serial in any spelling, customer or e-mail address."""

    q = PlainCharField(max_length=200, required=False, label="Serial number, customer or e-mail address")


class SupportForm(forms.Form):
    """Which dongle who is on the telephone has."""

    serial = PlainCharField(
        max_length=200,
        label="Serial number of the dongle",
        help_text="In any spelling: 104233, 104-233, ils 2008 a.",
        error_messages={"required": "Type the serial number that stands on the dongle."},
    )


class ReceiptForm(forms.Form):
    """The receipt that a dongle shows once it has applied a code."""

    receipt = PlainCharField(
        max_length=40,
        label="Receipt",
        help_text="Eight letters and digits that the dongle shows once it has applied the code.",
    )


class WhatHappenedForm(forms.Form):
    """What happened to a dongle: each answer names the page that does it, and the cause of a replacement (Q8)."""

    happened = forms.ChoiceField(
        label="What happened?", widget=forms.RadioSelect, error_messages={"required": "Choose what happened."}
    )

    LOST_AND_REPLACED = ("replace-lost", "Lost, stolen or not handed back: replace it")
    CHOICES = {
        Dongle.State.ACTIVE: (
            ("replace-broken", "Broken and handed back: replace it"),
            LOST_AND_REPLACED,
            ("lose", "Lost, and nothing takes its place for now"),
            ("transfer", "Handed on to another customer"),
        ),
        Dongle.State.LOST: (
            ("find", "Found again"),
            LOST_AND_REPLACED,
            ("transfer", "Handed on to another customer"),
        ),
        Dongle.State.RETIRED: (),
    }

    def __init__(self, *args: object, dongle: Dongle, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["happened"].choices = self.CHOICES[Dongle.State(dongle.state)]


class TransferForm(forms.Form):
    """To whom a dongle goes, among the customers that were found."""

    customer = forms.TypedChoiceField(
        label="New owner",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the customer.", "invalid_choice": "Search again and choose the customer."},
    )
    reason = forms.CharField(label="Reason", required=False, max_length=250)

    def __init__(self, *args: object, customers: Sequence[Customer], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].choices = [
            (each.pk, f"{each.name}, {each.country}, priced in {each.currency}") for each in customers
        ]

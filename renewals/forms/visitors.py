"""The question pages on which a visitor asks for a quote (Q5). They look up products alone, alike for everybody."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

from dongles.models import Product
from dongles.pasted import serials_in
from portal.wording import count
from renewals.services.requests import MOST_SERIALS

LONGEST_PASTE = 10_000
SHOWN = 24  # letters of what can't be a serial number
LICENCE_ROWS = 3
MOST_SEATS = 65_535
# Signs that turn the direction of writing around or stand for nothing; those that join letters stay.
UNSEEN = frozenset("\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def seen(text: str) -> str:
    """The text without control characters, but for lines and tabs, and without signs that nobody sees."""
    return "".join(
        letter
        for letter in text
        if letter not in UNSEEN and (letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    )


class SeenField(forms.CharField):
    """A text as people see it. How long it may be is said, not cut off: no browser is told a length."""

    def __init__(self, *, longest: int, lines: int = 1, autocomplete: str = "off", **options: Any) -> None:
        attrs = {"autocomplete": autocomplete}
        widget = forms.TextInput(attrs) if lines == 1 else forms.Textarea({**attrs, "rows": lines})
        super().__init__(**{"widget": widget, **options})
        self._lines = lines
        words = f"This is %(show_value)s letters long; {longest} at most can be sent."
        self.validators.append(MaxLengthValidator(longest, words))

    def to_python(self, value: object) -> str:
        text = seen(super().to_python(str(value).replace("\r\n", "\n") if value else "") or "")
        return (text if self._lines > 1 else " ".join(text.split())).strip()


class SeenEmailField(forms.EmailField):
    def to_python(self, value: object) -> str:
        return "".join(seen(super().to_python(value) or "").split())


class SerialsForm(forms.Form):
    """Which dongles it is about: one serial number or many, pasted as they come."""

    serials = SeenField(
        label="Serial numbers",
        longest=LONGEST_PASTE,
        lines=5,
        help_text="One on each line, or with commas between. Spaces and hyphens inside a number do not matter.",
        error_messages={"required": "Enter the serial number of a dongle."},
    )
    serials.widget.attrs.update(spellcheck="false", autocapitalize="characters")

    def clean_serials(self) -> str:
        """Still as it was typed; what can be no serial number is named with its mend."""
        typed: str = self.cleaned_data["serials"]
        self.found, refused = serials_in(typed)
        errors = [f"“{_shortened(text)}” can’t be a serial number: {why}. {_mend(why)}" for text, why in refused[:5]]
        if len(refused) > len(errors):
            errors.append(f"{len(refused) - len(errors)} more can’t be serial numbers either.")
        if not refused and not self.found:
            errors.append("Enter the serial number of a dongle: letters A–Z and digits.")
        if len(self.found) > MOST_SERIALS:
            errors.append(
                f"These are {len(self.found)} serial numbers; {MOST_SERIALS} at most can be sent at once. Take some"
                " out, and send those in a second request."
            )
        if errors:
            raise forms.ValidationError(errors)
        return typed


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _mend(why: str) -> str:
    if "longer" in why:
        return "Put each number on a line of its own."
    return "Correct it, or take it out."


class DetailsForm(forms.Form):
    """Who asks, and what for. A field that people don't see is for machines, which fill in everything."""

    name = SeenField(
        label="Your name", longest=200, autocomplete="name", error_messages={"required": "Enter your name."}
    )
    email = SeenEmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
        help_text="The quote goes to this address if it is on file with us for the dongle.",
        error_messages={
            "required": "Enter your e-mail address.",
            "invalid": "Enter an e-mail address in the form name@example.com.",
        },
    )
    organisation = SeenField(label="Organisation", longest=200, autocomplete="organization", required=False)
    telephone = SeenField(label="Telephone", longest=40, autocomplete="tel", required=False)
    renew_years = forms.TypedChoiceField(
        label="Renew the SMA for",
        required=False,
        coerce=int,
        empty_value=None,
        initial="1",
        error_messages={"invalid_choice": "Choose for how many years, from the list."},
    )
    message = SeenField(
        label="Message",
        longest=2000,
        lines=4,
        required=False,
        help_text="Read by a person. Leave it empty unless there is something to say.",
    )
    website = forms.CharField(
        label="Leave this empty", required=False, widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )

    def __init__(
        self, *args: object, serials: Sequence[str], products: Sequence[Product], most_years: int, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)
        self._serials = serials
        years = [(n, count(n, "year")) for n in range(1, most_years + 1)]
        self.fields["renew_years"].choices = [*years, ("", "No renewal, only more licences")]
        for number in range(1, LICENCE_ROWS + 1):
            self.fields[f"product_{number}"] = forms.ChoiceField(
                label="Product",
                required=False,
                choices=[("", "None"), *((each.code, each.name) for each in products)],
                error_messages={"invalid_choice": "Choose a product from the list."},
            )
            self.fields[f"seats_{number}"] = forms.IntegerField(
                label="Seats",
                required=False,
                min_value=1,
                max_value=MOST_SEATS,
                error_messages={
                    "invalid": "Enter how many seats as a number, such as 2.",
                    "min_value": "Enter 1 seat or more.",
                    "max_value": f"Enter {MOST_SEATS} seats at most.",
                },
            )
            self.fields[f"serial_{number}"] = forms.ChoiceField(
                label="On dongle",
                required=False,
                choices=[(each, each) for each in serials],
                error_messages={"invalid_choice": "Choose one of your dongles from the list."},
            )

    @property
    def licence_rows(self) -> list[list[forms.BoundField]]:
        """The fields for each licence to be added; the dongle is asked for only where there are several."""
        names = ("product", "seats", "serial") if len(self._serials) > 1 else ("product", "seats")
        return [[self[f"{name}_{number}"] for name in names] for number in range(1, LICENCE_ROWS + 1)]

    @property
    def has_licences(self) -> bool:
        """Whether anything is typed about licences to be added."""
        return any(field.value() for row in self.licence_rows for field in row[:2]) or "renew_years" in self.errors

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for number in range(1, LICENCE_ROWS + 1):
            product, seats = f"product_{number}", f"seats_{number}"
            if values.get(product) and not values.get(seats) and seats not in self.errors:
                self.add_error(seats, "Enter how many seats.")
            elif values.get(seats) and not values.get(product) and product not in self.errors:
                self.add_error(product, "Choose the product.")
        if not self.errors and not values.get("renew_years") and not self._added(values):
            self.add_error("renew_years", "Choose for how many years, or which licences to add.")
        return values

    def _added(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"product": product, "seats": values[f"seats_{n}"], "serial": values[f"serial_{n}"] or self._serials[0]}
            for n in range(1, LICENCE_ROWS + 1)
            if (product := values.get(f"product_{n}"))
        ]

    @property
    def wanted(self) -> dict[str, Any]:
        """What is asked for, as the service takes it."""
        return {"renew_years": self.cleaned_data["renew_years"], "added": self._added(self.cleaned_data)}

    @property
    def contact(self) -> dict[str, str]:
        """Who asks, and the message, as the service takes them."""
        return {each: self.cleaned_data[each] for each in ("name", "email", "organisation", "telephone", "message")}

    @property
    def contact_shown(self) -> list[dict[str, str]]:
        """Who asks, to be read and checked: label, text and field; what is left empty can be added there."""
        return [
            {"label": str(self[name].label), "text": self.cleaned_data[name] or "–", "id": self[name].id_for_label}
            for name in ("name", "email", "organisation", "telephone")
        ]

    @property
    def is_machine(self) -> bool:
        """Whether something stands in the field that people don't see."""
        return bool(self.cleaned_data["website"])

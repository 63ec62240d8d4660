"""The form on which a customer asks for a quote, and refusals in words of people who don't sell SMAs."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

from django import forms
from django.conf import settings

from dongles.models import Dongle, Product
from portal.errors import DomainError
from portal.wording import count, write_day
from renewals.forms.priced_live import PricedLiveForm
from renewals.forms.staff import DATE
from renewals.overviews.my.standing import OwnDongle
from renewals.queries import DongleRequest

MOST_DONGLES = 100  # in one quote
BY_YEARS, TO_A_DATE, ADDING = "years", "date", "add"


class RenewalForm(PricedLiveForm):
    """What is asked for: which dongles; years, a date, or licences alone; and for each dongle what is to be added."""

    dongle = forms.MultipleChoiceField(
        label="Dongles",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one dongle."},
    )
    way = forms.ChoiceField(
        label="What would you like?",
        widget=forms.RadioSelect,
        choices=(
            (BY_YEARS, "Renew for some years"),
            (TO_A_DATE, "Bring everything to one date"),
            (ADDING, "Only add licences"),
        ),
        error_messages={"required": "Choose one of these."},
    )
    years = forms.TypedChoiceField(label="For how long", required=False, coerce=int, empty_value=None)
    align_to = forms.DateField(
        label="Until",
        required=False,
        widget=DATE,
        help_text="The last day of the SMA of every licence, for instance the end of your budget year.",
        error_messages={"invalid": "Write the date as day, month and year, like 31 December 2027."},
    )

    def __init__(
        self,
        *args: object,
        choices: Sequence[OwnDongle],
        chosen: Sequence[Dongle],
        products: Mapping[int, Sequence[Product]],
        max_years: int,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dongle"].choices = [(each.dongle.serial, each.dongle.serial) for each in choices]
        self.fields["years"].choices = [(n, count(n, "year")) for n in range(1, max_years + 1)]
        self.fields["years"].error_messages["invalid_choice"] = f"Choose 1 to {max_years} years."
        self.picked = [each for each in choices if each.dongle in chosen]
        self.others = [each for each in choices if each.dongle not in chosen]
        self.max_years = max_years
        self.ask_for_seats(chosen, products)

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        way = values.get("way")
        if len(self.chosen) > MOST_DONGLES:
            self.add_error("dongle", f"Take at most {MOST_DONGLES} dongles into one quote.")
        if way == BY_YEARS and "years" in values and not values["years"]:
            self.add_error("years", f"Choose 1 to {self.max_years} years.")
        if way == TO_A_DATE and "align_to" in values and not values["align_to"]:
            self.add_error("align_to", "Enter the date until which you want to be covered.")
        if way == ADDING and not self.has_added and not self.errors:
            self.add_error(None, "Say how many seats of which product you want to add.")
        return values

    @property
    def asked(self) -> str:
        """What is asked, as the query of an address; what is empty stays out."""
        names = ["dongle", "way", "years", "align_to"]
        names += [field.name for field in self.added_fields]
        return urlencode({name: value for name in names if (value := self[name].value())}, doseq=True)

    @property
    def requests(self) -> list[DongleRequest]:
        """What is asked for each dongle, as the services take it."""
        values = self.cleaned_data
        return [
            DongleRequest(
                dongle,
                values["years"] if values["way"] == BY_YEARS else None,
                values["align_to"] if values["way"] == TO_A_DATE else None,
                self.added_to(dongle),
            )
            for dongle in self.chosen
        ]


FIELDS = {"renew_years": "years", "align_to": "align_to"}


def in_own_words(refusal: DomainError) -> DomainError:
    """The refusal as customers read it, with the field of the form beside which it stands; the code stays."""
    data = {**refusal.data, "field": FIELDS.get(refusal.data.get("field", ""), "")}
    serial, write_to_us = refusal.data.get("serial", ""), f"Please write to {settings.VENDOR['email']}"
    match refusal.code:
        case "align_too_early":
            earliest = write_day(date.fromisoformat(refusal.data["earliest"]))
            sentence = (
                f"Choose {earliest} or a later day. Paid time is never shortened, and a renewal is for some months at"
                " least."
            )
        case "too_far_ahead":
            data["field"] = data["field"] or "years"
            sentence = "This is more than ten years ahead. Choose something nearer."
        case "nothing_to_buy":
            data["field"] = "align_to"
            sentence = "Everything is covered to that day already. Choose a later one."
        case "no_licences":
            data["field"] = "dongle"
            sentence = (
                "One of these dongles carries no licence yet, so there is nothing to renew: add one, or untick it."
            )
        case "dongle_not_active":
            data["field"] = "dongle"
            sentence = f"Dongle {serial} is lost or not in use any more, so nothing can be bought for it. Untick it."
        case "no_price" | "no_price_list" | "no_policy" | "upgrade_not_above_sma":
            sentence = f"We can’t price this by ourselves at the moment. {write_to_us}: a person makes you the quote."
        case "wrong_family" | "too_many_products" | "too_many_seats":
            sentence = f"{refusal.message} {write_to_us} if you need it nevertheless."
        case _:
            sentence = refusal.message
    return DomainError(refusal.code, sentence, data)

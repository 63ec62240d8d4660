"""The form of a quote that is priced while it is typed: what is added to which dongle, and a date that grows digit by
digit."""

from collections.abc import Mapping, Sequence

from django import forms

from dongles.models import Dongle, Product
from renewals.pricing import AddedLicence


class PricedLiveForm(forms.Form):
    """Asks what is to be added to each of the chosen dongles, beside a field `align_to`.

    A form of this kind says which dongles are chosen, and what each can be given, by `ask_for_seats`.
    """

    marks_optional = False  # nearly every field is; saying so beside each would be noise

    def ask_for_seats(self, chosen: Sequence[Dongle], products: Mapping[int, Sequence[Product]]) -> None:
        """Add a field for the seats of each product, dongle by dongle; `products` by the ids of dongles."""
        self.chosen = chosen
        self.products = {dongle.pk: products.get(dongle.pk, ()) for dongle in chosen}
        for dongle in chosen:
            for product in self.products[dongle.pk]:
                self.fields[self.name_of(dongle, product)] = forms.IntegerField(
                    label=f"Seats of {product.name}",
                    required=False,
                    min_value=1,
                    max_value=65535,
                    error_messages={
                        "invalid": "Write how many seats, like 1.",
                        "min_value": "Write 1 or more, or leave it empty.",
                    },
                )

    @staticmethod
    def name_of(dongle: Dongle, product: Product) -> str:
        """The field for the seats of a licence that is to be added."""
        return f"add_{dongle.serial}_{product.code}"

    def added_to(self, dongle: Dongle) -> tuple[AddedLicence, ...]:
        """What is to be added to a dongle, of a form that is valid."""
        return tuple(
            AddedLicence(product.code, seats)
            for product in self.products[dongle.pk]
            if (seats := self.cleaned_data.get(self.name_of(dongle, product)))
        )

    @property
    def product_fields(self) -> list[tuple[Dongle, list[forms.BoundField]]]:
        """Per dongle the products that can be added, each as its field for the seats."""
        return [
            (dongle, [self[self.name_of(dongle, product)] for product in self.products[dongle.pk]])
            for dongle in self.chosen
            if self.products[dongle.pk]
        ]

    @property
    def added_fields(self) -> list[forms.BoundField]:
        return [field for _, fields in self.product_fields for field in fields]

    @property
    def has_added(self) -> bool:
        """Whether any licence is to be added."""
        return any(field.value() for field in self.added_fields)

    @property
    def is_half_typed(self) -> bool:
        """Whether the date's year is still being typed: 0002, 0020, 0202 on the way to 2027."""
        return str(self["align_to"].value() or "").startswith("0")

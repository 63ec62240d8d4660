"""Forms about dongles."""

import unicodedata

from django import forms

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


class ReceiptForm(forms.Form):
    """The receipt that a dongle shows once it has applied a code."""

    receipt = PlainCharField(
        max_length=40,
        label="Receipt",
        help_text="Eight letters and digits that the dongle shows once it has applied the code.",
    )

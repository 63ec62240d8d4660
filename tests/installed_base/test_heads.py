"""Heads in the words of vendors, and the choice of columns as it is remembered."""

import pytest

from dongles.installed_base import heads
from dongles.installed_base.fields import FIELDS
from tests import workbooks


def guessed(*texts):
    return {name: texts[index] for name, index in heads.guess_columns(texts).items()}


def test_the_heads_of_the_tests_workbooks_are_all_known():
    assert guessed(*workbooks.HEADS.values()) == workbooks.HEADS


def test_every_label_of_the_portal_names_its_own_field():
    assert guessed(*(field.label for field in FIELDS)) == {field.name: field.label for field in FIELDS}


@pytest.mark.parametrize(
    "texts",
    [
        {
            "serial": "DONGLE NO.",
            "product": "product_code",
            "sma_ends_on": "SMA expiry date",
            "acquired_on": "Date of purchase",
        },
        {
            "serial": "Seriennummer",
            "product": "Produkt",
            "sma_ends_on": "Wartung bis",
            "acquired_on": "Kaufdatum",
            "country": "Land",
        },
        {
            "serial": "N° de série",
            "product": "Produit",
            "sma_ends_on": "Fin SMA",
            "customer": "Société",
            "country": "Pays",
        },
        {
            "serial": "Hardlock",
            "contact_email": "E-Mail-Adresse",
            "contact_name": "Ansprechpartner",
            "currency": "Währung",
        },
        {"serial": "Serial number (on the label)", "customer": "Customer name (as invoiced)"},
    ],
)
def test_heads_are_known_in_several_languages_and_spellings(texts):
    assert guessed(*texts.values()) == texts


def test_no_column_is_taken_twice_and_what_is_unknown_is_left():
    assert guessed("Serial", "Serial no.", "Remarks", heads.FAULT_HEAD) == {"serial": "Serial"}


def test_a_choice_is_found_again_whatever_the_order_of_the_columns():
    first, second = ["Serial", "Product", "Remarks"], ["remarks ", "PRODUCT", "Serial"]
    assert heads.key_of(first) == heads.key_of(second) == heads.key_of([heads.FAULT_HEAD, *first])
    assert heads.key_of(first) != heads.key_of(["Serial", "Product"])
    kept = heads.columns_by_head({"serial": 0, "contact_name": 2}, first)
    assert heads.columns_of(kept, second) == {"serial": 2, "contact_name": 0}

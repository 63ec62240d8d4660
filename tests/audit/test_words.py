"""Every action and every kind of object has words, and values read as people write them."""

import ast
from datetime import date
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import reverse

from portal.deeds import ACTIONS, ACTIONS_OF, KINDS, OF_ROWS, Change, changes_of, words_for, write_value

# Functions that take the name of an action, and which of their arguments it is.
NAMING = {"Deed": 0, "note": 1, "move_version": 1}


def actions_in_the_code() -> dict[str, str]:
    """Every text that stands where an action is named, with the place where it does."""
    found = {}
    for app in ("portal", "dongles", "renewals"):
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                place = NAMING.get(name)
                if place is None or len(node.args) <= place:
                    continue
                for part in ast.walk(node.args[place]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found[part.value] = f"{path.name}:{node.lineno}"
    return found


def has_words(action: str) -> bool:
    """Of its own, or as a row inside an object's page."""
    return action in ACTIONS or action.partition("_")[0] in OF_ROWS


def test_every_action_in_the_code_has_words():
    used = actions_in_the_code()
    assert len(used) > 30
    assert {action: place for action, place in used.items() if not has_words(action)} == {}


def test_every_word_of_a_kind_is_of_a_kind_and_an_action_that_there_is():
    assert {kind for kind, _ in ACTIONS_OF} <= set(KINDS)
    assert {action for _, action in ACTIONS_OF} <= set(ACTIONS)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_model_with_a_page(kind):
    each = KINDS[kind]
    model = apps.get_model(each.model)
    assert model._meta.model_name == kind
    assert not each.page or reverse(each.page, args=["1"] * len(each.address))
    fields = {field.name for field in model._meta.get_fields()}
    assert set(each.related) <= fields
    lookup, way = each.found_by
    nobody = {"text": "X", "serial": "X", "month": date.min}.get(way, 0)
    assert not model._base_manager.filter(**{lookup: nobody}).exists()


def test_an_action_is_told_by_its_kind_where_that_says_it_better():
    assert words_for("order", "accept") == "Order placed"
    assert words_for("quoteversion", "accept") == "Accepted"


def test_rows_inside_an_object_are_told_with_their_noun():
    assert words_for("customer", "create_contact") == "Contact added"
    assert words_for("pricelist", "delete_price") == "Price deleted"


def test_an_action_without_words_is_shown_as_it_is_called():
    assert words_for("dongle", "fly_away") == "Fly away"


def test_what_was_before_and_after_stands_side_by_side():
    before = {"state": "draft", "valid_until": "2026-03-01"}
    after = {"state": "sent", "valid_until": "2026-03-31", "total": 138240, "currency": "EUR"}
    assert changes_of(before, after) == [
        Change("State", "Draft", "Sent"),
        Change("Valid until", "1 Mar 2026", "31 Mar 2026"),
        Change("Total", "–", "€1,382.40"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("is_major", True, "Yes"),
        ("is_major", False, "No"),
        ("withdrawn_on", "", "–"),
        ("withdrawn_on", None, "–"),
        ("recipients", ["a@a.example", "b@b.example"], "a@a.example, b@b.example"),
        ("discount_limits", {"sales": "0.10"}, "Sales: 0.10"),
        ("ends_on", "2026-02-30", "2026-02-30"),  # no day: as it is
        ("total", 1000, "1000"),  # without a currency it is no amount
        ("sequence", 0, "0"),
        ("note", "<b>=1+1</b>", "<b>=1+1</b>"),
    ],
)
def test_a_value_reads_as_people_write_it(name, value, words):
    assert write_value(name, value) == words


def test_an_amount_of_an_unknown_currency_is_a_number():
    assert write_value("total", 5, "???") == "5"

"""The template parts and their filters, rendered as pages render them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string

from portal.templatetags.portal import STATES, day, expiry, figure, moment, money, months

TODAY = date(2026, 8, 24)
ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"


class OrderForm(forms.Form):
    number = forms.CharField(label="Purchase order number", help_text="As printed on the order.")
    is_mistake = forms.BooleanField(label="The order was a mistake", required=False)
    fulfil = forms.ChoiceField(
        label="Fulfil", choices=[("a", "On acceptance"), ("p", "On payment")], widget=forms.RadioSelect
    )


def ids_described(markup: str) -> set[str]:
    return {each for attribute in re.findall(r'aria-describedby="([^"]*)"', markup) for each in attribute.split()}


def test_a_refused_field_says_why_beside_itself_and_on_top() -> None:
    form = OrderForm({"number": "", "fulfil": "a"})
    field = render_to_string("parts/field.html", {"field": form["number"]})
    summary = render_to_string("parts/errors.html", {"form": form})
    assert ids_described(field) == {"id_number_helptext", "id_number_error"}
    assert 'id="id_number_error"' in field
    assert 'id="id_number_helptext"' in field
    assert 'aria-invalid="true"' in field
    assert '<a href="#id_number">Purchase order number: This field is required.</a>' in summary


def test_the_summary_leads_to_the_first_of_refused_radio_buttons() -> None:
    form = OrderForm({"number": "4711", "fulfil": "x"})
    summary = render_to_string("parts/errors.html", {"form": form})
    fields = render_to_string("parts/fields.html", {"form": form})
    assert '<a href="#id_fulfil_0">Fulfil' in summary
    assert re.search(r'<input type="radio"[^>]* id="id_fulfil_0"', fields)


def test_every_id_that_describes_a_field_exists_in_every_state_of_a_form() -> None:
    for form in (OrderForm(), OrderForm({}), OrderForm({"number": "1", "fulfil": "a"})):
        markup = render_to_string("parts/fields.html", {"form": form})
        assert ids_described(markup) <= set(re.findall(r'\sid="([^"]+)"', markup))


def test_a_form_without_errors_has_no_summary() -> None:
    assert render_to_string("parts/errors.html", {"form": OrderForm()}).strip() == ""


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_a_word_and_a_shape_never_a_colour_alone(state: str) -> None:
    markup = Template("{% load portal %}{% status state %}").render(Context({"state": state}))
    assert re.sub(r"<[^>]+>", "", markup).strip() == STATES[state][0]
    assert re.search(r"<(circle|path)", markup)
    has_colour = f"status-{state}" in markup
    assert has_colour == (state in {"valid", "expiring", "lapsed", "lapsed_over_major"})


def test_a_state_nobody_knows_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Template('{% load portal %}{% status "excellent" %}').render(Context())


def test_filters_write_a_dash_for_what_is_not_there() -> None:
    assert {money(None, "EUR"), figure(None, "EUR"), day(None), moment(None), expiry(None, TODAY)} == {"–"}


def test_a_moment_is_written_in_the_business_time_zone() -> None:
    assert moment(datetime(2026, 8, 24, 23, 30, tzinfo=UTC)) == "25 Aug 2026, 00:30"  # British Summer Time
    assert months([4, 23, 31]) == "4 months and 23 days"


def test_a_quote_shows_each_line_with_its_arithmetic_and_rules() -> None:
    line = SimpleNamespace(
        description="SMA, part of a year",
        starts_on=date(2027, 4, 1),
        ends_on=date(2027, 8, 23),
        months=(4, 23, 31),
        list_amount=47419,  # 1,200.00 × (4 + 23/31) ÷ 12 = 474.193…
        discounts=[{"reason": "negotiated", "rate": "0.1", "amount": -4742}],
        net=42677,
        rules=["P3", "P4"],
        arithmetic=["P3  1,200.00 × (4 + 23/31) ÷ 12 = 474.19", "P8  10% of 474.19 = −47.42"],
    )
    groups = [
        {"title": "Volocity Visualisation", "facts": ["Covered to 31 Mar 2027."], "net": 42677, "lines": [line]},
        {"title": "Openlab Full", "facts": [], "net": 0, "lines": []},
    ]
    text = re.sub(
        r"\s+",
        " ",
        re.sub(r"<[^>]+>", " ", render_to_string("parts/quote_lines.html", {"currency": "EUR", "groups": groups})),
    )
    for shown in (
        "1 Apr 2027 – 23 Aug 2027",
        "4 months and 23 days",
        "474.19",
        "−47.42 negotiated 10%",
        "426.77",
        "P3 P4",
        "P8 10% of 474.19 = −47.42",
        "Nothing to buy",
    ):
        assert shown in text


def test_totals_name_the_currency_and_the_tax_rate() -> None:
    totals = {"net": 535258, "tax": 101699, "total": 636957, "tax_rate": "0.19", "currency": "EUR"}
    text = render_to_string("parts/totals.html", {"totals": totals})
    assert all(shown in text for shown in ("€5,352.58", "Tax, 19%", "€1,016.99", "€6,369.57"))


def test_the_page_of_a_breakdown_needs_no_context() -> None:
    assert "Something broke" in render_to_string("500.html")


def test_no_page_carries_style_or_script_of_its_own() -> None:
    pages = [path for path in TEMPLATES.rglob("*.html") if path.parent.name != "email"]  # mails can't do without
    assert TEMPLATES / "base.html" in pages
    for path in pages:
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|[\"'(]data:", text), path


def test_what_is_served_asks_for_nothing_from_elsewhere() -> None:
    folder = ROOT / "portal" / "static" / "portal"
    for path in folder.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|@import|url\(|data:", text), path


def test_nothing_moves_for_who_wants_no_motion() -> None:
    still = "@media (prefers-reduced-motion: no-preference) {"
    for sheet in sorted((ROOT / "portal/static/portal").glob("*.css")):
        lines = [line for line in sheet.read_text().splitlines() if not line.startswith(still)]
        assert [line for line in lines if re.search(r"(transition|animation|scroll-behavior)\b.*:", line)] == [], sheet

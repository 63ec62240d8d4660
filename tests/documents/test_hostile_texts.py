"""Whatever people type is printed as they typed it: it is never markup, reads no file and links nowhere."""

import re

import pytest

from dongles.models import Product
from renewals.documents import acceptance_address
from renewals.documents.letters import printable
from tests import world
from tests.documents.reading import letters_of, links_of, read, words_of

TEXTS = [
    '#read("/etc/passwd")',
    '#image("https://example.com/a.png")',
    '#include "look.typ"',
    "$ x^2 $ and $$ too",
    "\\ \\u{41} \\n back\\slash",
    "@ref <label> @look.typ",
    "https://example.com/?a=b&c=d and http://example.com",
    "\"quoted\" 'single' `raw` ```block```",
    "= Heading *bold* _emph_ - list + enum / term: x",
    "#{ panic() } #let x = 1 // gone /* gone */",
    "-- --- ... ~ a~b",
    "{{ 7|add:7 }} {% now 'Y' %} %s {0} <b>&amp;</b>",
    "W" * 199,
    "ab" * 20 + " " + "https://" + "x" * 150,
    "Ústav buněk, Łódź, Universität Köln, Ινστιτούτο, Институт клеток, Şişli, Țăș",
    "one\nline\r\nafter\u2028another",
    "x" * 3 + "\t" + "y" * 3,
]
PLACES = {"customer": 200, "note": 600, "product": 100, "vendor": 600}  # how many letters each has room for


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_printed_as_typed(catalogue, settings, text):
    typed = {place: text[: room - len(place)] + place for place, room in PLACES.items()}
    version, pdf = sent_with(typed, settings)
    letters = letters_of(words_of(pdf))
    assert [place for place in PLACES if letters_of(printable(typed[place])) not in letters] == []
    assert links_of(pdf) == {acceptance_address(version), "mailto:sma@vendor.example"}


@pytest.mark.parametrize("places", [("customer", "product"), ("note",), ("vendor",)])
@pytest.mark.parametrize("letter", ["W", "i", "é", "я", "0", "/"])
def test_a_word_that_never_ends_is_broken_within_the_margins(catalogue, settings, letter, places):
    """A line of the smallest print has room for about 60 W, 130 letters of usual width and 210 narrow ones."""
    typed = {place: letter * (PLACES[place] - len(place)) + place for place in places}
    _, pdf = sent_with(typed, settings)
    room = 60 if letter == "W" else 210 if letter in "i/" else 130
    longest = max(
        re.findall(f"{letter}+", "\n".join(page.extract_text() for page in read(pdf).pages)), key=len, default=""
    )
    assert 1 < len(longest) <= room
    letters = letters_of(words_of(pdf))
    assert [place for place in places if typed[place] not in letters] == []


@pytest.mark.parametrize(
    "text",
    [
        "\u202e00.1 €\u202c turned",
        "\u2067isolated\u2069",
        "a\u200fb\u200ec",
        "معهد الخلايا",
        "מכון התאים",
        "संस्थान",
        "東京大学 細胞研究所",
        "🔬 👩‍🔬 🇩🇪",
        "q\u0300\u0301\u0302\u0303\u0360\u0489" * 30,
        "\x01\x02\x7f\ufeff\ufffe",
        "\ue000 private",
        "\U0001d400 mathematical",
    ],
)
def test_no_letter_stops_the_document(catalogue, settings, text):
    version, pdf = sent_with({place: text[:room] for place, room in PLACES.items()}, settings)
    assert "Total, EUR €2,499.00" in words_of(pdf)
    assert "\u202e" not in words_of(pdf)
    assert links_of(pdf) == {acceptance_address(version), "mailto:sma@vendor.example"}


def sent_with(typed, settings):
    """A quote with what was typed in each place, and its document as it was sent."""
    if "vendor" in typed:
        settings.VENDOR = {**settings.VENDOR, "name": typed["vendor"], "terms": typed["vendor"]}
    if "product" in typed:
        Product.objects.filter(code="VOL-VIS").update(name=typed["product"])
    dongle = world.make_dongle(customer=world.make_customer(name=typed.get("customer", "Institute")))
    version = world.send(dongle, "2026-03-01", note=typed.get("note", ""))
    return version, bytes(version.document.pdf)

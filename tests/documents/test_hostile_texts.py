"""Whatever people type is printed as they typed it: it is never markup, reads no file and links nowhere."""

import re
from datetime import date

import pytest

from dongles.models import Product
from renewals.documents import acceptance_address, quote_pdf
from renewals.documents.letters import printable
from tests import world
from tests.documents.conftest import with_key
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
KINDS = ["customer", "note", "product", "vendor"]


@pytest.mark.parametrize("where", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_printed_as_typed(catalogue, settings, text, where):
    text = text[:100] if where == "product" else text
    version = quoted_with(text, where, settings)
    pdf = quote_pdf(version, on=date(2026, 3, 1))
    assert letters_of(printable(text)) in letters_of(words_of(pdf))
    assert links_of(pdf) == {acceptance_address(version), "mailto:sma@vendor.example"}


@pytest.mark.parametrize("where", KINDS)
@pytest.mark.parametrize("letter", ["W", "i", "é", "я", "0", "/"])
def test_a_word_that_never_ends_is_broken_within_the_margins(catalogue, settings, letter, where):
    """A line of the smallest print has room for about 60 W, 130 letters of usual width and 210 narrow ones."""
    number = {"customer": 200, "product": 100}.get(where, 600)
    pdf = quote_pdf(quoted_with(letter * number, where, settings), on=date(2026, 3, 1))
    room = 60 if letter == "W" else 210 if letter in "i/" else 130
    longest = max(
        re.findall(f"{letter}+", "\n".join(page.extract_text() for page in read(pdf).pages)), key=len, default=""
    )
    assert 1 < len(longest) <= room
    assert letter * number in letters_of(words_of(pdf))


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
@pytest.mark.parametrize("where", KINDS)
def test_no_letter_stops_the_document(catalogue, settings, text, where):
    version = quoted_with(text, where, settings)
    pdf = quote_pdf(version, on=date(2026, 3, 1))
    assert "Total, EUR €2,499.00" in words_of(pdf)
    assert "\u202e" not in words_of(pdf)
    assert links_of(pdf) == {acceptance_address(version), "mailto:sma@vendor.example"}


def quoted_with(text, where, settings):
    if where == "vendor":
        settings.VENDOR = {**settings.VENDOR, "name": text, "terms": text}
    if where == "product":
        Product.objects.filter(code="VOL-VIS").update(name=text[:100])
    dongle = world.make_dongle(customer=world.make_customer(name=text[:200] if where == "customer" else "Institute"))
    return with_key(world.send(dongle, "2026-03-01", note=text if where == "note" else ""))

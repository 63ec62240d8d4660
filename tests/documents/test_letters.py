"""Letters that the document's fonts have are printed, others are seen to be missing."""

import json

import pytest
import typst

from renewals.documents.letters import RANGES, is_printable, printable

PAGE = b"""
#set document(title: "Letters")
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern"))
#for letter in json(bytes(sys.inputs.data)) [#box(letter) ]
"""


def test_every_letter_that_counts_as_printable_has_a_glyph():
    letters = [chr(point) for first, last in RANGES for point in range(first, last + 1)]
    inputs = {"data": json.dumps(letters)}
    pdf = typst.compile(PAGE, ignore_system_fonts=True, sys_inputs=inputs, pdf_standards=["a-2a", "ua-1"])
    assert pdf.startswith(b"%PDF")
    assert len(letters) > 5000


def test_a_letter_without_a_glyph_would_be_refused():
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        typst.compile(PAGE, ignore_system_fonts=True, sys_inputs={"data": '["東"]'}, pdf_standards=["ua-1"])


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Łódź, Ελλάδα, Київ", "Łódź, Ελλάδα, Київ"),
        ("東京 lab", "□□ lab"),
        ("🔬!", "□!"),
        ("￥100", "¥100"),
        ("e\u0301", "é"),
        ("a\r\nb\rc\u2029d", "a\nb\nc\nd"),
        ("a\x00b\x1bc\td", "abc d"),
        ("1\u202e234", "1234"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_text_becomes_what_can_be_set(typed, printed):
    assert printable(typed) == printed


def test_what_cannot_be_printed_is_known():
    assert is_printable("Příliš žluťoučký")
    assert not is_printable("東京")


@pytest.mark.parametrize(
    "words",
    [
        "Příliš žluťoučký kůň",
        "Zażółć gęślą jaźń",
        "Größe, Straße",
        "Ẹ̀kọ́ Yorùbá",
        "Lietùvių kalbė́",
        "Tế bào học",
        "नमस्ते संस्था",
    ],
)
def test_words_of_many_languages_meet_the_standards_whole(words):
    inputs = {"data": json.dumps([printable(words)])}
    assert typst.compile(PAGE, ignore_system_fonts=True, sys_inputs=inputs, pdf_standards=["a-2a", "ua-1"])

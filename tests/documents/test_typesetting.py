"""Typst sees its own folder and nothing else, and threads do not get in each other's way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import typst

from renewals.documents import quote as quote_document
from renewals.documents import typesetting
from tests import world
from tests.documents.conftest import with_key
from tests.documents.reading import read, words_of

DAY = date(2026, 3, 1)


def test_threads_set_the_same_document_at_once(dongle):
    data = quote_document.quote_data(with_key(world.send(dongle, "2026-03-01")), DAY)
    expected = typesetting.set_pdf("quote", data, DAY)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: typesetting.set_pdf("quote", data, DAY), range(16)))
    assert made == [expected] * 16


def test_a_broken_document_crashes_rather_than_coming_out_wrong():
    with pytest.raises(typst.TypstError):
        typesetting.set_pdf("quote", {"paper": "a4"}, DAY)


def test_after_a_crash_the_next_document_is_set(dongle):
    data = quote_document.quote_data(with_key(world.send(dongle, "2026-03-01")), DAY)
    with pytest.raises(typst.TypstError):
        typesetting.set_pdf("quote", {}, DAY)
    assert typesetting.set_pdf("quote", data, DAY).startswith(b"%PDF")


def test_a_pile_of_signs_that_no_single_font_has_is_set_all_the_same_and_tagged(dongle):
    """A Latin letter under a Vedic accent: the standards refuse it, the customer gets the quote."""
    version = with_key(world.send(dongle, "2026-03-01", note="Q\u0951"))
    pdf = typesetting.set_pdf("quote", quote_document.quote_data(version, DAY), DAY)
    assert "Total, EUR €2,499.00" in words_of(pdf)
    assert "/StructTreeRoot" in read(pdf).trailer["/Root"]
    assert b"pdfuaid" not in read(pdf).trailer["/Root"]["/Metadata"].get_object().get_data()

"""Documents read back: their words without regard to where lines break, their links, their structure."""

import io
import re

from pypdf import PdfReader

NONCE = "aB3dE6gH9jK2mN5pQ8sT1vW4"


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def pages_of(pdf: bytes) -> list[str]:
    """The words of each page, single spaces between them."""
    return [" ".join(page.extract_text().split()) for page in read(pdf).pages]


def words_of(pdf: bytes) -> str:
    return " ".join(pages_of(pdf))


def letters_of(text: str) -> str:
    """Text without any white space: where lines and columns break is not what these tests are about."""
    return re.sub(r"\s", "", text)


def links_of(pdf: bytes) -> set[str]:
    """Whatever a click could do."""
    reader, found = read(pdf), set()
    for page in reader.pages:
        for annotation in page.get("/Annots") or []:
            action = annotation.get_object()["/A"]
            found.add(action.get("/URI") or str(action))
    return found

"""What an uploaded file is, by its content: a PDF, a PNG or a JPEG, or none of them. Pure.

What a file is called and what the browser says of it decide nothing. A file is read as far as is cheap: a header alone
is easily put before something else.
"""

import unicodedata
import zlib
from enum import StrEnum

from portal.errors import DomainError

MOST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 200
FIELD = "purchase_order_file"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What other kinds of file begin with; before the header of a PDF it makes a file that is two things at once.
OTHER_KINDS = (b"MZ", b"\x7fELF", b"PK\x03\x04", b"#!", b"GIF8", b"\xff\xd8\xff", PNG_SIGNATURE)
PDF_HEADER_WITHIN, PDF_END_WITHIN = 1024, 1024
# Markers of a JPEG without a length of their own, the frames that say how large the picture is, and the picture itself.
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_START_OF_SCAN, JPEG_END = 0xDA, b"\xff\xd9"


class Kind(StrEnum):
    """The kinds of file that are kept, by their media types."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"


EXTENSIONS = {Kind.PDF: (".pdf",), Kind.PNG: (".png",), Kind.JPEG: (".jpg", ".jpeg")}
ALL_EXTENSIONS = tuple(extension for extensions in EXTENSIONS.values() for extension in extensions)


def check_size(size: int) -> None:
    """Refuse `file_empty` and `file_too_large` (more than 10 MB, of 1,048,576 bytes each)."""
    if size == 0:
        raise DomainError("file_empty", "This file is empty.", {"field": FIELD})
    if size > MOST_BYTES:
        raise DomainError("file_too_large", f"This file is larger than {MOST_BYTES // 1024**2} MB.", {"field": FIELD})


def kind_of(content: bytes) -> Kind:
    """The kind of a file by its content; refuses `file_type_refused`."""
    if _is_pdf(content):
        return Kind.PDF
    if _is_png(content):
        return Kind.PNG
    if _is_jpeg(content):
        return Kind.JPEG
    raise DomainError(
        "file_type_refused",
        "This is no whole PDF, PNG or JPEG file, whatever its name says. Save it as one of them and choose it again.",
        {"field": FIELD},
    )


def _is_pdf(content: bytes) -> bool:
    """A header near the beginning, with no other kind of file or markup before it, and an end near the end."""
    header = content.find(b"%PDF-", 0, PDF_HEADER_WITHIN)
    before = content[: max(header, 0)]
    if header < 0 or before.startswith(OTHER_KINDS) or b"<" in before:
        return False
    return b"%%EOF" in content[-PDF_END_WITHIN:] and b"startxref" in content[-2 * PDF_END_WITHIN :]


def _is_png(content: bytes) -> bool:
    """The signature, then chunks with right checksums from IHDR through IEND, and nothing after it."""
    if not content.startswith(PNG_SIGNATURE):
        return False
    place, kinds = len(PNG_SIGNATURE), list[bytes]()
    while place + 12 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        end = place + 12 + length
        if int.from_bytes(content[end - 4 : end]) != zlib.crc32(memoryview(content)[place + 4 : end - 4]):
            return False
        if not kinds and (kind != b"IHDR" or length != 13 or not any(content[place + 8 : place + 12])):
            return False
        kinds.append(kind)
        place = end
        if kind == b"IEND":
            break
    return place == len(content) and kinds[-1:] == [b"IEND"] and b"IDAT" in kinds


def _is_jpeg(content: bytes) -> bool:
    """The start, segments of the lengths that they state, a frame and a scan among them, and an end after the scan.

    Telephones put things of their own behind the end, so that something follows it is no reason to refuse.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return False
    place, has_frame = 2, False
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in JPEG_ALONE or marker == 0xFF:  # a fill byte counts as the beginning of the next marker
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[place + 2 : place + 4])
        if length < 2:
            return False
        has_frame = has_frame or marker in JPEG_FRAMES
        place += 2 + length
        if marker == JPEG_START_OF_SCAN:
            return has_frame and JPEG_END in content[place:]
    return False


def display_name(name: str, kind: Kind) -> str:
    """The name under which a file is shown and handed out: without folders or letters that lie, and of the kind it is.

    An extension of another kind that is kept is replaced; any other ending stays and the right one follows it.
    """
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    # Cc, Cf, Cs and the like: control characters, marks that turn the direction of reading, halves of characters.
    plain = "".join(" " if letter.isspace() else letter for letter in plain)
    plain = "".join(letter for letter in plain if unicodedata.category(letter)[0] != "C")
    plain = " ".join("".join("_" if letter in '<>:"|?*' else letter for letter in plain).split()).rstrip(". ")
    extensions = EXTENSIONS[kind]
    ending = next((each for each in ALL_EXTENSIONS if plain.lower().endswith(each)), "")
    stem = plain[: len(plain) - len(ending)] if ending else plain
    ending = ending if ending in extensions else extensions[0]
    stem = stem[: LONGEST_NAME - len(ending)].strip(". ")
    return f"{stem or 'purchase-order'}{ending}"

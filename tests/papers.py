"""Small real files of each kind, and some that pretend."""

import zlib

from renewals.demo.paper import purchase_order_pdf
from renewals.uploads import MOST_BYTES, PNG_SIGNATURE

PDF = purchase_order_pdf(["Purchase order PO-77"])


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


HEAD = chunk(b"IHDR", (1).to_bytes(4) + (1).to_bytes(4) + b"\x08\x00\x00\x00\x00")
PIXEL = chunk(b"IDAT", zlib.compress(b"\x00\x80"))
END = chunk(b"IEND", b"")
PNG = PNG_SIGNATURE + HEAD + PIXEL + END


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2) + data


# A grey picture of 8 × 8 points: one block, whose two codes are each a bit long.
TABLES = (
    segment(0xDB, bytes([0]) + bytes([1] * 64))
    + segment(0xC4, bytes([0x00, 1]) + bytes(15) + bytes([0]))
    + segment(0xC4, bytes([0x10, 1]) + bytes(15) + bytes([0]))
)
FRAME = segment(0xC0, bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0]))
SCAN = segment(0xDA, bytes([1, 1, 0x00, 0, 63, 0])) + b"\x3f"
JPEG = (
    b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00") + TABLES + FRAME + SCAN + b"\xff\xd9"
)


def pdf_of(size: int) -> bytes:
    """A PDF of exactly that size: a comment fills it up."""
    filling = size - len(PDF) - len(b"%\n")
    head, rest = PDF[:9], PDF[9:]
    return head + b"%" + b"x" * filling + b"\n" + rest


LARGEST = pdf_of(MOST_BYTES)
TOO_LARGE = pdf_of(MOST_BYTES + 1)
PROGRAM = b"MZ\x90\x00" + bytes(60) + b"This program cannot be run in DOS mode."
PAGE = b"<!doctype html><script>alert(1)</script>"

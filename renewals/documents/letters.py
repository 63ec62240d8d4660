"""Which letters the document's fonts have. Only fonts that come with the typst package are used, so that a document has
the same bytes on every machine; a letter that they lack would vanish, so it is shown as a box instead.
"""

import unicodedata
from bisect import bisect_right

MISSING = "□"

# Ranges of code points (hexadecimal, both ends included) that Libertinus Serif, DejaVu Sans Mono and New Computer
# Modern have between them: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic, Devanagari, signs and symbols.
# Not: Chinese, Japanese, Korean, Thai, emoji. tests/documents/test_letters.py sets every one of them.
_RANGES = """
20-7E A0-377 37A-37F 384-38A 38C 38E-3A1 3A3-4FF 510-513 51A-51D 531-556 559-58A 58D-58F 591-5C7 5D0-5EA 5EF-5F4
606-60C 615 61B-61C 61F 621-63A 640-655 65A 660-66D 674 679-67B 67E-680 683-684 686-687 691 698 6A4 6A9 6AF 6BE 6CC
6F0-6F9 900-97F E3F 10D0-10FF 1D00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4
1FB6-1FC4 1FC6-1FD3 1FD6-1FDB 1FDD-1FEF 1FF2-1FF4 1FF6-1FFE 2000-200F 2010-2027 202F-2040 2042 2044-2052 2054-2060
2070-2071 2074-208E 2090-209C 20A0-20C0 20D0-20F0 2100-211E 2120 2122 2124 2126-2151 2153-2184 2189 2190-23FF
2460-262F 2638-268B 2690-269C 2701-2704 2706-2709 270C-2727 2729-274B 274D 274F-2752 2756 2758-275E 2761-277F 2794
2798-27AF 27B1-2B73 2B76-2B95 2B97-2BFF 2C60-2C7F FB00-FB06 FB13-FB17 FB1D-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44
FB46-FB4F FE70-FE74 FE76-FEFC FFFD
"""
RANGES = tuple(
    (int(first, 16), int(last or first, 16)) for first, _, last in (each.partition("-") for each in _RANGES.split())
)
_STARTS = [first for first, _ in RANGES]

# Signs that would turn the text after them around: an amount could be made to read backwards.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_ENDS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\t": " "})


def printable(text: str) -> str:
    """Text as it can be set: composed, lines ended by \\n, without invisible controls, □ for missing letters."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS)
    return composed if composed.isascii() and composed.isprintable() else "".join(map(_printable, composed))


def is_printable(text: str) -> bool:
    """Whether nothing of the text would be lost."""
    return all(map(_has, text))


def _printable(letter: str) -> str:
    if letter == "\n" or (_has(letter) and letter not in _TURNING):
        return letter
    if unicodedata.category(letter) in ("Cc", "Cf") or "\ufe00" <= letter <= "\ufe0f":
        return ""
    plain = unicodedata.normalize("NFKC", letter)  # a full-width ￥ or Ａ has a plain sister
    return plain if is_printable(plain) else MISSING


def _has(letter: str) -> bool:
    index = bisect_right(_STARTS, ord(letter)) - 1
    return index >= 0 and ord(letter) <= RANGES[index][1]

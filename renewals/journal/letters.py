"""Texts in Windows-1252, for what knows no other letters. Nothing fails: what it lacks comes near, or as “?”."""

import unicodedata

ENCODING = "cp1252"
# Letters that Unicode doesn't take apart.
NEAR = dict(zip(map(ord, "ŁłĐđĦħŦŧŊŋıĸəƏ‐‑‒―−′″⁄"), "LlDdHhTtNnikeE-----'\"/", strict=True))
CONTROLS = ("Cc", "Cs", "Zl", "Zp")


def in_windows_1252(text: str) -> str:
    """The text on one line, with only the letters that Windows-1252 has."""
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(" " if unicodedata.category(letter) in CONTROLS else letter for letter in composed)
    return "".join(letter if _is_there(letter) else _near(letter) for letter in plain)


def _is_there(letter: str) -> bool:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _near(letter: str) -> str:
    """The ASCII that a letter is made of, without its marks."""
    near = "".join(part for part in unicodedata.normalize("NFKD", letter).translate(NEAR) if part.isascii())
    return near or ("" if unicodedata.category(letter) in ("Mn", "Cf") else "?")

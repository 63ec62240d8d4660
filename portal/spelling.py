"""When two names are two spellings of one. Pure."""

import re
import unicodedata
from difflib import SequenceMatcher

# What companies and laboratories put behind their names, or leave out.
LEGAL_FORMS = frozenset(
    {
        "ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "eg", "ev", "gmbh", "inc",
        "incorporated", "kg", "kk", "limited", "llc", "llp", "lp", "ltd", "mbh", "nv", "oy", "oyj", "plc", "pty",
        "pvt", "sa", "sarl", "sas", "se", "sl", "spa", "srl", "the", "und", "and", "et", "y",
    }
)  # fmt: skip


def folded_name(name: str) -> str:
    """A name without case, accents, punctuation and legal form: “Müller & Söhne GmbH” is “muller sohne”.

    A name that is nothing but legal forms stays as it is but for case, accents and punctuation.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    # The full stops of abbreviations bind: “S.A.” is “sa”, “B. V.” is “bv”.
    plain = re.sub(r"\b(\w)\.\s?(?=\w\b)", r"\1", plain)
    words = re.findall(r"\w+", plain)
    return " ".join([word for word in words if word not in LEGAL_FORMS] or words)


def folded_address(email: str) -> str:
    """An e-mail address with small letters for the capital ones of ASCII, as the world's mail servers do; no others.

    A dotless i, a long s or a Kelvin sign is another letter, and may be another's mailbox.
    """
    return "".join(letter.lower() if letter.isascii() else letter for letter in email)


def digits_of(name: str) -> str:
    """The digits of a name: “Laboratory 12” and “Laboratory 13” are two, however alike they look."""
    return "".join(letter for letter in name if letter.isdigit())


def likeness(one: str, other: str) -> int:
    """How alike two names are when folded, in per cent: 100 for the same; a slip of the keyboard leaves 90 or more."""
    return int(100 * SequenceMatcher(None, folded_name(one), folded_name(other), autojunk=False).ratio())

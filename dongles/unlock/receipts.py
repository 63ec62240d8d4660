"""What is wrong with a receipt as it was typed, so that whoever typed it finds the letter."""

from collections.abc import Iterable

from .letters import LETTERS, READ, SKIPPED

LENGTH = 8
MOST_WRONG = 2  # letters that are mistyped at once; with more wrong it is another receipt
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def objection_to_receipt(text: str, receipts: Iterable[str]) -> str:
    """A sentence for text that is none of these receipts: which letter it can't have, how many it lacks, or which do
    not fit the one that is meant; empty where nothing of it can be told.

    A receipt has no check letters, but the portal knows which ones it may be told.
    """
    letters = [letter for letter in text if letter not in SKIPPED]
    for place, letter in enumerate(letters[:LENGTH]):
        if letter not in READ:
            return f"“{letter}” in the {PLACES[place]} place is in no receipt. Look at that letter again."
    if len(letters) != LENGTH:
        return f"A receipt has {LENGTH} letters and digits, and this has {len(letters)}. Look whether all are there."
    typed = [LETTERS[READ[letter]] for letter in letters]
    for receipt in receipts:
        wrong = [place for place in range(LENGTH) if typed[place] != receipt[place]]
        if 0 < len(wrong) <= MOST_WRONG:
            which = " and the ".join(PLACES[place] for place in wrong)
            told = " and ".join(f"“{letters[place].upper()}”" for place in wrong)
            noun, verb, what = ("letter", "does", "it") if len(wrong) == 1 else ("letters", "do", "them")
            return f"The {which} {noun}, {told}, {verb} not fit. Compare {what} with what the dongle shows."
    return ""

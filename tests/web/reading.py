"""What a page says."""

import re


def text_of(answer):
    """The words of an answer, or of a text with tags, in one line."""
    text = answer if isinstance(answer, str) else answer.content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())

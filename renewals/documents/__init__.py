"""The documents that customers keep: a quote as PDF.

`quote.py` gathers what the document says, as plain values; `typesetting.py` hands them to typst as JSON, which sets
them by templates/documents/. Text from people is a value all the way: typst never reads it as markup.
"""

from renewals.documents.quote import acceptance_address, quote_pdf
from renewals.documents.wording import Wording

__all__ = ["Wording", "acceptance_address", "quote_pdf"]

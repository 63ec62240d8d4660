"""What a customer sees of a sent quote."""

from datetime import date
from typing import Any

from portal.models import Customer
from portal.wording import write_day, write_money
from renewals.models import QuoteVersion
from renewals.overviews.quotes import carried_by, saved_rows, shown_dongles
from renewals.states import QuoteState


def customer_quote(version: QuoteVersion, today: date) -> dict[str, Any]:
    """A sent version with what is left to do about it; nothing that is the vendor's own business."""
    rows = saved_rows(version)
    assert version.valid_until is not None
    is_open = version.state == QuoteState.SENT and today <= version.valid_until
    return {
        "version": version,
        "quote": version.quote,
        "customer": version.quote.customer,
        "shown": shown_dongles(rows, carried_by(rows), today),
        "standing": _standing(version, is_open),
        "is_open": is_open,
        "next": _next(version, is_open, is_replacement=any(quoted.replacement for quoted, _ in rows)),
        "subject": f"Quote {version.quote.number}, version {version.number}",
    }


def _standing(version: QuoteVersion, is_open: bool) -> str:
    total, until = write_money(version.total, version.currency), write_day(version.valid_until or version.priced_on)
    if is_open:
        return f"{total}, valid until {until}, that day included."
    if version.state == QuoteState.ACCEPTED:
        return f"{total}, accepted. Thank you."
    if version.state == QuoteState.DECLINED:
        return f"{total}, declined."
    return f"{total}, valid until {until}, which is over."


def _next(version: QuoteVersion, is_open: bool, *, is_replacement: bool) -> tuple[str, str]:
    """A heading and what to do."""
    code = "the unlock code for the new dongle" if is_replacement else "the unlock code that moves the date"
    if is_open and version.quote.customer.fulfil_on == Customer.FulfilOn.PAYMENT:
        return "How to accept", "Write that you accept this quote. You receive the unlock code once it is paid."
    if is_open:
        return (
            "How to accept",
            f"Write your purchase order number. You then receive {code}.",
        )
    if version.state == QuoteState.ACCEPTED:
        return "Accepted", "The unlock code goes to the contacts on file."
    return "No longer open", "Ask for a new one: prices and lapses may have changed since."

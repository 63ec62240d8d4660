"""A version of a quote as a document: what it says, as plain values for templates/documents/quote.typ."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from babel import Locale
from django.conf import settings

from portal.models import Customer
from portal.wording import count, write_months
from renewals.documents.drawing import drawn_timeline, qr_modules
from renewals.documents.letters import printable
from renewals.documents.typesetting import set_pdf
from renewals.documents.wording import Wording
from renewals.models import QuoteDongle, QuoteLine, QuoteVersion
from renewals.overviews.quotes import (
    LineGroup,
    ShownDongle,
    carried_by,
    saved_rows,
    shown_dongles,
    wording_of_facts,
)
from renewals.states import QuoteState

# Where paper is US Letter (CLDR's paper sizes); A4 everywhere else.
LETTER_COUNTRIES = frozenset(["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"])
MOST_LARGE_DRAWINGS = 6
MOST_WITHOUT_OVERVIEW = 3
DISCOUNTS = {"multi_year": "multi-year"}


def acceptance_address(version: QuoteVersion) -> str:
    """The address that opens the customer's page of a sent version; none where it can't be said again."""
    return f"{settings.ADDRESS}/q/{version.key}/" if version.key else ""


def quote_pdf(version: QuoteVersion, *, on: date) -> bytes:
    """The PDF of a version as it stands on a day: the same version and day give the same bytes.

    A draft is marked as one and has no QR code. Nothing is written here: who sends the version keeps the bytes.
    """
    return set_pdf("quote", quote_data(version, on), on)


def quote_data(version: QuoteVersion, on: date) -> dict[str, Any]:
    """All that the document says, ready to print."""
    customer = version.quote.customer
    wording = Wording(customer.locale, version.currency)
    shown = shown_dongles(rows := saved_rows(version), carried_by(rows), on)
    is_draft = version.state == QuoteState.DRAFT
    address = "" if is_draft else acceptance_address(version)
    discounted = any(line.discounts for each in shown for group in each.groups for line in group.lines)
    return {
        "paper": "us-letter" if customer.country in LETTER_COUNTRIES else "a4",
        "draft": is_draft,
        "vendor": {name: printable(str(text)) for name, text in settings.VENDOR.items()},
        "number": version.quote.number,
        "version": version.number,
        "customer": printable(customer.name),
        "postal_address": _lines_of(customer.postal_address),
        "invoice_address": _lines_of(customer.invoice_address),
        "country": printable(country_name(customer.country)),
        "date": wording.day(on),
        "valid_until": wording.day(version.valid_until) if version.valid_until and not is_draft else "",
        "currency": version.currency,
        "summary": summary_of(version, shown, wording),
        "discounted": discounted,
        "overview": len(shown) > MOST_WITHOUT_OVERVIEW,
        "compact": len(shown) > MOST_LARGE_DRAWINGS,
        "dongles": [_dongle(each, on, wording) for each in shown],
        "net": wording.money(version.net),
        "tax_label": tax_label(version, customer, wording),
        "tax": wording.money(version.tax),
        "total": wording.money(version.total),
        "note": printable(version.note),
        "steps": []
        if is_draft
        else ways_to_accept(version, wording, bool(address), is_replacement=bool(shown[0].quoted.replacement)),
        "address": address,
        "qr": qr_modules(address) if address else None,
    }


def _lines_of(text: str) -> list[str]:
    return [printable(line) for line in text.splitlines()]


def country_name(code: str) -> str:
    """A country's English name by its ISO 3166 code; the code itself where it has none."""
    return str(Locale("en").territories.get(code, code))


def summary_of(version: QuoteVersion, shown: Sequence[ShownDongle], wording: Wording) -> str:
    """The offer in a sentence or two."""
    ends = sorted({each.quoted.covered_through for each in shown})
    whose = f"your dongle {shown[0].quoted.dongle.serial}" if len(shown) == 1 else f"your {len(shown)} dongles"
    on_each = "on it" if len(shown) == 1 else "on each"
    until = f"covered through {wording.day(ends[0])}"
    if len(ends) > 1:
        until = f"covered to one day, between {wording.day(ends[0])} and {wording.day(ends[-1])}"
    price = wording.money(version.total)
    if version.tax:
        price = f"{wording.money(version.net)} before tax, {price} in all"
    what = "This is a draft" if version.state == QuoteState.DRAFT else "This is our offer"
    if replacement := shown[0].quoted.replacement:
        return printable(
            f"{what} to replace {whose} by dongle {replacement['serial']}: all licences {on_each} go over with the"
            f" Software Maintenance Agreement (SMA) that is paid for, for {price}."
        )
    sentence = (
        f"{what} for the Software Maintenance Agreement (SMA) of {whose}: all licences {on_each} {until}, for {price}."
    )
    if version.free_months:
        sentence += f" {count(version.free_months, 'month')} of it {'is' if version.free_months == 1 else 'are'} free."
    return printable(sentence)


def tax_label(version: QuoteVersion, customer: Customer, wording: Wording) -> str:
    """“Tax, 19%”, and why there is none."""
    why = "" if customer.tax_status == Customer.TaxStatus.STANDARD else customer.get_tax_status_display().lower()
    return f"Tax, {wording.rate(version.tax_rate)}" + (f" ({why})" if why and not version.tax else "")


def ways_to_accept(
    version: QuoteVersion, wording: Wording, has_page: bool, *, is_replacement: bool = False
) -> list[str]:
    """What the customer does and what follows, by what the customer's orders are fulfilled on."""
    on_payment = version.quote.customer.fulfil_on == Customer.FulfilOn.PAYMENT
    what = "Accept this quote" if on_payment else "Accept this quote with your purchase order number"
    until = f" by {wording.day(version.valid_until)}, that day included" if version.valid_until else ""
    how = "scan the code or open its page" if has_page else f"write to {settings.VENDOR['email']}"
    return [
        printable(f"{what}{until}: {how}."),
        "Pay our invoice." if on_payment else "We invoice your order.",
        f"You receive an unlock code for {'the new' if is_replacement else 'each'} dongle, "
        + ("once it is paid" if on_payment else "once your order is in")
        + (
            ": it programs that dongle with your licences and their SMA expiry date."
            if is_replacement
            else ": it moves the SMA expiry date in the dongle to the new date."
        ),
    ]


def expires_now(quoted: QuoteDongle) -> date | None:
    """The SMA expiry date that the offer moves: the one in the dongle; of a past offer what its licences had then."""
    if quoted.version.state in (QuoteState.DRAFT, QuoteState.SENT):
        return quoted.dongle.issued_expiry_on
    return max((date.fromisoformat(each["covered_through"]) for each in quoted.licences), default=None)


def _dongle(each: ShownDongle, on: date, wording: Wording) -> dict[str, Any]:
    quoted = each.quoted
    expires_on = expires_now(quoted)
    return {
        "serial": quoted.dongle.serial,
        "old": wording.day(expires_on) if expires_on else "none so far",
        "new": wording.day(quoted.covered_through),
        "replacement": quoted.replacement.get("serial", ""),
        "net": wording.figure(quoted.net),
        "groups": [
            _group(group, quoted.licences[index] if index < len(quoted.licences) else None, wording)
            for index, group in enumerate(each.groups)
        ],
        "timeline": drawn_timeline(each.timeline, on, expires_on, wording) if each.timeline.groups else None,
    }


def _group(group: LineGroup, facts: dict[str, Any] | None, wording: Wording) -> dict[str, Any]:
    return {
        "title": printable(group.title),
        "facts": printable(" ".join(wording_of_facts(facts, wording.day))),
        "net": wording.figure(group.net) if len(group.lines) > 1 else "",
        "lines": [_line(line, wording) for line in group.lines],
    }


def _line(line: QuoteLine, wording: Wording) -> dict[str, Any]:
    has_period = line.starts_on is not None and line.ends_on is not None
    return {
        "what": printable(line.description),
        "period": f"{wording.day(line.starts_on)} – {wording.day(line.ends_on)}"
        if line.starts_on and line.ends_on
        else "",
        "months": write_months(line.months) if has_period else "",
        "list": wording.figure(line.list_amount),
        "discounts": [
            {
                "amount": wording.figure(discount["amount"]),
                "why": f"{DISCOUNTS.get(discount['reason'], discount['reason'])} {wording.rate(discount['rate'])}",
            }
            for discount in line.discounts
        ],
        "net": wording.figure(line.net),
    }

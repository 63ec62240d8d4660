"""A closed month as the books have it: its row, its closes and what they posted; and a small account map."""

from datetime import date

from dongles.models import Product
from renewals.models import AccountingMonth, AccountMapEntry, LedgerEntry, MonthClose
from tests import world

JANUARY = date(2026, 1, 1)
# Numbers of a first close: 1,200.00 booked, 300.50 credited, 101.92 earned of it in the month.
POSTED = (("booked", 120_000), ("credited", -30_050), ("recognised", 10_192))


def make_accounts():
    """One account for each role, and one for the revenue from Volocity in Switzerland."""
    volocity = Product.objects.get(code="VOL-VIS").family
    AccountMapEntry.objects.bulk_create(
        [
            AccountMapEntry(role="receivables", account="1400", name="Forderungen"),
            AccountMapEntry(role="deferred", account="0990", name="Rechnungsabgrenzung"),
            AccountMapEntry(role="revenue", account="8400", name="Erlöse"),
            AccountMapEntry(role="revenue", account="8410", name="Erlöse Schweiz", family=volocity, country="CH"),
        ]
    )


def make_close(*posted, month=JANUARY, revision=1, last_segment_id=0, currency="EUR", country="DE"):
    """A close with these entries, as (kind, amount), of VOL-VIS to commercial customers."""
    AccountingMonth.objects.update_or_create(month=month, defaults={"is_closed": True})
    close = MonthClose.objects.create(
        month_id=month,
        revision=revision,
        closed_at=world.at("2026-02-03"),
        segments=0,
        last_segment_id=last_segment_id,
        totals={},
        sha256="0" * 64,
    )
    product = Product.objects.get(code="VOL-VIS")
    first = LedgerEntry.objects.count() + 1
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            number=number,
            close=close,
            kind=kind,
            amount=amount,
            product=product,
            country=country,
            customer_segment="commercial",
            currency=currency,
        )
        for number, (kind, amount) in enumerate(posted or POSTED, first)
    )
    return close


def close_with_entries():
    """A catalogue, an account map and a closed January."""
    world.make_catalogue()
    make_accounts()
    return make_close()

"""A small account map, and entries as a close posts them."""

from datetime import UTC, date, datetime

from renewals.journal.accounts import AccountMap, MapRow, Named, Origin
from renewals.journal.datev import DatevSettings
from renewals.journal.postings import Entry, Journal, journal_of

OPENLAB, VOLOCITY = Named(1, "Openlab"), Named(2, "Volocity")
MEASURE, QUANTITATION = Named(11, "Openlab Measure"), Named(21, "Volocity Quantitation")
GERMAN = Origin(MEASURE, OPENLAB, "DE", "commercial")
SWISS = Origin(QUANTITATION, VOLOCITY, "CH", "academic")
ACCOUNTS = AccountMap(
    [
        MapRow("receivables", "1400", "Forderungen"),
        MapRow("deferred", "0990", "Rechnungsabgrenzung"),
        MapRow("revenue", "8400", "Erlöse"),
        MapRow("revenue", "8410", "Erlöse Volocity", family=VOLOCITY),
    ]
)
DATEV = DatevSettings(consultant=29098, client=55003, account_length=4, year_begins=7)
CLOSED_AT = datetime(2026, 2, 3, 9, 5, 7, 123456, tzinfo=UTC)
# Numbers go on from the months before; nothing was caught up for Swiss customers.
ENTRIES = (
    Entry(41, "booked", GERMAN, "EUR", 120_000),
    Entry(42, "credited", GERMAN, "EUR", -30_050),
    Entry(43, "recognised", GERMAN, "EUR", 10_192),
    Entry(44, "caught_up", SWISS, "CHF", 0),
    Entry(45, "recognised", SWISS, "CHF", -7),
)


def journal(*entries: Entry, accounts: AccountMap = ACCOUNTS, revision: int = 1) -> Journal:
    """The journal of January 2026."""
    january = {"month": date(2026, 1, 1), "last_day": date(2026, 1, 31)}
    return journal_of(entries or ENTRIES, accounts, revision=revision, **january)

"""The DATEV EXTF booking batch: header version 700, category 21, format version 13; 125 fields a booking.

A file is for one currency, which its header names, and has 99,999 bookings at most; more go on in a further file.
Written after DATEV's public description of the format; not tested with DATEV's own checker (docs/finance-journal.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from portal.errors import DomainError
from portal.sheets import FORMULA_STARTS
from portal.wording import currency_exponent, write_money
from renewals.journal.letters import ENCODING, in_windows_1252
from renewals.journal.postings import File, Journal, Line

MOST_BOOKINGS = 99_999
MOST_WHOLE = 10**10  # ten digits before the decimal comma
LONGEST_TEXT = 60
LONGEST_FURTHER = 210
CONSULTANTS, CLIENTS, LENGTHS, MONTHS = (1001, 9_999_999), (1, 99_999), (4, 8), (1, 12)

NAMES = (
    *("Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz"),
    *("WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum", "Belegfeld 1"),
    *("Belegfeld 2", "Skonto", "Buchungstext", "Postensperre", "Diverse Adressnummer", "Geschäftspartnerbank"),
    *("Sachverhalt", "Zinssperre", "Beleglink"),
    *(f"Beleginfo - {part} {number}" for number in range(1, 9) for part in ("Art", "Inhalt")),
    *("KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge", "EU-Land u. UStID (Bestimmung)"),
    *("EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart", "Sachverhalt L+L", "Funktionsergänzung L+L"),
    *("BU 49 Hauptfunktionstyp", "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung"),
    *(f"Zusatzinformation{part} {number}" for number in range(1, 21) for part in (" - Art", "- Inhalt")),
    *("Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr", "Zugeordnete Fälligkeit", "Skontotyp"),
    *("Auftragsnummer", "Buchungstyp", "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)"),
    *("Sachverhalt L+L (Anzahlungen)", "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz"),
    *("Buchungs GUID", "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername"),
    *("Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer", "Postensperre bis"),
    *("Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung", "Festschreibung", "Leistungsdatum"),
    *("Datum Zuord. Steuerperiode", "Fälligkeit", "Generalumkehr (GU)", "Steuersatz", "Land", "Abrechnungsreferenz"),
    *("BVV-Position", "EU-Land u. UStID (Ursprung)", "EU-Steuersatz (Ursprung)", "Abw. Skontokonto"),
)
FIELD = {name: index for index, name in enumerate(NAMES)}
# Fields that are texts stand between quotation marks even where they are empty; numbers and days never do.
TEXTS = frozenset(
    [
        *(index for index, name in enumerate(NAMES) if name.startswith(("Beleginfo", "Zusatzinformation"))),
        *(
            FIELD[name]
            for name in (
                *("Soll/Haben-Kennzeichen", "WKZ Umsatz", "WKZ Basis-Umsatz", "BU-Schlüssel", "Belegfeld 1"),
                *("Belegfeld 2", "Buchungstext", "Diverse Adressnummer", "Beleglink", "KOST1 - Kostenstelle"),
                *("KOST2 - Kostenstelle", "EU-Land u. UStID (Bestimmung)", "Abw. Versteuerungsart", "Forderungsart"),
                *("Auftragsnummer", "Buchungstyp", "EU-Land (Anzahlungen)", "Herkunft-Kz", "Buchungs GUID"),
                *("SEPA-Mandatsreferenz", "Gesellschaftername", "Identifikationsnummer", "Zeichnernummer"),
                *("Bezeichnung SoBil-Sachverhalt", "Generalumkehr (GU)", "Land", "Abrechnungsreferenz"),
                "EU-Land u. UStID (Ursprung)",
            )
        ),
    ]
)


class DatevSettings(NamedTuple):
    """What DATEV asks for and the portal can't know; the fiscal year begins with the month `year_begins` (1–12)."""

    consultant: int
    client: int
    account_length: int
    year_begins: int


def check_settings(settings: DatevSettings) -> None:
    """Refuse `datev_invalid` for a number that can't be; `data.field` names it."""
    bounds = (("consultant", CONSULTANTS), ("client", CLIENTS), ("account_length", LENGTHS), ("year_begins", MONTHS))
    for field, (least, most) in bounds:
        if not least <= getattr(settings, field) <= most:
            raise DomainError("datev_invalid", f"This is a number from {least} to {most}.", {"field": field})


def datev_files(
    journal: Journal, settings: DatevSettings, closed_at: datetime, most: int = MOST_BOOKINGS
) -> list[File]:
    """The files of a journal, by currency and number; the same bytes from the same journal, settings and moment.

    A file has `most` bookings at most.
    Refuses `account_not_for_datev` (naming all), `amount_too_large` and `amount_too_fine`.
    """
    check_settings(settings)
    _check_numbers(journal.lines, settings.account_length)
    files = []
    for currency in sorted({line.currency for line in journal.lines}):
        lines = [line for line in journal.lines if line.currency == currency]
        for part, start in enumerate(range(0, len(lines), most), 1):
            name = f"EXTF_{journal.month:%Y-%m}_r{journal.revision}_{currency}_{part}.csv"
            records = _records(journal, lines[start : start + most], currency, settings, closed_at)
            files.append(File(name, "".join(f"{record}\r\n" for record in records).encode(ENCODING)))
    return files


def fiscal_year_begin(month: date, year_begins: int) -> date:
    """The first day of the fiscal year that a month belongs to."""
    return date(month.year - (month.month < year_begins), year_begins, 1)


def _check_numbers(lines: Iterable[Line], length: int) -> None:
    """An account has as many digits as the settings say, one of a customer one more."""
    numbers = {account.number for line in lines for account in (line.account, line.contra)}
    wrong = sorted(
        each for each in numbers if not (each.isascii() and each.isdigit() and len(each) in (length, length + 1))
    )
    if wrong:
        raise DomainError(
            "account_not_for_datev",
            f"In DATEV an account is a number of {length} digits, or of {length + 1} for a customer’s. These are not:"
            f" {', '.join(wrong)}.",
            {"accounts": wrong},
        )


def _records(
    journal: Journal, lines: Sequence[Line], currency: str, settings: DatevSettings, closed_at: datetime
) -> Iterator[str]:
    yield _header(journal, lines, currency, settings, closed_at)
    yield ";".join(NAMES)
    for line in lines:
        yield _booking(line)


def _header(
    journal: Journal, lines: Sequence[Line], currency: str, settings: DatevSettings, closed_at: datetime
) -> str:
    moment = closed_at.astimezone(UTC)
    last_day = max(line.day for line in lines)
    return ";".join(
        [
            *(_quoted("EXTF"), "700", "21", _quoted("Buchungsstapel"), "13"),
            f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}",
            *("", _quoted(""), _quoted(""), _quoted("")),
            *(str(settings.consultant), str(settings.client)),
            f"{fiscal_year_begin(journal.month, settings.year_begins):%Y%m%d}",
            *(str(settings.account_length), f"{journal.month:%Y%m%d}", f"{last_day:%Y%m%d}"),
            *(_quoted(f"SMA revenue {journal.label}"), _quoted("")),
            *("1", "0", "0"),  # bookings of the financial accounts, for every purpose, not locked
            *(_quoted(currency), "", _quoted(""), "", "", _quoted(""), "", "", _quoted(""), _quoted("")),
        ]
    )


def _booking(line: Line) -> str:
    further = (
        ("Product", line.origin.product.name),
        ("Country", line.origin.country),
        ("Segment", line.origin.segment),
    )
    fields = {
        "Umsatz (ohne Soll/Haben-Kz)": _amount(line.amount, line.currency),
        "Soll/Haben-Kennzeichen": "S" if line.is_debit else "H",
        "WKZ Umsatz": line.currency,
        "Konto": line.account.number,
        "Gegenkonto (ohne BU-Schlüssel)": line.contra.number,
        "Belegdatum": f"{line.day:%d%m}",
        "Belegfeld 1": str(line.number),
        "Buchungstext": _text(line.text, LONGEST_TEXT),
    }
    for number, (kind, content) in enumerate(further, 1):
        fields[f"Zusatzinformation - Art {number}"] = kind
        fields[f"Zusatzinformation- Inhalt {number}"] = _text(content, LONGEST_FURTHER)
    return ";".join(
        _quoted(fields.get(name, "")) if index in TEXTS else fields.get(name, "") for index, name in enumerate(NAMES)
    )


def _amount(amount: int, currency: str) -> str:
    """The amount with two decimals behind a comma, whatever the currency has: DATEV knows no others."""
    exponent = currency_exponent(currency)
    hundredths, finer = divmod(amount * 100, 10**exponent)
    if finer:
        raise DomainError(
            "amount_too_fine",
            f"DATEV writes amounts with two decimals: {write_money(amount, currency)} has more.",
            {"currency": currency, "amount": amount},
        )
    whole, rest = divmod(hundredths, 100)
    if whole >= MOST_WHOLE:
        raise DomainError(
            "amount_too_large",
            f"DATEV writes amounts with ten digits before the comma at most: {write_money(amount, currency)} has more.",
            {"currency": currency, "amount": amount},
        )
    return f"{whole},{rest:02d}"


def _text(text: str, longest: int) -> str:
    """What DATEV can read, as long as it may be; inert in a spreadsheet, too."""
    written = in_windows_1252(text).strip()
    return (f"'{written}" if written.startswith(FORMULA_STARTS) else written)[:longest]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'

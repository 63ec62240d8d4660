"""How a document writes dates and amounts: as the customer's locale does. Its sentences are English."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from portal.wording import currency_exponent
from renewals.documents.letters import MISSING, printable

PLAIN = Locale("en")  # for what the document has no letters for in the customer's locale


class Wording:
    """Dates, amounts and rates in a locale ("de_DE") and a currency (ISO 4217)."""

    def __init__(self, locale: str, currency: str) -> None:
        self.locale = Locale.parse(locale)
        self.currency = currency
        self.exponent = currency_exponent(currency)

    def day(self, day: date) -> str:
        """“31 Mar 2026”, “31.03.2026”; 2026-03-31 where the locale's letters are none that the document has."""
        return self._or(format_date(day, "medium", locale=self.locale), day.isoformat())

    def money(self, amount: int) -> str:
        """An amount in minor units with its currency, and all decimals of it: “1.234,50 €”, “¥1,234”."""
        pattern = self._with_decimals(self.locale.currency_formats["standard"].pattern)
        plain = self._with_decimals("¤¤ #,##0.00")
        return self._or(self._currency(amount, pattern, self.locale), self._currency(amount, plain, PLAIN))

    def figure(self, amount: int) -> str:
        """The same without the currency, for a table that names it in its head: “1.234,50”."""
        pattern = re.sub(r"0(\.[0#]+)?$", "0" + self._decimals, self.locale.decimal_formats[None].pattern)
        text = format_decimal(self._value(amount), format=pattern, locale=self.locale)
        return self._or(text, format_decimal(self._value(amount), format=pattern, locale=PLAIN)).replace("-", "−")

    def rate(self, rate: Decimal | str) -> str:
        """A rate as per cent with up to four decimals, from 0.125 or "1/8": “12.5%”, “12,5 %”."""
        exact = Decimal(round(Fraction(rate) * 1_000_000)).scaleb(-6)
        pattern = self.locale.percent_formats[None].pattern
        text = format_percent(exact, format=pattern.replace("#0", "#0.####"), locale=self.locale)
        return self._or(text, format_percent(exact, format="#,##0.####%", locale=PLAIN))

    @property
    def _decimals(self) -> str:
        return "." + "0" * self.exponent if self.exponent else ""

    def _value(self, amount: int) -> Decimal:
        return Decimal(amount).scaleb(-self.exponent)

    def _with_decimals(self, pattern: str) -> str:
        """The pattern with the decimals of ISO 4217, from which those of locales differ for a few currencies."""
        return re.sub(r"0\.0+", "0" + self._decimals, pattern)

    def _currency(self, amount: int, pattern: str, locale: Locale) -> str:
        text = format_currency(self._value(amount), self.currency, format=pattern, locale=locale, currency_digits=False)
        # CLDR parts a currency that ends in a letter from the digits, which Babel leaves out: “KWD 1.234”.
        return re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", "\u00a0", text).replace("-", "−")

    def _or(self, text: str, plain: str) -> str:
        text = printable(text)
        return plain if MISSING in text else text

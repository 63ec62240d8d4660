"""Why quotes were declined, in the words that were given."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from portal.sheets import Amount
from renewals.calendar import following, last_day
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Column, Figure, Table

LEAST_SEARCHED = 3  # letters of a reason that the audit trail searches for
COLUMNS = (Column("Reason", 50, "text"), Column("Quotes", 9, "count"), Column("Net", 16, "amount"))

# Words that differ in case and spaces alone are the same reason.
DECLINED = """
SELECT min(event.reason), count(*), sum(version.net)::bigint, max(version.quote_id)
FROM portal_auditevent event
JOIN renewals_quoteversion version ON version.id = event.subject_id
JOIN renewals_quote quote ON quote.id = version.quote_id
JOIN portal_customer customer ON customer.id = quote.customer_id
WHERE event.action = 'decline' AND event.subject_kind = 'quoteversion'
    AND event.at >= %(first)s AND event.at < %(after)s
    AND version.currency = %(currency)s
    AND (%(country)s::text = '' OR customer.country = %(country)s)
    AND (%(segment)s::text = '' OR customer.segment = %(segment)s)
    AND (%(customer)s::bigint IS NULL OR customer.id = %(customer)s)
    AND ((%(product)s::bigint IS NULL AND %(family)s::bigint IS NULL) OR EXISTS (
        SELECT 1 FROM renewals_quotedongle quoted
        JOIN renewals_quoteline line ON line.quoted_id = quoted.id
        JOIN dongles_product product ON product.id = line.product_id
        WHERE quoted.version_id = version.id AND (%(product)s::bigint IS NULL OR product.id = %(product)s)
            AND (%(family)s::bigint IS NULL OR product.family_id = %(family)s)
    ))
GROUP BY lower(btrim(event.reason)) ORDER BY 2 DESC, 3 DESC, 1 LIMIT %(most)s"""


def reasons_table(filters: ReportFilters, currency: str, most: int) -> Table:
    """The reasons of quotes declined in the months asked for, the most frequent first, so many at most."""
    asked: dict[str, Any] = {
        **filters._asdict(),
        "first": _beginning(filters.first_month),
        "after": _beginning(following(filters.last_month)),
        "currency": currency,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(DECLINED, asked)
        rows = [
            (
                reason.strip() or "No reason given",
                Figure(number, _address(filters, reason, number, quote)),
                Amount(net, currency),
            )
            for reason, number, net, quote in cursor.fetchall()
        ]
    note = f"The {most} most frequent reasons are shown." if len(rows) == most else ""
    return Table("declined", "Why quotes were declined", COLUMNS, rows, None, note)


def _beginning(month: date) -> datetime:
    """The first moment of a month in the business time zone."""
    return datetime(month.year, month.month, 1, tzinfo=timezone.get_default_timezone())


def _address(filters: ReportFilters, reason: str, number: int, quote: int) -> str:
    """The quote itself where it is one, else the events that say so."""
    if number == 1:
        return f"/quotes/{quote}/"
    said: dict[str, object] = {"action": "decline", "kind": "quoteversion", "from_on": filters.first_month}
    said["to_on"] = last_day(filters.last_month)
    if len(text := reason.strip()[:100]) >= LEAST_SEARCHED:
        said["reason"] = text
    return f"/audit/?{urlencode(said)}"

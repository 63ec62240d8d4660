"""Which dongles are due in a window of days and are asked for by no quote yet: what a campaign will draft (C4).

Due is a dongle whose latest C(l) lies in the window: its E, or where it has lapsed the day on which it did. Like the
pipeline, whose statement this goes on, it looks at active dongles with an owner and a licence.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from renewals import queries
from renewals.overviews.pipeline import COVERED, STANDING


class Window(NamedTuple):
    """What a campaign looks for: the days, both included, in which SMAs end, and of whose dongles.

    `owner` is a user (id) who looks after the customers, `family` a product family (id) of which a dongle carries a
    licence; what is empty or none narrows nothing.
    """

    starts_on: date
    ends_on: date
    includes_lapsed: bool = False
    family: int | None = None
    owner: int | None = None
    country: str = ""
    currency: str = ""


class DueFigures(NamedTuple):
    """How many dongles of how many customers are due in one currency, and how many of them a quote asks for already.

    `value` is what a year of SMA costs for those that none asks for, in minor units, as the pipeline has it; `unpriced`
    of them have no such value.
    """

    currency: str
    dongles: int
    have_quote: int
    to_quote: int
    customers: int
    value: int
    unpriced: int


# A quote asks for a dongle while it is a draft, while it was sent and holds, and while its order waits.
ASKED_FOR = """, asked_for AS MATERIALIZED (
    SELECT DISTINCT quoted.dongle_id
    FROM renewals_quotedongle quoted
    JOIN renewals_quoteversion version ON version.id = quoted.version_id
    LEFT JOIN renewals_order placed ON placed.version_id = version.id
    WHERE version.state = 'draft'
        OR (version.state = 'sent' AND version.valid_until >= %(today)s)
        OR placed.state = 'accepted'
), due AS MATERIALIZED (
    SELECT standing.*, asked_for.dongle_id IS NOT NULL AS is_asked_for
    FROM standing LEFT JOIN asked_for USING (dongle_id)
    WHERE standing.state = 'active' AND standing.through BETWEEN %(starts_on)s AND %(ends_on)s
        AND (%(includes_lapsed)s OR standing.through >= %(lapsed_before)s)
)"""
DUE = COVERED.format(periods="dongles_smaperiod") + STANDING + ASKED_FOR

FIGURES = """
SELECT currency, count(*), count(*) FILTER (WHERE is_asked_for), count(*) FILTER (WHERE NOT is_asked_for),
    count(DISTINCT customer_id) FILTER (WHERE NOT is_asked_for),
    coalesce(sum(value) FILTER (WHERE NOT is_asked_for), 0),
    count(*) FILTER (WHERE NOT is_asked_for AND value IS NULL)
FROM due GROUP BY currency ORDER BY currency"""


def due_figures(window: Window, today: date) -> list[DueFigures]:
    """What is due, by currency (`no_policy`)."""
    with connection.cursor() as cursor:
        cursor.execute(DUE + FIGURES, due_parameters(window, today))
        rows = cursor.fetchall()
    return [DueFigures(*row)._replace(value=int(row[5])) for row in rows]


def due_parameters(window: Window, today: date) -> Mapping[str, Any]:
    """What the statement takes."""
    return {
        **window._asdict(),
        "today": today,
        "lapsed_before": first_due_on(today),
        "won_back_since": today,  # of no concern here
        "is_past": False,
    }


def first_due_on(today: date) -> date:
    """C4: the earliest day through which a dongle can be covered that has not lapsed (`no_policy`)."""
    return today - timedelta(days=queries.policy_on(today).grace_days)

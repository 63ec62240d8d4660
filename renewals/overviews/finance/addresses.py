"""Where the lines are that a figure is made of."""

from datetime import date

from django.urls import reverse

from portal.sheets import Amount
from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Figure


def lines_of(
    figure: str,
    filters: ReportFilters,
    currency: str,
    month: date,
    amount: int,
    *,
    until: date | None = None,
    **narrowed: object,
) -> Figure:
    """An amount that opens the lines which it is made of.

    `figure` is one of renewals.overviews.finance.lines.FIGURES, of a month or through the month `until`; of `narrowed`
    each takes the place of a filter, or is `booked_from` or `booked_to`, months of booking.
    """
    asked = filters.query(
        figure=figure, first_month=month, last_month=until or month, currency=filters.currency or currency, **narrowed
    )
    return Figure(Amount(amount, currency), f"{reverse('renewals:finance_lines')}?{asked}" if amount else "")

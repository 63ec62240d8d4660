"""What state finance is in: which months are closed, and what is missing in the figures."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from portal.wording import count, write_month
from renewals.calendar import following
from renewals.models import UnsummarisedSegment
from renewals.overviews.finance.ledger_months import first_month, last_closed_month
from renewals.overviews.finance.rates import missing_rates

A_YEAR = 12  # months
RATES_NAMED = 4


class FinanceState(NamedTuple):
    """Months are their first day: `closed` is the last that is closed, `next_to_close` the oldest that is open, none
    where nothing was ever booked. `waiting` bookings are in no figure yet. `missing` are the months and currencies
    without an exchange rate, of this month and the twelve before.
    """

    closed: date | None
    next_to_close: date | None
    is_over: bool  # the next to close; an unfinished month can't be closed
    waiting: int
    missing: Sequence[tuple[date, str]] = ()

    @property
    def closed_in_words(self) -> str:
        """Which months are closed, and which comes next."""
        if self.next_to_close is None:
            return "Nothing has been booked yet."
        closed = "No month is closed yet" if self.closed is None else f"Closed through {write_month(self.closed)}"
        following_words = "can be closed next" if self.is_over else "is not over, and can be closed after that"
        return f"{closed}; {write_month(self.next_to_close)} {following_words}."

    @property
    def waiting_in_words(self) -> str:
        """What the figures lack."""
        if not self.waiting:
            return "All bookings are in the figures."
        verb = "waits" if self.waiting == 1 else "wait"
        return f"{count(self.waiting, 'booked amount')} {verb} to be added to the figures, which are without them."

    @property
    def missing_in_words(self) -> str:
        """Which rates there aren't; nothing where there are all."""
        if not self.missing:
            return ""
        named = ", ".join(f"{currency} in {write_month(month)}" for month, currency in self.missing[:RATES_NAMED])
        more = f" and {len(self.missing) - RATES_NAMED} more" if len(self.missing) > RATES_NAMED else ""
        verb = "rate is" if len(self.missing) == 1 else "rates are"
        return f"Exchange {verb} missing for reports in one currency: {named}{more}."


def finance_state(today: date) -> FinanceState:
    """Read in four queries, in two more as long as no month is closed."""
    closed = last_closed_month()
    upcoming = following(closed) if closed else first_month()
    is_over = upcoming is not None and upcoming < today.replace(day=1)
    missing = missing_rates(following(today.replace(day=1), -A_YEAR), today)
    return FinanceState(closed, upcoming, is_over, UnsummarisedSegment.objects.count(), missing)

"""The months of the ledger: its first, the last that is closed, the next to close. Months are their first day."""

from datetime import date

from django.db.models import Min

from renewals.calendar import following
from renewals.models import AccountingMonth, RevenueSegment


def first_month() -> date | None:
    """The ledger's first month: of the first booking, or the first that anybody has kept open for one."""
    known = AccountingMonth.objects.aggregate(first=Min("month"))["first"]
    booked = RevenueSegment.objects.aggregate(first=Min("booked_month"))["first"]
    return min((month for month in (known, booked) if month), default=None)


def last_closed_month() -> date | None:
    """The newest month that is closed; all before it are, too."""
    return AccountingMonth.objects.filter(is_closed=True).order_by("-month").values_list("month", flat=True).first()


def next_month() -> date | None:
    """The month that is to be closed next; none before anything was booked."""
    closed = last_closed_month()
    return following(closed) if closed else first_month()

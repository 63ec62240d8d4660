"""From sale to journal by the portal's own services: what closes post is what their journals bring to the accounts."""

from datetime import date

import pytest
from django.db.models import Sum

from portal.audit import Actor
from renewals.models import MonthFigures
from renewals.overviews.finance import detail
from renewals.overviews.finance.journal import closes_of, journals_of
from renewals.services.cancellations import cancel_order
from renewals.services.closing import close_month
from renewals.services.journal import export_journal
from tests import world
from tests.journal.closed import make_accounts

pytestmark = [pytest.mark.database, pytest.mark.django_db]
FINANCE = Actor("Fiona Finance", None, "finance")
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def test_journals_of_closed_months_bring_to_the_accounts_what_the_months_came_to(dongle):
    """Sold in January, cancelled in February as a mistake: receivables and deferred revenue come to nothing again."""
    make_accounts()
    order = world.sell(dongle, "2026-01-10")
    close_month(month=JANUARY, actor=FINANCE, at=world.at("2026-02-02"))
    cancel_order(
        order=order, from_on=date(2026, 2, 3), reason="x", actor=world.SALES, at=world.at("2026-02-03"), is_mistake=True
    )
    close_month(month=FEBRUARY, actor=FINANCE, at=world.at("2026-03-02"))
    balances = {}
    for month in (JANUARY, FEBRUARY):
        (close,) = closes_of(month)
        export_journal(close=close, layout="generic", actor=FINANCE, at=world.at("2026-03-02"))
        (told,) = journals_of(month)
        for each in told.sums:
            balances[month, each.account.number] = each.debit - each.credit
        figures = MonthFigures.objects.filter(month=month).aggregate(
            *map(Sum, ("booked", "credited", "recognised", "caught_up"))
        )
        booked = figures["booked__sum"] + figures["credited__sum"]
        earned = figures["recognised__sum"] + figures["caught_up__sum"]
        assert balances[month, "1400"] == booked
        assert balances.get((month, "8400"), 0) == -earned
        assert balances[month, "0990"] == earned - booked
        rows = list(detail.detail_rows(close))
        assert sum(row[14].minor_units + row[15].minor_units for row in rows) == booked
        assert sum(row[16].minor_units + row[17].minor_units for row in rows) == earned
    assert balances[JANUARY, "1400"] > 0
    for account in ("1400", "0990", "8400"):
        assert sum(amount for (_, number), amount in balances.items() if number == account) == 0

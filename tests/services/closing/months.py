"""Months that are closed, opened again, booked in and damaged.

Two products are renewed on 1 Feb 2026 for 1 Apr 2026 … 31 Mar 2027 (365 days): Visualisation for 1,200.00 and
Quantitation for 900.00. April earns 120,000 × 30 / 365 = 9,863.01 and 90,000 × 30 / 365 = 7,397.26: 17,260 in all.
Cancelled from 16 April, fifteen days stay: 120,000 × 15 / 365 = 4,931.51 and 90,000 × 15 / 365 = 3,698.63. So 115,068
and 86,301 are credited, of which April has 9,863 − 4,932 = 4,931 and 7,397 − 3,699 = 3,698.
"""

from datetime import date

import pytest
from django.db import connection

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import AccountingMonth, LedgerEntry, MonthClose, MonthReopening
from renewals.services.cancellations import cancel_order
from renewals.services.closing import ask_reopening, close_month, decide_reopening
from tests import world

FEBRUARY, MARCH, APRIL, MAY = (date(2026, month, 1) for month in (2, 3, 4, 5))


def close(month, on="2026-06-01", actor=world.SALES):
    return close_month(month=month, actor=actor, at=world.at(on))


def close_through(month, on="2026-06-01"):
    return [close(each, on) for each in (FEBRUARY, MARCH, APRIL, MAY) if each <= month]


def cancel(order, on):
    options = {"reason": "Budget cut", "actor": Actor("Sally Sales"), "at": world.at(on)}
    return cancel_order(order=order, from_on=date(2026, 4, 16), **options)


def reopen(found, people):
    asked = ask_reopening(close=found, reason="An order came late", actor=people[0], at=world.at("2026-05-05"))
    return decide_reopening(reopening=asked, is_granted=True, actor=people[1], at=world.at("2026-05-05"))


def refused(code, call, *arguments, **options):
    """The refusal of a call that has to be refused so, and to write nothing."""
    before = written()
    with pytest.raises(DomainError) as refusal:
        call(*arguments, **options)
    assert refusal.value.code == code
    assert written() == before
    return refusal.value


def written():
    models = (MonthClose, LedgerEntry, MonthReopening, AuditEvent)
    return [*(model.objects.count() for model in models), *AccountingMonth.objects.order_by("month").values_list()]


def damage(statement, *tables):
    """Run a statement past the triggers of tables, which has to find something."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        assert cursor.rowcount > 0

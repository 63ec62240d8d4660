"""manage.py rebuild_figures: whatever the sums say, afterwards they are what was sold."""

from io import StringIO

import pytest
from django.core.management import call_command

from renewals.models import (
    BookingFigures,
    BookingTotals,
    DueDongle,
    DueFigures,
    MonthFigures,
    RetentionFigures,
    RevenueSegment,
    SaleFact,
)
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FIGURES = (MonthFigures, BookingFigures, BookingTotals, DueDongle, DueFigures, RetentionFigures, SaleFact)


def held():
    """All rows of all figures, without their ids."""
    return {model: sorted(repr(row.items()) for row in map(without_id, model.objects.values())) for model in FIGURES}


def without_id(row):
    return {name: value for name, value in row.items() if name not in ("id", "due_id")}


def test_rebuilding_mends_sums_that_somebody_changed_and_changes_no_right_one(catalogue):
    world.make_release("8.0", "2026-01-10")
    lapsed = world.make_dongle("1001", licences=[("VOL-VIS", "2025-12-31")])  # comes back with an upgrade
    world.sell(lapsed, "2026-02-01")
    world.sell(world.make_dongle("1002", licences=[("VOL-QNT", "2026-02-20")]), "2026-02-01")
    summarise_all()
    update_renewal_figures()
    right = held()
    assert all(right.values())

    MonthFigures.objects.update(booked=1)
    BookingTotals.objects.all().delete()
    DueFigures.objects.update(due=99)
    SaleFact.objects.all().delete()
    said = StringIO()
    call_command("rebuild_figures", stdout=said)

    assert held() == right
    assert said.getvalue().startswith(f"{RevenueSegment.objects.count()} revenue segments added up (")

"""Building the demo: the same for the same day, once, and never over people's data or in production."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from dongles.models import Dongle, SmaPeriod, UnlockCode
from portal.errors import DomainError
from portal.models import AuditEvent, Customer, User
from renewals.demo.build import build_demo
from renewals.demo.crowd import demo_dongles
from renewals.management.arguments import MalformedArgument, Refused
from renewals.models import AccountingMonth, MonthClose, QuoteLine, RevenueSegment
from renewals.overviews.finance.closing import read_checklist
from tests import world
from tests.databases import empty_tables
from tests.demo.conftest import DEMO_DAY, FEW_MONTHS

LEAP_DAY = date(2028, 2, 29)


def facts():
    """What the demo says, without the numbers that the database gives to rows."""
    dongle = "licence__dongle__serial"
    return {
        "dongles": list(
            Dongle.objects.order_by("serial").values_list(
                "serial", "kind", "state", "customer__name", "issued_expiry_on", "confirmed_expiry_on"
            )
        ),
        "periods": list(
            SmaPeriod.objects.order_by(dongle, "licence", "starts_on").values_list(
                dongle, "licence__product__code", "starts_on", "ends_on", "source", "is_cancelled"
            )
        ),
        "lines": list(QuoteLine.objects.order_by("pk").values_list("kind", "product__code", "starts_on", "net")),
        "revenue": list(RevenueSegment.objects.order_by("pk").values_list("amount", "starts_on", "ends_on")),
        "codes": list(UnlockCode.objects.order_by("pk").values_list("dongle__serial", "expiry_on", "issued_at")),
        "history": list(AuditEvent.objects.order_by("pk").values_list("at", "action", "actor_name")),
    }


def test_two_builds_of_one_day_are_the_same(demo):
    built = facts()
    empty_tables()
    build_demo(on=demo, months=FEW_MONTHS)
    assert facts() == built
    assert len(built["lines"]) > 10


def test_the_months_through_the_one_before_the_last_are_closed_each_on_the_fifth_after_it(demo):
    closed = list(MonthClose.objects.order_by("month").values_list("month", "closed_by__email", "closed_at__date"))
    assert closed[-1] == (date(2026, 9, 1), "finance@vendor.example", date(2026, 10, 5))
    assert len(closed) == AccountingMonth.objects.filter(is_closed=True).count() > 1
    assert [item.sentence for item in read_checklist(date(2026, 10, 1), demo).blocking] == []


def test_the_demo_can_be_built_on_a_leap_day_and_on_new_years_day(db):
    for on in (LEAP_DAY, date(2027, 1, 1)):
        with transaction.atomic():
            build_demo(on=on, months=1)
            assert Dongle.objects.count() == 120
            transaction.set_rollback(True)


def test_the_first_dongles_are_the_same_however_many_follow():
    few = [(each.serial, each.licences) for each in demo_dongles(DEMO_DAY, 120, 40)]
    many = [(each.serial, each.licences) for each in demo_dongles(DEMO_DAY, 3000, 40)]
    assert many[:120] == few
    assert len({serial for serial, _ in many}) == 3000


def test_a_second_run_changes_nothing_and_says_so(demo):
    before, said = facts(), StringIO()
    call_command("demo", on="2027-03-01", stdout=said)
    assert "there already; nothing was changed" in said.getvalue()
    assert facts() == before


def test_fresh_is_refused_where_the_demo_is_there_already(demo):
    before = facts()
    with pytest.raises(Refused, match="database_not_empty"):
        call_command("demo", fresh=True, stdout=StringIO())
    assert facts() == before


def test_the_demo_is_never_put_beside_other_data(db):
    world.make_customer("A real customer")
    with pytest.raises(Refused, match=r"holds customers already.*database_not_empty"):
        call_command("demo", stdout=StringIO())
    assert Customer.objects.count() == 1
    assert not User.objects.exists()


def test_production_refuses_the_demo(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(Refused, match="demo_in_production"):
        call_command("demo", stdout=StringIO())
    assert not User.objects.exists()
    assert not Customer.objects.exists()


def test_fewer_dongles_than_situations_are_refused(db):
    with pytest.raises(DomainError, match="too_few_dongles"):
        build_demo(on=DEMO_DAY, dongles=10)
    assert not Customer.objects.exists()


def test_a_malformed_day_is_refused(db):
    with pytest.raises(MalformedArgument, match="malformed_date") as refused:
        call_command("demo", on="24.11.2026", stdout=StringIO())
    assert refused.value.returncode == 2
    assert not Customer.objects.exists()


def test_the_list_names_each_serial_and_login(db):
    said = StringIO()
    call_command("demo", list=True, stdout=said)
    assert "104233  Three licences" in said.getvalue()
    assert "sales@vendor.example" in said.getvalue()

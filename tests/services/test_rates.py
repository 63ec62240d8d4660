"""Exchange rates kept by people: what is refused is not written, and every write is in the audit trail."""

from datetime import date
from decimal import Decimal

import pytest

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.models import AccountingMonth, ExchangeRate
from renewals.rates import read_rates
from renewals.services.rates import import_rates, keep_rate, remove_rate
from tests import world

pytestmark = pytest.mark.django_db
MARCH = date(2026, 3, 1)
BY = {"actor": Actor("Fay Finance", None, "finance"), "at": world.at("2026-04-15")}


def keep(**fields):
    fields = {"month": MARCH, "currency": "USD", "rate": Decimal("0.9241"), "source": "ECB", **fields}
    return keep_rate(**{**BY, **fields})


def taken_over(text, source="ECB"):
    return import_rates(lines=read_rates(text, "EUR"), source=source, **BY)


def standing():
    return {(str(each.month)[:7], each.currency): each.written for each in ExchangeRate.objects.all()}


def events():
    return [(event.action, event.before, event.after) for event in AuditEvent.objects.order_by("pk")]


def test_a_rate_is_entered_and_told():
    keep()
    assert standing() == {("2026-03", "USD"): "0.9241"}
    whole = {"month": "2026-03-01", "currency": "USD", "reporting_currency": "EUR", "rate": "0.9241", "source": "ECB"}
    assert events() == [("create", {}, whole)]


def test_a_rate_is_changed_and_told_with_what_it_was():
    keep()
    keep(rate=Decimal("0.9300"), source="ECB, corrected")
    assert standing() == {("2026-03", "USD"): "0.93"}
    changed = ({"rate": "0.9241", "source": "ECB"}, {"rate": "0.93", "source": "ECB, corrected"})
    assert events()[1] == ("change", *changed)


def test_the_same_rate_once_more_is_no_change():
    keep()
    keep(rate=Decimal("0.92410"))
    assert len(events()) == 1


def test_a_rate_is_taken_away_and_told():
    remove_rate(rate=keep(), **BY)
    assert standing() == {}
    assert events()[1][0] == "delete"
    assert events()[1][1]["rate"] == "0.9241"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"currency": "EUR"}, "rate_of_reporting_currency"),
        ({"currency": "USX"}, "currency_unknown"),
        ({"rate": Decimal("0")}, "rate_out_of_range"),
        ({"rate": Decimal("-1")}, "rate_out_of_range"),
        ({"rate": Decimal("1E+7")}, "rate_out_of_range"),
        ({"rate": Decimal("1E-11")}, "rate_out_of_range"),
        ({"rate": Decimal("NaN")}, "rate_out_of_range"),
        ({"month": date(2026, 3, 2)}, "rate_month_out_of_range"),
        ({"month": date(1989, 12, 1)}, "rate_month_out_of_range"),
        ({"month": date(2026, 6, 1)}, "rate_month_out_of_range"),
        ({"source": "  "}, "rate_source_missing"),
        ({"source": "x" * 121}, "rate_source_missing"),
    ],
)
def test_what_can_be_no_rate_is_refused_and_not_written(fields, code):
    with pytest.raises(DomainError) as refusal:
        keep(**fields)
    assert refusal.value.code == code
    assert (standing(), events()) == ({}, [])


def test_next_month_s_rate_may_be_known_already_over_the_end_of_a_year_too():
    keep(month=date(2026, 5, 1))
    later = {"month": date(2027, 1, 1), "currency": "USD", "rate": Decimal(1), "source": "ECB"}
    keep_rate(**later, actor=BY["actor"], at=world.at("2026-12-31"))
    assert set(standing()) == {("2026-05", "USD"), ("2027-01", "USD")}


def test_only_who_settles_keeps_rates():
    with pytest.raises(DomainError) as refusal:
        keep(actor=Actor("Sam Sales", None, "sales"))
    assert refusal.value.code == "not_allowed"
    assert not ExchangeRate.objects.exists()


def test_a_table_is_taken_over_new_changed_and_as_it_stands():
    keep()
    keep(currency="GBP", rate=Decimal("1.15"))
    assert taken_over("2026-03,USD,0.9300\n2026-03,GBP,1.150\n2026-03,JPY,0.00612", "ECB file") == (1, 1, 1)
    assert standing() == {("2026-03", "USD"): "0.93", ("2026-03", "GBP"): "1.15", ("2026-03", "JPY"): "0.00612"}
    assert [action for action, _, _ in events()] == ["create", "create", "change", "create"]


def test_a_table_with_one_wrong_month_is_not_taken_over_at_all():
    with pytest.raises(DomainError) as refusal:
        taken_over("2026-03,USD,0.93\n2029-03,USD,0.93")
    assert refusal.value.code == "rates_unreadable"
    assert "Line 2: Choose a month from Jan 1990 to May 2026" in refusal.value.message
    assert (standing(), events()) == ({}, [])


def test_rates_into_another_reporting_currency_are_others(settings):
    keep()
    settings.REPORTING_CURRENCY = "GBP"
    keep(rate=Decimal("0.79"))
    keep(currency="EUR", rate=Decimal("0.86"))
    found = ExchangeRate.objects.values_list("reporting_currency", "currency", "rate").order_by("pk")
    assert list(found) == [
        ("EUR", "USD", Decimal("0.9241")),
        ("GBP", "USD", Decimal("0.79")),
        ("GBP", "EUR", Decimal("0.86")),
    ]


def close(month):
    AccountingMonth.objects.create(month=month, is_closed=True)


@pytest.mark.parametrize("closed", [MARCH, date(2026, 4, 1)])
def test_the_rate_of_a_closed_month_stays_and_so_do_those_before_it(closed):
    rate = keep()
    close(closed)
    before = (standing(), len(events()))
    for call in (
        lambda: keep(rate=Decimal("0.93")),
        lambda: keep(source="Another"),
        lambda: remove_rate(rate=rate, **BY),
    ):
        with pytest.raises(DomainError) as refusal:
            call()
        assert refusal.value.code == "rate_of_closed_month"
    with pytest.raises(DomainError, match=r"Line 2: Mar 2026 is closed"):
        taken_over("2026-05,USD,0.95\n2026-03,USD,0.93")
    assert (standing(), len(events())) == before


def test_a_rate_that_is_missing_can_be_entered_though_the_month_is_closed():
    close(MARCH)
    keep()
    assert taken_over("2026-03,USD,0.9241\n2026-03,GBP,1.15") == (1, 0, 1)
    assert standing() == {("2026-03", "USD"): "0.9241", ("2026-03", "GBP"): "1.15"}


def test_a_month_that_is_open_again_lets_its_rates_be_changed():
    keep()
    close(MARCH)
    AccountingMonth.objects.update(is_closed=False)
    keep(rate=Decimal("0.93"))
    assert standing() == {("2026-03", "USD"): "0.93"}

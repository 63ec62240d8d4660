"""Credits that are concessions (rules F1, F4, F5). VOL-VIS costs 1,200.00 a year.

`year` is sold on 20 Dec 2025 for 1 Jan … 31 Dec 2026: 1,200.00 over 365 days. Of 365.00 credited, a day is 1.00.
"""

from datetime import date

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent, OutboxMessage
from renewals.invariants import ledger as ledger_invariant
from renewals.invariants import renewal_figures, revenue
from renewals.models import MonthFigures, OrderLine, RevenueSegment
from renewals.overviews.finance.changes import bookings_of
from renewals.overviews.orders import months_of_order
from renewals.recognition import recognised_through, share_credit
from renewals.services.cancellations import cancel_order
from renewals.services.closing import close_month
from renewals.services.credits import credit_line
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.summaries import summarise_all
from tests import world
from tests.services.test_renewal_figures import due_of, retention_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def year(catalogue):
    return sold("2025-12-20")


def sold(on, ends_on="2025-12-31"):
    """The line of a renewal of one product, whose SMA ends on that day."""
    order = world.sell(world.make_dongle(licences=[("VOL-VIS", ends_on)]), on)
    return OrderLine.objects.get(order=order)


def credit(line, amount, on="2026-07-15", **options):
    options = {"reason": "Support was slow", "actor": world.SALES, **options}
    return credit_line(order_line=line, amount=amount, at=world.at(on), **options)


def cancel(line, from_on, **options):
    options = {"reason": "Budget cut", "actor": world.SALES, "at": world.at(from_on), **options}
    return cancel_order(order=line.order, from_on=date.fromisoformat(from_on), **options)


def months(line):
    """Month → as reported: by date, and caught up."""
    return {f"{each.month:%Y-%m}": (each.recognised, each.caught_up) for each in months_of_order([line])}


def recognised(line, day):
    return sum(recognised_through(row.segment, date.fromisoformat(day)) for row in line.segments.all())


def findings():
    summarise_all()
    update_renewal_figures()
    checked = (revenue, ledger_invariant, renewal_figures)
    return [str(found) for each in checked for batch in each.check(timezone.now()) for found in batch.findings]


def refusal_of(line, amount, **options):
    """The refusal of a credit, which wrote nothing."""
    before = written()
    with pytest.raises(DomainError) as refused:
        credit(line, amount, **options)
    assert written() == before
    return refused.value


def written():
    return [model.objects.count() for model in (RevenueSegment, AuditEvent, OutboxMessage)]


def test_a_concession_is_spread_over_the_period_with_the_past_share_in_its_month_f4(year):
    before = months(year)
    for month in ("2025-12", *(f"2026-{n:02}" for n in range(1, 7))):
        summarise_all()
        close_month(month=date.fromisoformat(f"{month}-01"), actor=world.SALES, at=world.at("2026-07-15"))
    (row,) = credit(year, 36_500)
    assert (row.amount, row.starts_on, row.ends_on) == (-36_500, date(2026, 1, 1), date(2026, 12, 31))
    assert (row.booked_month, row.reason, row.mirrors) == (date(2026, 7, 1), "concession", None)
    # January to June are 181 days and closed: −181.00 are caught up in July, the days of each month are its own.
    changed = {
        month: (by_date - before[month][0], late)
        for month, (by_date, late) in months(year).items()
        if (by_date, late) != before[month]
    }
    assert changed == {
        "2026-07": (-3_100, -18_100),
        "2026-08": (-3_100, 0),
        "2026-09": (-3_000, 0),
        "2026-10": (-3_100, 0),
        "2026-11": (-3_000, 0),
        "2026-12": (-3_100, 0),
    }
    summarise_all()
    close_month(month=date(2026, 7, 1), actor=world.SALES, at=world.at("2026-08-02"))  # refuses what doesn't tie
    july = MonthFigures.objects.get(month=date(2026, 7, 1))
    # 1,200.00 × 212 / 365 − 1,200.00 × 181 / 365 = 697.0 − 595.1; annual 1,200.00 − 365.00
    assert (july.booked, july.credited, july.recognised, july.caught_up) == (
        0,
        -36_500,
        69_699 - 59_507 - 3_100,
        -18_100,
    )
    assert july.annual == 83_500
    assert findings() == []


def test_it_is_told_apart_as_the_sale_and_its_event_says_what_for_f4(year):
    (row,) = credit(year, 24_000, actor=Actor("Fiona Finance"))
    sale = year.segments.get(reason="sale")
    for name in ("customer_id", "product_id", "country", "customer_segment", "currency"):
        assert getattr(row, name) == getattr(sale, name)
    event = AuditEvent.objects.get(action="credit")
    assert (event.subject_id, event.reason, event.before) == (year.order_id, "Support was slow", {"net": 120_000})
    assert (event.after["net"], event.after["revenue"]) == (96_000, -24_000)
    cancel(year, "2026-08-01")
    told = bookings_of(RevenueSegment.objects.values_list("pk", flat=True))
    assert [(each.segment.reason, each.who, each.why) for each in told.values()] == [
        ("sale", "Sales", ""),
        ("concession", "Fiona Finance", "Support was slow"),
        ("cancellation", "Sales", "Budget cut"),
        ("cancellation", "Sales", "Budget cut"),
    ]


def test_credited_ahead_it_is_booked_now_and_earned_with_the_period_f4(catalogue):
    line = sold("2026-02-01", "2026-03-31")
    (row,) = credit(line, 36_500, "2026-02-10")
    assert row.booked_month == date(2026, 2, 1)
    assert months(line)["2026-04"] == (9_863 - 3_000, 0)  # 120,000 × 30 / 365 = 9,863.01
    assert min(months(line)) == "2026-04"
    assert findings() == []


def test_an_upgrade_s_concession_is_divided_between_its_sma_and_what_was_earned_at_once_f3_f4(catalogue):
    world.make_release("7.0", "2026-01-15")
    line = sold("2026-02-01")  # 2,400.00, of which 1,200.00 are the SMA from 1 Feb 2026 to 31 Jan 2027
    by_day, at_once = credit(line, 36_501)
    # 182.505 each: of equal remainders the first is served.
    assert (by_day.amount, by_day.method, by_day.ends_on) == (-18_251, "daily", date(2027, 1, 31))
    assert (at_once.amount, at_once.method, at_once.starts_on) == (-18_250, "at_once", date(2026, 2, 1))
    assert (by_day.annual_amount, at_once.annual_amount) == (0, 0)  # an upgrade has none (F5)
    credit(line, 203_499)
    assert sum(row.amount for row in line.segments.all()) == 0
    assert findings() == []


def test_the_annual_value_falls_to_that_of_what_is_left_f5(catalogue):
    line = sold("2026-02-01", "2026-03-31")
    world.sell(line.licence.dongle, "2027-03-01")
    renewed = OrderLine.objects.order_by("pk").last()
    for amount in (10_001, 13_999):
        credit(renewed, amount, "2027-04-10")
    assert sum(row.annual_amount for row in renewed.segments.all()) == 96_000
    update_renewal_figures()
    # Of 1,200.00 that were due in March 2027 960.00 are kept, and so it is a year after April 2026.
    assert due_of("104233")[1] == ("2027-03-31", "renewed", 1200, 960, 960)
    assert retention_at("2027-04") == (960, 1200, 960, 960, 0)
    assert findings() == []


@pytest.mark.parametrize(
    ("amount", "options", "code"),
    [
        (100, {"reason": " "}, "credit_reason_missing"),
        (0, {}, "credit_not_positive"),
        (-1, {}, "credit_not_positive"),
        (90_001, {}, "credit_above_net"),
        (100, {"actor": Actor("Sally Sales", None, "sales")}, "not_allowed"),
    ],
)
def test_what_is_refused_writes_nothing(year, amount, options, code):
    credit(year, 30_000)  # 900.00 are left
    assert refusal_of(year, amount, **options).code == code


def test_of_a_cancelled_order_nothing_is_credited_f4(year):
    cancel(year, "2026-07-01")
    assert refusal_of(year, 100).code == "order_cancelled"


def test_a_cancellation_takes_back_what_is_left_of_a_concession_too_f4(year):
    credit(year, 36_500, "2026-03-10")
    by_then = recognised(year, "2026-06-30")
    assert by_then == 59_507 - 18_100  # 120,000 × 181 / 365 = 59,506.8
    cancel(year, "2026-07-01")
    assert sum(row.amount for row in year.segments.all()) == by_then
    assert {recognised(year, day) for day in ("2026-06-30", "2026-09-15", "2026-12-31")} == {by_then}
    assert sum(row.annual_amount for row in year.segments.all()) == 0
    assert findings() == []


def test_an_annulment_takes_back_everything_concessions_included_f4(year):
    credit(year, 36_500)
    credit(year, 1)
    cancel(year, "2026-07-20", is_mistake=True)
    assert [row.amount for row in year.segments.order_by("pk")] == [120_000, -36_500, -1, -120_000, 36_500, 1]
    assert recognised(year, "2026-12-31") == 0
    assert findings() == []


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=4).filter(any), st.data())
def test_a_credit_is_divided_to_the_cent_and_no_share_exceeds_what_is_left_f4(left, data):
    amount = data.draw(st.integers(1, sum(left)))
    shares = share_credit(amount, left)
    assert sum(shares) == amount
    for share, each in zip(shares, left, strict=True):
        assert 0 <= share <= each
        assert abs(share * sum(left) - amount * each) < sum(left)  # within a cent of its proportion

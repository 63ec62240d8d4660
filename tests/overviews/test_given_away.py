"""The reports on what was given away and on upgrades against SMAs, worked by hand. VOL-VIS: an SMA year costs 1,200.00,
an upgrade 2,400.00; VOL-QNT: 900.00 and 1,800.00."""

from datetime import date
from decimal import Decimal

import pytest
from django.http import QueryDict

from portal.audit import Actor
from portal.models import User
from portal.sheets import Amount
from renewals.forms.finance import ReportForm
from renewals.models import ExchangeRate, SaleFact
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.sale_facts import facts_asked, kinds_named
from renewals.services import quotes
from renewals.services.bridges import grant_bridge
from renewals.services.summaries import summarise_all
from tests import world

pytestmark = pytest.mark.django_db
TODAY = date(2026, 7, 1)
FILTERS = ReportFilters(date(2026, 2, 1), date(2026, 6, 1))


def read(key, filters=FILTERS):
    return REPORTS[key].read(filters, TODAY)


def plain(row):
    values = [getattr(cell, "value", cell) if not isinstance(cell, Amount) else cell for cell in row]
    return [each.minor_units if isinstance(each, Amount) else each for each in values]


def rows(section, key):
    table = next(table for table in section.tables if table.key == key)
    found = {row[0]: plain(row)[1:] for row in map(plain, table.rows)}
    assert plain(table.total)[1:] == [sum(each) for each in zip(*found.values(), strict=True)]
    return found


def sell_approved(dongle, on, **asked):
    version = world.draft(dongle, on, discount_reason="Ten dongles", **asked)
    boss = User.objects.filter(role="administrator").first() or world.make_user("administrator")
    quotes.approve_quote(version=version, actor=Actor.of(boss), at=world.at(on), reason="Worth it")
    return world.accept(quotes.send_quote(version=version, actor=world.SALES, at=world.at(on)), on)


@pytest.fixture
def sold(catalogue):
    """In February 20 % off and two free months; in May two lapses over a major release, one with its upgrade waived;
    in June one without."""
    sell_approved(world.make_dongle("1", licences=[("VOL-VIS", "2026-03-31")]), "2026-02-01", discount=Decimal("0.2"))
    sell_approved(world.make_dongle("2", licences=[("VOL-QNT", "2026-03-31")]), "2026-02-02", free_months=2)
    world.make_release("7.0", "2026-01-15")
    world.sell(world.make_dongle("3", licences=[("VOL-VIS", "2025-12-31")]), "2026-05-20")
    sell_approved(world.make_dongle("4", licences=[("VOL-QNT", "2025-12-31")]), "2026-05-20", waives_upgrades=True)
    world.sell(world.make_dongle("5", licences=[("OPL-FUL", "2026-04-30")]), "2026-06-01")
    summarise_all()


def test_what_was_given_away_is_told_by_month_product_and_who_approved(sold):
    (section,) = read("given-away").sections
    # 240.00 off; 2 months at 75.00; the waived upgrade 1,800.00 less the year of 900.00.
    assert section.lead == "€1,290.00 was given away from February 2026 to June 2026."
    by_month = rows(section, "by-month")
    assert by_month[date(2026, 2, 1)] == [0, 0, 2, 15_000, 0, 24_000, 0, 0, 0, 39_000]
    assert by_month[date(2026, 5, 1)] == [0, 0, 0, 0, 0, 0, 1, 90_000, 0, 90_000]
    assert by_month[date(2026, 3, 1)] == [0] * 10
    by_product = rows(section, "by-product")
    assert {name: row[-1] for name, row in by_product.items()} == {
        "Volocity Quantitation": 105_000,
        "Volocity Visualisation": 24_000,
    }
    assert [row[-1] for row in rows(section, "by-approval").values()] == [129_000]


def test_upgrades_stand_against_the_smas_that_were_missed(sold):
    (section,) = read("upgrades").sections
    # Missed until 19 May: 4 + 19/31 months. VOL-VIS 100.00 × 143/31 = 461.29, VOL-QNT 75.00 × 143/31 = 345.97.
    # OPL-FUL missed 1 … 31 May, one month: 125.00. The upgrade cost 2,400.00, of it a year's SMA 1,200.00.
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    by_month = rows(section, "by-month")
    assert by_month[may] == [1, 240_000, 120_000, 46_129, 1, 34_597, 0, 0, 120_000, 39_274]
    assert by_month[june] == [0, 0, 0, 0, 1, 12_500, 0, 0, 0, -12_500]
    assert section.lead == (
        "Customers who let their SMA lapse paid €2,400.00 for upgrades; the SMAs of the time they missed would have"
        " cost €461.29. Those who came back without an upgrade had missed SMAs of €470.97. With back pay and fees, and"
        " without the SMA that upgrades include, lapses brought €1,200.00: €267.74 more than the SMAs that were missed."
    )
    assert rows(section, "by-product")["Openlab Full"][-1] == -12_500


def test_every_figure_opens_lines_that_add_up_to_it(sold):
    for key in ("given-away", "upgrades"):
        (section,) = read(key).sections
        for table in section.tables:
            for row in (*table.rows, table.total):
                for figure in row:
                    if address := getattr(figure, "address", ""):
                        assert_opens(figure, address)


def assert_opens(figure, address):
    query = QueryDict(address.partition("?")[2])
    form = ReportForm(query, today=TODAY)
    assert form.is_valid(), form.errors
    asked = facts_asked(form.filters, kinds_named(query["kind"]), query.get("approved_by", ""))
    (total,) = [total for _, total in asked.totals]
    if isinstance(figure.value, Amount):
        assert total.amount == figure.value.minor_units
    else:
        assert figure.value in (total.lines, total.number)
    assert asked.facts.count() == total.lines


@pytest.mark.parametrize(
    ("filters", "count"),
    [({"country": "FR"}, 0), ({"segment": "academic"}, 0), ({"country": "DE"}, 3), ({"currency": "EUR"}, 3)],
)
def test_filters_hold(sold, filters, count):
    given = SaleFact.objects.filter(kind__in=("free_months", "negotiated", "waived_upgrade"))
    assert given.count() == 3
    (section,) = read("given-away", FILTERS._replace(**filters)).sections
    assert bool(section.tables) == bool(count)


def test_a_customer_and_a_product_can_be_asked_for(sold):
    fact = SaleFact.objects.get(kind="waived_upgrade")
    for filters in ({"customer": fact.customer_id}, {"product": fact.product_id, "first_month": date(2026, 3, 1)}):
        (section,) = read("given-away", FILTERS._replace(**filters)).sections
        assert "€900.00 was given away" in section.lead


def test_in_the_reporting_currency_each_month_takes_its_rate(sold, settings):
    settings.REPORTING_CURRENCY = "USD"
    by = {"reporting_currency": "USD", "currency": "EUR", "source": "ECB", "entered_at": world.at("2026-07-01")}
    for month, rate in ((2, "1.1"), (5, "1.2"), (6, "1.3")):
        ExchangeRate.objects.create(month=date(2026, month, 1), rate=Decimal(rate), **by)
    (section,) = read("given-away", FILTERS._replace(currency=REPORTING)).sections
    # 390.00 × 1.1 = 429.00 and 900.00 × 1.2 = 1,080.00
    assert section.lead.startswith("US$1,509.00 was given away")


def test_nothing_given_away_is_said(catalogue):
    world.sell(world.make_dongle("1"), "2026-02-01")
    summarise_all()
    assert [section.lead for section in read("given-away").sections] == ["Nothing was given away in these months."]
    assert [section.lead for section in read("upgrades").sections] == [
        "Nobody came back after a lapse in these months."
    ]


def test_bridging_codes_are_counted_with_their_days_and_what_was_then_ordered(dongle):
    version = world.send(dongle, "2026-03-20")
    grant_bridge(version=version, until=date(2026, 4, 20), reason="Soon", actor=world.SALES, at=world.at("2026-03-25"))
    (section,) = read("given-away").sections
    assert section.lead == "1 bridging code was granted for 20 days; 0 of their quotes were then ordered."
    world.accept(version, "2026-04-10")
    bridged = read("given-away").sections[-1]
    assert rows(bridged, "bridges")[date(2026, 3, 1)] == [1, 20, 1]

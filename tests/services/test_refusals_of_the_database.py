"""What the database itself refuses, whoever writes: checked with SQL, past the services and the ORM."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from dongles.models import Dongle, Licence, Release, SmaPeriod, UnlockCode
from portal.models import AuditEvent
from renewals.models import Order, PolicySettings, PriceList, PriceListEntry, QuoteLine, RevenueSegment
from tests import world

pytestmark = pytest.mark.django_db


def refused(sql: str, *values: object) -> str:
    """Run the statement, which the database must refuse; its words."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(error.value)


@pytest.fixture
def order(dongle):
    world.make_release("6.5", "2026-01-15")
    return world.sell(dongle, "2026-02-01")


def test_two_periods_of_a_licence_that_share_a_day_q4(dongle):
    licence = dongle.licences.first()
    words = refused(
        "INSERT INTO dongles_smaperiod (licence_id, starts_on, ends_on, source, is_cancelled)"
        " VALUES (%s, '2026-03-31', '2026-04-30', 'record', false)",
        licence.pk,
    )
    assert "sma_periods_never_overlap" in words
    assert SmaPeriod.objects.filter(licence=licence).count() == 1


def test_a_period_beside_another_is_no_overlap_q4(dongle):
    licence = dongle.licences.first()
    SmaPeriod.objects.create(licence=licence, starts_on=date(2026, 4, 1), ends_on=date(2026, 4, 30), source="record")


def test_a_cancelled_period_is_in_nobodys_way_q4(dongle):
    licence = dongle.licences.first()
    SmaPeriod.objects.filter(licence=licence).update(is_cancelled=True)
    SmaPeriod.objects.create(licence=licence, starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 30), source="record")


def test_a_period_that_ends_before_it_starts(dongle):
    words = refused("UPDATE dongles_smaperiod SET ends_on = '2019-12-31'")
    assert "sma_period_ends_after_start" in words


def test_a_second_code_with_the_same_number(order):
    code = UnlockCode.objects.get()
    words = refused(
        "INSERT INTO dongles_unlockcode (dongle_id, cause, generation, sequence, key_slot, expiry_on, issued_on,"
        " issued_at, licences, letters) VALUES (%s, 'other', %s, %s, 0, '2030-01-01', '2026-01-01', now(), '[]', '')",
        code.dongle_id,
        code.generation,
        code.sequence,
    )
    assert "code_number_given_once" in words


def test_a_second_code_for_the_same_cause(order):
    code = UnlockCode.objects.get()
    words = refused(
        "INSERT INTO dongles_unlockcode (dongle_id, cause, generation, sequence, key_slot, expiry_on, issued_on,"
        " issued_at, licences, letters) VALUES (%s, %s, 0, 99, 0, '2030-01-01', '2026-01-01', now(), '[]', '')",
        code.dongle_id,
        code.cause,
    )
    assert "code_once_per_cause" in words


def test_a_second_order_for_a_quote_q2(order):
    words = refused(
        "INSERT INTO renewals_order (quote_id, version_id, customer_id, state, purchase_order_number, accepted_by,"
        " accepted_on, terms) VALUES (%s, %s, %s, 'accepted', 'PO-2', 'x', '2026-02-02', '')",
        order.quote_id,
        order.version_id,
        order.customer_id,
    )
    assert "unique" in words
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("renewals_pricelistentry", "sma_year"),
        ("renewals_pricelistentry", "licence"),
        ("renewals_quoteversion", "net"),
        ("renewals_quoteversion", "tax"),
    ],
)
def test_negative_money(dongle, table, column):
    world.draft(dongle, "2026-02-01")
    if table == "renewals_pricelistentry":  # one that no quote has used
        other = PriceList.objects.create(name="US", currency="USD", segment="commercial", valid_from="2020-01-01")
        entry = PriceListEntry.objects.first()
        PriceListEntry.objects.create(
            price_list=other, product=entry.product, licence=entry.licence, sma_year=0, upgrade=entry.upgrade
        )
        words = refused(f"UPDATE {table} SET {column} = -1 WHERE price_list_id = %s", other.pk)
        assert "prices_are_not_negative" in words
    else:  # a version's amounts never change, so a new one has to be tried
        columns = (
            "quote_id, state, priced_on, price_list_id, policy_id, currency, discount, discount_reason, note, tax_rate,"
            " waives_upgrades, free_months, part_month, key_hash, key_nonce"
        )
        amounts = ", ".join("-1" if name == column else name for name in ("net", "tax", "total"))
        words = refused(
            f"INSERT INTO {table} ({columns}, needs_approval, number, net, tax, total)"
            f" SELECT {columns}, needs_approval, 9, {amounts} FROM {table}"
        )
        assert "quote_amounts_are_not_negative" in words


def test_negative_money_in_a_new_line(dongle):
    world.draft(dongle, "2026-02-01")
    words = refused(
        "INSERT INTO renewals_quoteline (quoted_id, kind, licence_index, product_id, seats, months, list_amount,"
        " discounts, net, sma_net, rules, steps)"
        " SELECT quoted_id, kind, licence_index, product_id, seats, months, list_amount, discounts, -1, -1, rules,"
        " steps FROM renewals_quoteline LIMIT 1"
    )
    assert "quote_line_amounts_are_not_negative" in words


@pytest.mark.parametrize("deed", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
@pytest.mark.parametrize(
    "table",
    [
        "portal_auditevent",
        "dongles_unlockcode",
        "dongles_codereceipt",
        "renewals_revenuesegment",
        "renewals_quotedongle",
        "renewals_quoteline",
        "renewals_orderline",
    ],
)
def test_a_change_of_what_only_grows(order, table, deed):
    if table == "dongles_codereceipt":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO dongles_codereceipt (code_id, confirmed_at, confirmed_by)"
                " SELECT id, now(), 'x' FROM dongles_unlockcode"
            )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0, "a test of nothing"
    assert "only grows" in refused(deed.format(table=table))


def test_everything_that_only_grows_is_there_still(order):
    assert AuditEvent.objects.exists()
    assert RevenueSegment.objects.exists()
    assert QuoteLine.objects.exists()


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE renewals_pricelist SET name = 'new'",
        "DELETE FROM renewals_pricelistentry",
        "UPDATE renewals_pricelistentry SET licence = licence + 1",
        "INSERT INTO renewals_pricelistentry (price_list_id, product_id, licence, sma_year, upgrade)"
        " SELECT renewals_pricelist.id, dongles_product.id, 3, 1, 2 FROM renewals_pricelist, dongles_product"
        " WHERE code = 'VOL-NEW'",
        "UPDATE renewals_policysettings SET grace_days = 5",
        "DELETE FROM renewals_policysettings",
    ],
)
def test_a_change_of_terms_that_a_quote_has_used(dongle, deed):
    world.draft(dongle, "2026-02-01")
    assert "a quote has used" in refused(deed)


def test_an_entry_moved_into_a_list_that_a_quote_has_used(dongle):
    version = world.draft(dongle, "2026-02-01")
    other = PriceList.objects.create(name="US", currency="USD", segment="commercial", valid_from="2020-01-01")
    entry = PriceListEntry.objects.first()
    PriceListEntry.objects.create(price_list=other, product=entry.product, licence=9, sma_year=1, upgrade=2)
    words = refused(
        "UPDATE renewals_pricelistentry SET price_list_id = %s WHERE price_list_id = %s",
        version.price_list_id,
        other.pk,
    )
    assert "a quote has used" in words


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE renewals_quoteversion SET net = 1, total = 1 + tax",
        "UPDATE renewals_quoteversion SET priced_on = '2026-01-01'",
        "UPDATE renewals_quoteversion SET discount = 0.5",
        "DELETE FROM renewals_quoteversion",
    ],
)
def test_a_change_of_what_a_version_offers(dongle, deed):
    world.draft(dongle, "2026-02-01")
    assert "offers stays" in refused(deed)


def test_terms_that_no_quote_has_used_can_change(catalogue):
    assert PolicySettings.objects.update(grace_days=5) == 1
    assert PriceListEntry.objects.update(licence=1) == 3


def test_an_upgrade_no_dearer_than_the_sma_year(catalogue):
    words = refused("UPDATE renewals_pricelistentry SET upgrade = sma_year")
    assert "upgrade_costs_more_than_an_sma_year" in words


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE dongles_release SET build_on = '2026-02-15'",
        "UPDATE dongles_release SET is_major = false",
        "UPDATE dongles_release SET sold_against_on = NULL",
        "DELETE FROM dongles_release",
    ],
)
def test_a_change_of_a_release_that_was_sold_against(order, deed):
    assert "was sold against" in refused(deed)
    assert Release.objects.get().build_on == date(2026, 1, 15)


def test_the_notes_of_a_release_that_was_sold_against_can_change(order):
    assert Release.objects.update(notes="Mended") == 1


@pytest.mark.parametrize("serial", ["104-233", "abc", "", "X" * 33])
def test_a_serial_that_is_not_canonical(catalogue, serial):
    customer = world.make_customer()
    with pytest.raises(Exception, match=r"dongle_serial_is_canonical|too long"), transaction.atomic():
        Dongle.objects.create(serial=serial, customer=customer)


@pytest.mark.parametrize("seats", [0, 65536])
def test_seats_that_no_code_can_state(dongle, seats):
    assert "licence_seats_fit_the_code" in refused("UPDATE dongles_licence SET seats = %s", seats)


def test_a_withdrawal_without_a_reason_c6(dongle):
    words = refused("UPDATE dongles_licence SET withdrawn_on = '2026-01-01'")
    assert "licence_withdrawn_with_a_reason" in words
    assert Licence.objects.filter(withdrawn_on__isnull=True).count() == 2

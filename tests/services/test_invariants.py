"""What must always be true of the records (`manage.py verify_invariants`): nothing is found in sound ones, every damage
is.

The world is made once, as of 1 Jun 2026, of everything that is sold, cancelled, bridged, replaced, handed on and
imported; each test damages it behind the back of the triggers, and what it writes is undone.
"""

import io
import logging
import random
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from dongles.coverage import Period
from dongles.installed_base.plans import Flags, Plan, PlannedDongle, PlannedLicence
from dongles.installed_base.writing import write_plan
from dongles.models import Dongle, Licence
from dongles.services import withdraw_licence
from portal import audit_chain
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from renewals.invariants import INVARIANTS
from renewals.models import MonthClose, Order, OrderLine
from renewals.pricing import AddedLicence
from renewals.queries import ReplacementRequest
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.closing import ask_reopening, close_month, decide_reopening
from renewals.services.credits import credit_line
from renewals.services.orders import fulfil_order
from renewals.services.renewal_figures import update_renewal_figures
from renewals.services.replacements import replace_dongle, transfer_dongle
from renewals.services.summaries import summarise_all
from renewals.tasks import verify_invariants
from tests import world

DAY = "2026-02-01"
LATER = "2026-06-01"
DAMAGED = (
    *("dongles_unlockcode", "dongles_smaperiod", "dongles_dongle", "dongles_replacement", "portal_auditevent"),
    "dongles_replacement_licences",
    *("renewals_revenuesegment", "renewals_orderline", "renewals_order", "renewals_bridge"),
    *("renewals_monthclose", "renewals_ledgerentry"),
)


def cancel(order, from_on, **options):
    on = options.pop("on", from_on)
    options = {"reason": "Budget cut", "actor": world.SALES, **options}
    return cancel_order(order=order, from_on=date.fromisoformat(from_on), at=world.at(on), **options)


def concede(line, amount, on):
    """A part of a line's net is credited as a concession."""
    options = {"reason": "Support was slow", "actor": world.SALES, "at": world.at(on)}
    return credit_line(order_line=line, amount=amount, **options)


def bridge(version, until, on):
    options = {"reason": "The order is being signed", "actor": world.SALES, "at": world.at(on)}
    return grant_bridge(version=version, until=date.fromisoformat(until), **options)


def replace(dongle, serial, on):
    options = {"cause": "broken", "reason": "The plug is bent", "actor": world.SALES, "at": world.at(on)}
    return replace_dongle(dongle=dongle, serial=serial, **options).successor


def lose(dongle, serial, on):
    """The order of a replacement that costs the licences again, since the dongle was not handed back."""
    return world.sell(dongle, on, replacement=ReplacementRequest(serial, "lost", "Lost on a train"))


def bring_in(dongle, product, ends_on, on):
    """A licence of a dongle on record that came in from a file."""
    spans = (Period(world.DAY_ONE, date.fromisoformat(ends_on)),)
    licence = PlannedLicence(None, product, 1, world.DAY_ONE, spans)
    planned = PlannedDongle(2, dongle.pk, dongle.serial, dongle.kind, None, None, (licence,))
    plan = Plan({}, {}, [planned], [], Flags(), 0, None)
    write_plan(plan, source="base.xlsx", actor=world.SALES, at=world.at(on), tell=lambda written: None)


def make_world():
    world.make_catalogue(straddle="honour")
    world.make_release("6.0", "2025-10-01")
    customer = world.make_customer()
    payer = world.make_customer("Pays First", fulfil_on="payment")

    def dongle(serial, *licences, owner=customer):
        both = (("VOL-VIS", "2026-03-31"), ("VOL-QNT", "2026-03-31"))
        return world.make_dongle(serial, owner, licences or both)

    world.sell(dongle("1001"), DAY, renew_years=2)
    world.sell(dongle("1002", ("VOL-VIS", "2025-06-30"), ("OPL-FUL", "2025-06-30")), DAY)
    cancel(world.sell(dongle("1003"), DAY, added=(AddedLicence("VOL-QNT", 3),)), "2026-05-20")
    cancel(world.sell(dongle("1004"), DAY), DAY, on="2026-02-10", is_mistake=True)

    late = world.send(dongle("1005"), "2026-03-20")
    bridge(late, "2026-04-15", "2026-03-30")
    world.accept(late, "2026-04-10")
    bridge(world.send(dongle("1006"), "2026-03-20"), "2026-04-15", "2026-03-30")
    late = world.send(dongle("1007"), "2026-03-20")
    bridge(late, "2026-04-15", "2026-03-30")
    cancel(world.accept(late, "2026-04-10"), "2026-05-01")

    order = world.sell(dongle("1008"), DAY)
    renewed = world.sell(replace(Dongle.objects.get(serial="1008"), "2008", "2026-03-01"), "2026-03-02", renew_years=2)
    replace(Dongle.objects.get(serial="2008"), "3008", "2026-03-03")
    cancel(renewed, "2026-04-01", on="2026-03-20")
    cancel(order, "2026-05-15")

    lose(dongle("1009"), "2009", DAY)
    cancel(lose(dongle("1010"), "2010", DAY), DAY, on="2026-02-10", is_mistake=True)

    ragged = dongle("1011", ("VOL-VIS", "2026-12-31"), ("VOL-QNT", "2026-03-31"))
    cancel(world.sell(ragged, DAY, align_to=date(2026, 12, 31)), "2026-04-10")
    replace(dongle("1012", ("VOL-VIS", "2026-12-31"), ("VOL-QNT", "2026-03-31")), "2012", DAY)

    handed_on = dongle("1013")
    world.sell(handed_on, DAY)
    transfer_dongle(dongle=handed_on, customer=payer, reason="Sold", actor=world.SALES, at=world.at("2026-03-01"))

    moved = world.accept(world.send(dongle("1014", ("VOL-VIS", "2025-01-31"), owner=payer), DAY), "2026-02-05")
    fulfil_order(order=moved, actor=world.SALES, at=world.at("2026-02-20"), paid_on=date(2026, 2, 19))
    world.accept(world.send(dongle("1015", owner=payer), DAY), DAY, purchase_order_number="")
    cancel(world.accept(world.send(dongle("1016", owner=payer), DAY), DAY), "2026-02-09")

    for serial, on in (("1022", None), ("1023", "2026-05-10"), ("1024", "2026-05-12")):
        order = world.sell(dongle(serial, ("VOL-VIS", "2025-06-30")), DAY)
        concede(order.lines.get(), 36_501, "2026-03-10")
        concede(order.lines.get(), 10_000, "2026-05-02")
        if on:
            cancel(order, on, is_mistake=serial == "1024")

    world.sell(dongle("1017"), DAY)
    bring_in(Dongle.objects.get(serial="1017"), "OPL-FUL", "2026-02-28", "2026-02-10")
    world.sell(dongle("1018"), DAY)
    gone = Licence.objects.filter(dongle__serial="1018").first()
    withdraw_licence(licence=gone, reason="Not used", actor=world.SALES, at=world.at(DAY))
    extended = dongle("1020", ("VOL-VIS", "2028-01-31"), ("OPL-FUL", "2025-06-30"))
    world.accept(world.send(extended, DAY, align_to=date(2028, 1, 31)), "2026-02-10")
    dongle("1019", ("VOL-VIS", "2026-12-31"), ("VOL-QNT", None))
    close_months()


def close_months():
    """February to April, the last of them twice: it was opened again for what is credited in it."""
    moment = world.at(LATER)
    *_, april = [close_month(month=date(2026, month, 1), actor=world.SALES, at=moment) for month in (2, 3, 4)]
    ann, ben = (Actor.of(world.make_user("finance", f"{name}@vendor.example")) for name in ("ann", "ben"))
    asked = ask_reopening(close=april, reason="A cancellation came late", actor=ann, at=moment)
    decide_reopening(reopening=asked, is_granted=True, actor=ben, at=moment)
    cancel(world.sell(world.make_dongle("1021"), LATER), LATER)
    cancel(Order.objects.filter(lines__licence__dongle__serial="1017").distinct().get(), "2026-04-20", on=LATER)
    close_month(month=april.month_id, actor=world.SALES, at=moment)
    summarise_all()


@pytest.fixture(scope="module")
def sound_records(django_db_setup, django_db_blocker, tmp_path_factory):
    place = tmp_path_factory.mktemp("sound")
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(OUTBOX_DISPATCH="none", SIGNER_LOG=place / "log", FILES_DIR=place / "files"):
            make_world()
        audit_chain.seal_events()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def records(sound_records):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def findings():
    """What is found, by invariant."""
    found = {
        each.name: [str(finding) for batch in each.check(timezone.now()) for finding in batch.findings]
        for each in INVARIANTS
    }
    return {name: sentences for name, sentences in found.items() if sentences}


def damage(statement: str) -> None:
    """Change one row at least, as somebody could who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in DAMAGED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        assert cursor.rowcount > 0


def of(serial: str) -> str:
    """SQL for the ids of a dongle's order lines."""
    return (
        "(SELECT line.id FROM renewals_orderline line JOIN renewals_quoteline quoted ON quoted.id = line.quote_line_id"
        " JOIN renewals_quotedongle one ON one.id = quoted.quoted_id JOIN dongles_dongle dongle"
        f" ON dongle.id = one.dongle_id WHERE dongle.serial = '{serial}')"
    )


def dongle_id(serial: str) -> str:
    return f"(SELECT id FROM dongles_dongle WHERE serial = '{serial}')"


def test_sound_records_have_no_finding_whatever_was_sold(records):
    assert findings() == {}


def test_every_kind_of_sale_is_in_the_sound_records(records):
    assert set(OrderLine.objects.values_list("quote_line__kind", flat=True)) == {
        *("sma_year", "sma_part", "upgrade", "licence", "replacement"),
        None,  # a free extension
    }
    assert set(Order.objects.values_list("state", flat=True)) == {"accepted", "fulfilled", "cancelled"}


SEGMENTS = "renewals_revenuesegment"
A_SALE = f"order_line_id = (SELECT min(id) FROM {of('1001')} line) AND reason = 'sale'"
A_CONCESSION = f"id = (SELECT min(id) FROM {SEGMENTS} WHERE reason = 'concession' AND order_line_id IN {of('1022')})"
IN_SUMS = {"ledger": " in 2026-05, VOL-"}
IN_SUMS_AND_CLOSES = {"ledger": "sum of ", "closes": " 2026: expected digest "}
FEBRUARY = "month_id = '2026-02-01'"
DAMAGES = {
    # Revenue. 1001: VOL-VIS for two years at 1,200.00 each.
    "a cent less was put in time": (
        f"UPDATE {SEGMENTS} SET amount = amount - 1, basis_amount = basis_amount - 1 WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 put in time, which was sold; found €1,199.99", **IN_SUMS_AND_CLOSES},
    ),
    "a sale was never put in time": (
        f"DELETE FROM {SEGMENTS} WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 put in time, which was sold; found €0.00", **IN_SUMS_AND_CLOSES},
    ),
    "an amount is not what its days come to": (
        f"UPDATE {SEGMENTS} SET basis_amount = basis_amount + 100 WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 recognised by 31 Mar 2027; found €1,201.00", **IN_SUMS_AND_CLOSES},
    ),
    "revenue runs a day longer than the period": (
        f"UPDATE {SEGMENTS} SET ends_on = ends_on + 1 WHERE {A_SALE}",
        {
            "revenue": "expected €1,200.00 daily 1 Apr 2026 – 31 Mar 2027; found €1,200.00 daily 1 Apr 2026 – 1 Apr",
            **IN_SUMS_AND_CLOSES,
            "periods": "expected standing through 1 Apr 2027; found standing through 31 Mar 2027",
        },
    ),
    "SMA was earned at once": (
        f"UPDATE {SEGMENTS} SET method = 'at_once' WHERE {A_SALE}",
        {"revenue": "expected €1,200.00 daily 1 Apr 2026 – 31 Mar 2027; found €1,200.00 at once"},
    ),
    "revenue is in another currency": (
        f"UPDATE {SEGMENTS} SET currency = 'USD' WHERE {A_SALE}",
        {"revenue": "expected an amount in EUR; found one in USD", **IN_SUMS_AND_CLOSES},
    ),
    "a sale was booked in another month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-01-01' WHERE {A_SALE}",
        {
            "revenue": "expected booked as a sale in 2026-02 or, where that was closed, later; found sale in 2026-01",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a line costs more than was quoted": (
        f"UPDATE renewals_orderline SET net = net + 100 WHERE id IN (SELECT min(id) FROM {of('1001')} line)",
        {"revenue": "expected lines for €4,200.00, being fulfilled; found €4,201.00"},
    ),
    "a cancellation took nothing back": (
        f"DELETE FROM {SEGMENTS} WHERE reason = 'cancellation' AND order_line_id IN {of('1007')}",
        {"revenue": "expected cancellation with −€", **IN_SUMS},
    ),
    "a cancellation took back a cent too much": (
        f"UPDATE {SEGMENTS} SET amount = amount - 1 WHERE reason = 'cancellation' AND order_line_id IN {of('1007')}",
        {"revenue": "recognised by 31 Mar 2027; found −€", **IN_SUMS},
    ),
    "an annulled line is half there": (
        f"DELETE FROM {SEGMENTS} WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason = 'annulment'"
        f" AND order_line_id IN {of('1004')})",
        {
            "revenue": "expected annulment with −€900.00 daily 1 Apr 2026 – 31 Mar 2027; found nothing taken back",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "revenue of a standing order was taken back": (
        f"INSERT INTO {SEGMENTS} (order_line_id, currency, amount, starts_on, ends_on, method, booked_month, reason,"
        " basis_amount, basis_starts_on, annual_amount, customer_id, product_id, country, customer_segment, mirrors_id)"
        " SELECT order_line_id, currency, -amount, starts_on, ends_on, method, booked_month, 'annulment',"
        " -basis_amount, basis_starts_on, -annual_amount, customer_id, product_id, country, customer_segment, id"
        f" FROM {SEGMENTS} WHERE {A_SALE}",
        {
            "revenue": "expected nothing taken back; found annulment with −€1,200.00",
            **IN_SUMS,
            "closes": "expected another month, since its own was closed; found Feb 2026",
        },
    ),
    # Concessions. 1022: an upgrade with its SMA, 2,400.00, of which 365.01 are credited: 182.51 over the year.
    "a concession runs a day longer than what it credits": (
        f"UPDATE {SEGMENTS} SET ends_on = ends_on + 1 WHERE {A_CONCESSION}",
        {
            "revenue": "expected a credit over €1,200.00 daily 1 Feb 2026 – 31 Jan 2027 and €1,200.00 at once",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a concession gives more than was sold": (
        f"UPDATE {SEGMENTS} SET amount = -130000, basis_amount = -130000 WHERE {A_CONCESSION}",
        {"revenue": "expected at most €1,200.00 credited; found €1,3", **IN_SUMS_AND_CLOSES},
    ),
    "a concession takes money": (
        f"UPDATE {SEGMENTS} SET amount = -amount, basis_amount = -basis_amount WHERE {A_CONCESSION}",
        {"revenue": "; found €182.51 daily 1 Feb 2026 – 31 Jan 2027", **IN_SUMS_AND_CLOSES},
    ),
    "a concession was booked before the sale": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-01-01' WHERE {A_CONCESSION}",
        {
            "revenue": "expected a credit booked in 2026-02, as what it credits, or later; found one in 2026-01",
            **IN_SUMS_AND_CLOSES,
        },
    ),
    "a concession has an annual value where the sale has none": (
        f"UPDATE {SEGMENTS} SET annual_amount = -100 WHERE {A_CONCESSION}",
        {"revenue": "expected €0.00 a year after concessions; found −€1.00", **IN_SUMS},
    ),
    "a concession says that it is a sale": (
        f"UPDATE {SEGMENTS} SET reason = 'sale' WHERE {A_CONCESSION}",
        {"revenue": "expected €2,400.00 put in time, which was sold; found €2,217.49", **IN_SUMS_AND_CLOSES},
    ),
    "an annulment forgot a concession": (
        f"DELETE FROM {SEGMENTS} WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason = 'annulment' AND amount > 0"
        f" AND order_line_id IN {of('1024')})",
        {"revenue": "expected annulment with €50.00 at once 1 Feb 2026", **IN_SUMS},
    ),
    # Periods
    "a period was bought by nobody": (
        "INSERT INTO dongles_smaperiod (licence_id, starts_on, ends_on, source, is_cancelled)"
        f" SELECT id, '2040-01-01', '2040-12-31', 'order', false FROM dongles_licence WHERE dongle_id = "
        f"{dongle_id('1001')} LIMIT 1",
        {"periods": "expected an order line that bought it; found 1 Jan 2040 – 31 Dec 2040"},
    ),
    "a line lost its period": (
        f"UPDATE renewals_orderline SET period_id = NULL WHERE id IN (SELECT min(id) FROM {of('1001')} line)",
        {
            "revenue": "expected a day of fulfilment, and a period where SMA was sold; found none",
            "periods": "expected an SMA period; found none",
        },
    ),
    "a period went to another licence": (
        "UPDATE dongles_smaperiod SET licence_id = (SELECT id FROM dongles_licence WHERE dongle_id ="
        f" {dongle_id('1019')} ORDER BY id DESC LIMIT 1) WHERE id ="
        f" (SELECT period_id FROM renewals_orderline WHERE id = (SELECT max(id) FROM {of('1001')} line))",
        {"periods": "expected a period of licence", "dates": "expected a date through 31 Mar 2027 at most"},
    ),
    "a cancelled period stands again": (
        "UPDATE dongles_smaperiod SET is_cancelled = false WHERE id IN (SELECT period_id FROM renewals_orderline"
        f" WHERE id IN {of('1004')})",
        {"periods": "expected cancelled; found standing through 31 Mar 2027"},
    ),
    "a paid period was cancelled": (
        "UPDATE dongles_smaperiod SET is_cancelled = true WHERE id = (SELECT max(period_id) FROM renewals_orderline"
        f" WHERE id IN {of('1001')})",
        {
            "periods": "expected standing through 31 Mar 2028; found cancelled",
            "dates": "dongle 1001: expected a date through 31 Mar 2027 at most",
        },
    ),
    "a cancelled order's period runs on": (
        "UPDATE dongles_smaperiod SET ends_on = '2026-06-30' WHERE id = (SELECT max(period_id) FROM renewals_orderline"
        f" WHERE id IN {of('1007')})",
        {"periods": "expected standing through 30 Apr 2026; found standing through 30 Jun 2026"},
    ),
    "a line is gone with its revenue": (
        f"WITH gone AS (DELETE FROM {SEGMENTS} WHERE {A_SALE}) DELETE FROM renewals_orderline WHERE id ="
        f" (SELECT min(id) FROM {of('1001')} line)",
        {
            "revenue": "expected lines for €4,200.00, being fulfilled; found €3,000.00",
            **IN_SUMS_AND_CLOSES,
            "periods": "(sma_year); found none",
        },
    ),
    # Sums
    "a sum is a cent too high": (
        "UPDATE renewals_monthfigures SET current = current + 1 WHERE id = (SELECT min(id) FROM renewals_monthfigures)",
        {"ledger": "sum of current in 20"},
    ),
    "a sum by booking is a cent too low": (
        "UPDATE renewals_bookingfigures SET recognised = recognised - 1 WHERE id = (SELECT id FROM"
        " renewals_bookingfigures WHERE booked_month = '2026-02-01' AND month = '2026-04-01' LIMIT 1)",
        {"ledger": "sum of recognised in 2026-04 booked in 2026-02"},
    ),
    "a total is a cent too low": (
        "UPDATE renewals_bookingtotals SET recognised = recognised - 1 WHERE id = (SELECT id FROM"
        " renewals_bookingtotals WHERE booked_month = '2026-02-01' AND month = '2026-04-01' LIMIT 1)",
        {"ledger": "total of recognised in 2026-04 booked in 2026-02"},
    ),
    "a sum is gone": (
        "DELETE FROM renewals_monthfigures WHERE month = '2026-02-01' AND booked > 0",
        {"ledger": "sum of booked in 2026-02"},
    ),
    "a sum is of a month that has no segments": (
        "INSERT INTO renewals_monthfigures (month, product_id, country, customer_segment, currency, booked, credited,"
        " recognised, caught_up, current, annual) SELECT '2050-01-01', product_id, country, customer_segment, currency,"
        " 1, 0, 0, 0, 0, 0 FROM renewals_monthfigures LIMIT 1",
        {"ledger": "sum of booked in 2050-01"},
    ),
    "a segment waits since long": (
        f"INSERT INTO renewals_unsummarisedsegment (segment_id) SELECT min(id) FROM {SEGMENTS}",
        {"ledger": "sums: expected every segment added within the hour; found 1 segment since 2026-02-01"},
    ),
    # Closes
    "a digest was altered": (
        f"UPDATE renewals_monthclose SET sha256 = repeat('0', 64) WHERE {FEBRUARY}",
        {"closes": "found 0000000000000000"},
    ),
    "an older revision was altered": (
        "UPDATE renewals_monthclose SET segments = segments + 1 WHERE revision = 1 AND month_id = '2026-04-01'",
        {"closes": "close 1 of Apr 2026: expected "},
    ),
    "a total is a cent too high": (
        "UPDATE renewals_monthclose SET totals = jsonb_set(totals, '{EUR,booked}',"
        f" to_jsonb((totals->'EUR'->>'booked')::bigint + 1)) WHERE {FEBRUARY}",
        {"closes": "close 1 of Feb 2026: expected booked €"},
    ),
    "an entry was altered": (
        "UPDATE renewals_ledgerentry SET amount = amount + 1 WHERE number = 1",
        {"closes": "close 1 of Feb 2026, entries booked of VOL-"},
    ),
    "an entry is gone": (
        "DELETE FROM renewals_ledgerentry WHERE number = 2",
        {"closes": "entry 3: expected number 2 after 1; found 3"},
    ),
    "a month between closed ones is open": (
        "UPDATE renewals_accountingmonth SET is_closed = false WHERE month = '2026-03-01'",
        {"closes": "month Mar 2026: expected closed, as the one after it is; found open"},
    ),
    "a month is closed without a close": (
        "UPDATE renewals_accountingmonth SET is_closed = true WHERE month = '2026-05-01'",
        {"closes": "month May 2026: expected a close, since it is closed; found none"},
    ),
    "something was booked in a closed month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2026-03-01' WHERE reason = 'cancellation' AND booked_month ="
        f" '2026-04-01' AND id > (SELECT max(last_segment_id) FROM renewals_monthclose WHERE month_id = '2026-03-01')",
        {"closes": "expected another month, since its own was closed; found Mar 2026", "ledger": "sum of credited"},
    ),
    "something was booked before the first closed month": (
        f"UPDATE {SEGMENTS} SET booked_month = '2025-12-01' WHERE id = (SELECT max(id) FROM {SEGMENTS} WHERE reason ="
        " 'cancellation')",
        {"closes": "expected no month before Feb 2026; found Dec 2025", "ledger": "sum of credited in 2025-12"},
    ),
    # Codes
    "an order has no code": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "dongle 1001: expected a code for “order O-"},
    ),
    "a code is for an order that never was": (
        f"UPDATE dongles_unlockcode SET cause = 'order O-999999' WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "for “order O-999999”: expected an order that was fulfilled; found none"},
    ),
    "a code is for another dongle's order": (
        "UPDATE dongles_unlockcode SET cause = (SELECT cause FROM dongles_unlockcode WHERE dongle_id ="
        f" {dongle_id('1002')}) WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "expected an order for this dongle; found none"},
    ),
    "a code is a favour": (
        f"UPDATE dongles_unlockcode SET cause = 'a favour' WHERE dongle_id = {dongle_id('1001')}",
        {"codes": "for “a favour”: expected a cause that the portal issues codes for"},
    ),
    "the code after a cancellation is gone": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1004')} AND cause LIKE 'cancellation%'",
        {"codes": "expected a code for “cancellation of order O-", "dates": "expected the date of its newest code"},
    ),
    "a cancelled order is not cancelled": (
        "UPDATE renewals_order SET state = 'fulfilled', cancelled_from = NULL WHERE id = (SELECT max(order_id) FROM"
        f" renewals_orderline WHERE id IN {of('1004')})",
        {
            "revenue": "expected nothing taken back; found annulment",
            "periods": "expected standing through 31 Mar 2027; found cancelled",
            "codes": "expected an order that was cancelled after it was fulfilled; found none",
        },
    ),
    "a replacement has no code": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('2012')}",
        {"codes": "replacement of dongle 1012: expected a code for the dongle that took its place"},
    ),
    "a lost dongle was not emptied": (
        f"DELETE FROM dongles_unlockcode WHERE dongle_id = {dongle_id('1009')}",
        {"codes": "replacement of dongle 1009: expected a code without licences, since it may still live"},
    ),
    "a replacement never was": (
        "WITH gone AS (DELETE FROM dongles_replacement_licences WHERE replacement_id = (SELECT id FROM"
        f" dongles_replacement WHERE successor_id = {dongle_id('2012')})) DELETE FROM dongles_replacement WHERE"
        f" successor_id = {dongle_id('2012')}",
        {"codes": "expected that replacement, of this dongle", "dates": "dongle 2012: expected a date through 31 Mar"},
    ),
    "a bridge says another day than its code": (
        f"UPDATE renewals_bridge SET ends_on = ends_on + 1 WHERE dongle_id = {dongle_id('1006')}",
        {"codes": "expected a code through 16 Apr 2026 for “bridge of quote Q-"},
    ),
    "a bridge never was": (
        f"DELETE FROM renewals_bridge WHERE dongle_id = {dongle_id('1006')}",
        {
            "codes": "expected a bridge with this code; found none",
            "dates": "dongle 1006: expected a date through 31 Mar 2026 at most",
        },
    ),
    # Dates
    "a dongle's date is not that of its newest code": (
        "UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'",
        {"dates": "dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"},
    ),
    "a code went beyond what is covered": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2028-04-01' WHERE serial = '1001') UPDATE"
        f" dongles_unlockcode SET expiry_on = '2028-04-01' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "dongle 1001: expected a date through 31 Mar 2028 at most, by its code"},
    ),
    "a bridge is longer than the policy allows": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2026-05-01' WHERE serial = '1006'), longer AS"
        f" (UPDATE renewals_bridge SET ends_on = '2026-05-01' WHERE dongle_id = {dongle_id('1006')}) UPDATE"
        f" dongles_unlockcode SET expiry_on = '2026-05-01' WHERE dongle_id = {dongle_id('1006')}",
        {"dates": "dongle 1006: expected a date through 30 Apr 2026 at most"},
    ),
    "a cancellation left the date where it was": (
        "WITH moved AS (UPDATE dongles_dongle SET issued_expiry_on = '2027-03-30' WHERE serial = '1004') UPDATE"
        f" dongles_unlockcode SET expiry_on = '2027-03-30' WHERE dongle_id = {dongle_id('1004')} AND cause LIKE"
        " 'cancellation%'",
        {"dates": "dongle 1004: expected a date through 31 Mar 2026 at most"},
    ),
    "a code does not follow the one before": (
        f"UPDATE dongles_unlockcode SET previous_expiry_on = '2026-01-01' WHERE dongle_id = {dongle_id('1004')} AND"
        " cause LIKE 'cancellation%'",
        {"dates": "expected 31 Mar 2027 as the date before, which the code before it states; found 1 Jan 2026"},
    ),
    "a code states a licence that is not there": (
        f"UPDATE dongles_unlockcode SET licences = '[[101, 1], [102, 2]]' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "in its newest code, 101 × 1, 102 × 1; found 101 × 1, 102 × 2"},
    ),
    "a code leaves out a licence": (
        f"UPDATE dongles_unlockcode SET licences = '[[101, 1]]' WHERE dongle_id = {dongle_id('1001')}",
        {"dates": "in its newest code, 101 × 1, 102 × 1; found 101 × 1"},
    ),
    # Audit
    "an event was altered": (
        "UPDATE portal_auditevent SET reason = 'A favour' WHERE id = (SELECT min(id) FROM portal_auditevent)",
        {"audit": "audit trail: expected an unbroken chain; found Event"},
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_it_is_and_nowhere_else(records, name):
    statement, expected = DAMAGES[name]
    damage(statement)
    found = findings()
    assert set(found) == set(expected), found
    for invariant, words in expected.items():
        assert any(words in sentence for sentence in found[invariant]), found


def run(*arguments):
    out = io.StringIO()
    try:
        call_command("verify_invariants", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines(), str(error)
    return 0, out.getvalue().splitlines(), ""


def test_the_command_counts_what_it_verified_and_ends_well(records):
    status, lines, _ = run()
    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        *("revenue", "ledger", "closes", "periods", "codes", "dates", "renewals", "audit"),
    ]
    assert lines[0].startswith(f"revenue: {OrderLine.objects.count()} lines checked, 0 findings (")
    assert lines[2].startswith(f"closes: {MonthClose.objects.count()} closes checked, 0 findings (")
    assert lines[7].startswith(f"audit: {AuditEvent.objects.count()} events checked, 0 findings (")


def test_the_command_ends_with_status_1_and_names_what_it_found(records):
    damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial IN ('1001', '1002')")
    status, lines, error = run("--limit", "1")
    assert (status, error) == (1, "The records contradict each other: 2 findings.")
    dates = [line for line in lines if line.startswith("dates: ")]
    assert dates[0] == "dates: dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"
    assert dates[1] == "dates: … and 1 more"
    assert ", 2 findings (" in dates[2]


def test_only_what_is_asked_for_is_verified(records):
    damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'")
    status, lines, _ = run("--only", "codes", "--only", "audit")
    assert status == 0
    assert [line.split(":")[0] for line in lines] == ["codes", "audit"]


def test_the_night_s_run_logs_each_finding_as_an_error(records, caplog):
    with caplog.at_level(logging.ERROR, "renewals.tasks"):
        verify_invariants()
        assert caplog.messages == []
        damage("UPDATE dongles_dongle SET issued_expiry_on = '2029-12-31' WHERE serial = '1001'")
        verify_invariants()
    assert caplog.messages == [
        "dates: dongle 1001: expected the date of its newest code, 31 Mar 2028; found 31 Dec 2029"
    ]


def test_beat_has_it_run_every_night(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["verify the invariants"]
    assert entry["task"] == verify_invariants.name
    assert (entry["schedule"].hour, entry["schedule"].minute) == ({3}, {30})


@pytest.mark.django_db
def test_ten_times_the_dongles_take_no_more_queries(catalogue):
    customer = world.make_customer()

    def queries():
        summarise_all()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert findings() == {}
        return len(captured)

    world.sell(world.make_dongle("1000", customer), DAY)
    few = queries()
    for number in range(1, 10):
        world.sell(world.make_dongle(f"100{number}", customer), DAY)
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_it_reads_as_of_one_moment_and_writes_nothing():
    world.make_catalogue()
    world.sell(world.make_dongle(), DAY)
    summarise_all()
    with CaptureQueriesContext(connection) as captured:
        assert run()[0] == 0
    statements = [query["sql"] for query in captured]
    assert statements[1] == "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def happen(chance: random.Random, step: int, day: date) -> None:
    """Something is sold, credited, cancelled, bridged or replaced; or refused."""
    on = str(day)
    dongle = chance.choice(list(Dongle.objects.exclude(state="retired").order_by("pk")))
    match chance.choice(("renew", "add", "wait", "bridge", "replace", "lose", "credit", "cancel", "cancel newest")):
        case "renew":
            world.sell(dongle, on, renew_years=chance.randint(1, 3))
        case "add":
            world.sell(dongle, on, renew_years=1, added=(AddedLicence("VOL-QNT", chance.randint(1, 3)),))
        case "wait":
            world.accept(world.send(dongle, on), str(day + timedelta(days=chance.randint(0, 20))))
        case "bridge":
            bridge(world.send(dongle, on), str(dongle.issued_expiry_on + timedelta(days=20)), on)
        case "replace":
            replace(dongle, f"600{step}", on)
        case "lose":
            lose(dongle, f"700{step}", on)
        case "credit":
            lines = list(OrderLine.objects.filter(order__state="fulfilled", net__gt=0).order_by("pk"))
            if lines:
                line = chance.choice(lines)
                concede(line, chance.randint(1, line.net), on)
        case chosen:
            orders = list(Order.objects.filter(state="fulfilled").order_by("-pk"))
            order = chance.choice(orders[:1] if chosen == "cancel newest" else orders) if orders else None
            if order:
                cancel(order, on, is_mistake=chance.random() < 0.4)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_whatever_order_nothing_is_found(catalogue, seed):
    """A random story of four dongles; refusals are part of it."""
    chance = random.Random(seed)
    world.make_release("6.0", "2026-08-01")
    ends = ("2026-03-31", "2026-03-31", "2026-09-30", "2026-01-15")
    for number, end in enumerate(ends):
        world.make_dongle(f"500{number}", licences=[("VOL-VIS", end), ("VOL-QNT", chance.choice([end, ends[0]]))])
    day, done = date(2026, 2, 1), 0
    for step in range(30):
        day += timedelta(days=chance.randint(0, 40))
        try:
            with transaction.atomic():
                happen(chance, step, day)
            done += 1
        except DomainError:
            continue
        if step % 6 == 0:
            update_renewal_figures()
    assert done > 10
    summarise_all()
    update_renewal_figures()
    assert findings() == {}

"""Records of everything that is sold, cancelled, bridged, replaced, handed on and imported, as of 1 Jun 2026; and what
damages them behind the back of the triggers.
"""

from datetime import date

from django.db import connection
from django.utils import timezone

from dongles.coverage import Period
from dongles.installed_base.plans import Flags, Plan, PlannedDongle, PlannedLicence
from dongles.installed_base.writing import write_plan
from dongles.models import Dongle, Licence
from dongles.services import withdraw_licence
from portal.audit import Actor
from renewals.invariants import INVARIANTS
from renewals.models import Order
from renewals.pricing import AddedLicence
from renewals.queries import ReplacementRequest
from renewals.services.bridges import grant_bridge
from renewals.services.cancellations import cancel_order
from renewals.services.closing import ask_reopening, close_month, decide_reopening
from renewals.services.credits import credit_line
from renewals.services.orders import fulfil_order
from renewals.services.replacements import replace_dongle, transfer_dongle
from renewals.services.summaries import summarise_all
from tests import world

DAY = "2026-02-01"
LATER = "2026-06-01"
DAMAGED = (
    *("dongles_unlockcode", "dongles_smaperiod", "dongles_dongle", "dongles_replacement", "portal_auditevent"),
    "dongles_replacement_licences",
    *("renewals_revenuesegment", "renewals_orderline", "renewals_order", "renewals_bridge"),
    *("renewals_monthclose", "renewals_ledgerentry", "renewals_salefact"),
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


def check_found(statement: str, expected: dict[str, str]) -> None:
    """The damage is found by these invariants, in these words, and by no other."""
    damage(statement)
    found = findings()
    assert set(found) == set(expected), found
    for invariant, words in expected.items():
        assert any(words in sentence for sentence in found[invariant]), found

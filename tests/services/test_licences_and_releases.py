"""Withdrawn licences (C6), receipts, and releases that were sold against."""

from datetime import date

import pytest

from dongles import catalogue as catalogue_services
from dongles import services
from dongles.models import CodeReceipt, Licence, Release, UnlockCode
from dongles.unlock import receipt_of
from portal.audit import Actor
from portal.errors import DomainError
from portal.models import AuditEvent
from tests import world

pytestmark = pytest.mark.django_db


def withdraw(licence, reason="Sold off", **by):
    return services.withdraw_licence(
        licence=licence, reason=reason, **{"actor": world.SALES, "at": world.at("2026-02-02"), **by}
    )


def test_a_withdrawn_licence_is_neither_priced_nor_programmed_c6(dongle):
    withdraw(dongle.licences.first())
    order = world.sell(dongle, "2026-02-03")
    assert order.version.net == 90_000
    assert UnlockCode.objects.get().licences == [[102, 1]]
    assert AuditEvent.objects.get(action="withdraw").reason == "Sold off"


def test_withdrawn_twice_is_withdrawn_once_c6(dongle):
    licence = withdraw(dongle.licences.first())
    again = withdraw(licence, "Another reason")
    assert again.withdrawal_reason == "Sold off"
    assert AuditEvent.objects.filter(action="withdraw").count() == 1


def test_a_withdrawal_wants_a_reason_and_a_seller_c6(dongle):
    with pytest.raises(DomainError, match="withdrawal_reason_missing"):
        withdraw(dongle.licences.first(), " ")
    with pytest.raises(DomainError, match="not_allowed"):
        withdraw(dongle.licences.first(), actor=Actor.of(world.make_user("finance")))
    assert not Licence.objects.filter(withdrawn_on__isnull=False).exists()


def confirm(dongle, receipt, on="2026-02-03"):
    return services.confirm_receipt(dongle=dongle, receipt=receipt, actor=world.SALES, at=world.at(on))


def receipt(code):
    return receipt_of(code.dongle.serial, code.generation, code.sequence, code.expiry_on)


def test_a_receipt_marks_its_code_as_applied(dongle):
    world.sell(dongle, "2026-02-01")
    code = UnlockCode.objects.get()
    typed = receipt(code).lower()
    assert confirm(dongle, f"{typed[:4]}-{typed[4:]}") == code
    dongle.refresh_from_db()
    assert dongle.confirmed_expiry_on == dongle.issued_expiry_on == date(2027, 3, 31)
    confirm(dongle, typed)
    assert CodeReceipt.objects.count() == 1


def test_the_receipt_of_an_older_code_does_not_set_the_date_back(dongle):
    world.sell(dongle, "2026-02-01")
    world.sell(dongle, "2026-02-02")
    older, newer = UnlockCode.objects.order_by("pk")
    confirm(dongle, receipt(newer))
    confirm(dongle, receipt(older))
    dongle.refresh_from_db()
    assert dongle.confirmed_expiry_on == date(2028, 3, 31)
    assert CodeReceipt.objects.count() == 2


@pytest.mark.parametrize("typed", ["", "ABCDEFGH", "not a receipt!", "0" * 40])
def test_a_receipt_of_no_code_of_this_dongle_is_refused(dongle, typed):
    world.sell(dongle, "2026-02-01")
    with pytest.raises(DomainError, match="receipt_mismatch"):
        confirm(dongle, typed)
    assert not CodeReceipt.objects.exists()


def test_the_receipt_of_another_dongle_is_refused(dongle):
    other = world.make_dongle("777", dongle.customer)
    world.sell(dongle, "2026-02-01")
    world.sell(other, "2026-02-01")
    with pytest.raises(DomainError, match="receipt_mismatch"):
        confirm(other, receipt(UnlockCode.objects.get(dongle=dongle)))


def change(release, **fields):
    return catalogue_services.change_release(release=release, actor=world.SALES, at=world.at("2026-02-03"), **fields)


def test_a_release_that_was_sold_against_keeps_its_build_date(dongle):
    release = world.make_release("6.5", "2026-01-15")
    world.sell(dongle, "2026-02-01")
    for fields in ({"build_on": date(2026, 2, 15)}, {"is_major": False}):
        with pytest.raises(DomainError, match="release_sold_against"):
            change(release, **fields)
    assert Release.objects.get().build_on == date(2026, 1, 15)
    assert change(release, build_on=date(2026, 1, 15)) == release  # nothing changes


def test_a_release_that_nothing_was_sold_against_can_be_corrected(dongle):
    release = world.make_release("7.0", "2026-05-05")
    world.sell(dongle, "2026-02-01")
    assert change(release, build_on=date(2026, 5, 6)).build_on == date(2026, 5, 6)
    assert AuditEvent.objects.get(action="change").before["build_on"] == "2026-05-05"

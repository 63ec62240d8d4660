"""A dongle is replaced for nothing, where the old one comes back (Q8)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from dongles.models import Dongle, Licence, Replacement, SmaPeriod, UnlockCode
from dongles.services import withdraw_licence
from dongles.unlock import Outcome
from portal import outbox
from portal.audit import Actor
from portal.models import AuditEvent, SentMail
from renewals.models import Quote
from tests import world
from tests.services.replacements.replacing import DAY, Hardware, counts, refusal_of, replace, state_of

pytestmark = pytest.mark.django_db


def test_licences_and_paid_time_move_with_their_ids_and_the_old_one_is_retired_q8(dongle):
    licences = list(Licence.objects.values_list("pk", flat=True))
    periods = list(SmaPeriod.objects.values())
    done = replace(dongle)
    assert (done.predecessor, done.successor.serial, done.replaced_on) == (dongle, "109001", date(2026, 2, 1))
    assert list(done.successor.licences.values_list("pk", flat=True)) == licences
    assert list(done.licences.values_list("pk", flat=True)) == licences
    assert list(SmaPeriod.objects.values()) == periods
    assert (done.successor.kind, done.successor.customer, done.successor.state) == ("dongle", dongle.customer, "active")
    assert state_of(dongle) == "retired"
    assert not dongle.licences.exists()
    assert not Quote.objects.exists()


def test_the_new_dongle_accepts_its_code_which_states_everything_q8(dongle):
    done = replace(dongle)
    code = UnlockCode.objects.get()
    assert (code.dongle, code.cause, code.sequence) == (done.successor, "replacement of 104233", 1)
    new = Hardware("109001")
    assert new.apply(code) == Outcome.APPLIED
    assert (new.state.expiry_on, new.state.licences) == (date(2026, 3, 31), ((101, 1), (102, 1)))
    assert Hardware("104233").apply(code) == Outcome.WRONG_DONGLE


def test_one_that_was_handed_back_gets_no_code(dongle):
    replace(dongle)
    assert not dongle.codes.exists()


def test_its_code_is_mailed_to_the_owner(dongle):
    replace(dongle)
    outbox.drain()
    mail = SentMail.objects.get()
    assert mail.subject == "Unlock code for dongle 109001, which replaces 104233"
    assert "Volocity Visualisation, 1 seat" in mail.text
    assert "Should dongle 104233 turn up" not in mail.text


def test_a_code_of_the_old_one_that_was_not_mailed_yet_stays_unsent(dongle):
    world.sell(dongle, DAY)
    replace(dongle, on="2026-02-02")
    outbox.drain()
    subjects = list(SentMail.objects.order_by("pk").values_list("subject", flat=True))
    assert [subject for subject in subjects if "Unlock code" in subject] == [
        "Unlock code for dongle 109001, which replaces 104233"
    ]


def test_both_dongles_keep_it_in_their_history(dongle):
    done = replace(dongle)
    told = {(event.action, event.subject_id): event for event in AuditEvent.objects.filter(subject_kind="dongle")}
    old, new = told["replace", dongle.pk], told["take_over", done.successor.pk]
    assert (old.before, old.after["state"], old.after["replaced_by"]) == ({"state": "active"}, "retired", "109001")
    assert (new.after["replaces"], new.reason) == ("104233", "The plug is bent")
    assert old.after["licences"] == ["Volocity Visualisation", "Volocity Quantitation"]


def test_replaced_again_by_the_same_one_it_is_replaced_once(dongle):
    first = replace(dongle)
    before = counts()
    assert replace(dongle, "109-001") == first
    assert counts() == before


def test_a_retired_dongle_is_not_replaced_again(dongle):
    replace(dongle)
    assert refusal_of(replace, dongle, "109002").code == "dongle_not_active"


def test_the_record_of_a_replacement_only_grows(dongle):
    done = replace(dongle)
    for write in (
        lambda: Replacement.objects.update(reason="Another"),
        lambda: Replacement.objects.all().delete(),
        lambda: done.licences.clear(),
    ):
        with pytest.raises(IntegrityError, match=r"only grows|refused"), transaction.atomic():
            write()


@pytest.mark.parametrize(
    ("ends", "issued", "stated"),
    [
        (("2026-03-31", "2026-06-30"), "2026-06-30", "2026-06-30"),  # ragged: the date that it had was paid
        (("2026-03-31", "2026-06-30"), "2026-03-31", "2026-03-31"),  # never beyond what it had either
        (("2024-12-31", "2024-12-31"), "2024-12-31", "2024-12-31"),  # lapsed: no paid time is created
    ],
)
def test_ragged_and_lapsed_dongles_keep_their_date_q8(catalogue, ends, issued, stated):
    dongle = world.make_dongle(
        licences=list(zip(("VOL-VIS", "VOL-QNT"), ends, strict=True)), issued_expiry_on=date.fromisoformat(issued)
    )
    replace(dongle)
    assert UnlockCode.objects.get().expiry_on == date.fromisoformat(stated)


def test_a_dongle_that_never_had_an_sma_can_be_replaced(catalogue):
    dongle = world.make_dongle(licences=[("VOL-VIS", None)])
    replace(dongle)
    assert UnlockCode.objects.get().expiry_on == world.DAY_ONE


def test_withdrawn_licences_stay_where_they_were(dongle):
    gone, kept = Licence.objects.order_by("pk")
    withdraw_licence(licence=gone, reason="Not used", actor=world.SALES, at=world.at(DAY))
    done = replace(dongle)
    assert (list(dongle.licences.all()), list(done.successor.licences.all())) == ([gone], [kept])


def test_an_empty_dongle_on_record_can_take_the_place_and_goes_on_with_its_numbers(dongle):
    spare = world.make_dongle(
        "109001", customer=dongle.customer, licences=[], sequence=7, issued_expiry_on=date(2030, 1, 1)
    )
    replace(dongle)
    code = UnlockCode.objects.get()
    assert (code.dongle, code.sequence, code.expiry_on) == (spare, 8, date(2026, 3, 31))


def test_one_without_owner_becomes_the_owners(dongle):
    Dongle.objects.create(serial="109001")
    assert replace(dongle).successor.customer == dongle.customer


@pytest.mark.parametrize(
    "taken",
    [
        lambda dongle: world.make_dongle("109001", customer=dongle.customer),  # carries licences
        lambda dongle: world.make_dongle("109001", licences=[]),  # somebody else's
        lambda dongle: world.make_dongle("109001", customer=dongle.customer, licences=[], kind="key"),
        lambda dongle: world.make_dongle("109001", customer=dongle.customer, licences=[], state="lost"),
    ],
)
def test_a_dongle_that_is_not_free_takes_nobodys_place(dongle, taken):
    taken(dongle)
    refusal = refusal_of(replace, dongle)
    assert (refusal.code, refusal.data["field"]) == ("serial_taken", "serial")


def test_one_that_took_a_place_takes_no_other(dongle):
    other = world.make_dongle("104234", customer=dongle.customer)
    new = replace(dongle).successor
    for licence in new.licences.all():
        withdraw_licence(licence=licence, reason="Not used", actor=world.SALES, at=world.at(DAY))
    assert refusal_of(replace, other).code == "serial_taken"


def test_a_dongle_does_not_take_its_own_place(dongle):
    assert refusal_of(replace, dongle, "104 233").code == "serial_taken"


def test_other_refusals_of_a_replacement(dongle, catalogue):
    assert refusal_of(replace, dongle, "no serial!").code == "not_a_serial"
    assert refusal_of(replace, dongle, reason=" ").code == "replacement_reason_missing"
    assert refusal_of(replace, dongle, actor=Actor("Somebody", None, "finance")).code == "not_allowed"
    assert refusal_of(replace, dongle, cause="lost").code == "replacement_to_be_quoted"
    assert refusal_of(replace, world.make_dongle("104234", licences=[]), "109002").code == "no_licences"
    Dongle.objects.filter(pk=dongle.pk).update(customer=None)
    assert refusal_of(replace, dongle).code == "dongle_without_owner"


def test_not_while_an_order_waits_for_its_payment(catalogue):
    dongle = world.make_dongle(customer=world.make_customer(fulfil_on="payment"))
    order = world.sell(dongle, DAY)
    refusal = refusal_of(replace, dongle)
    assert (refusal.code, refusal.data) == ("order_waits", {"order": order.number})

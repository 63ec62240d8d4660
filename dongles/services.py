"""Writes of what is out there: unlock codes and their receipts, withdrawn licences, lost dongles and those that take
their place. The catalogue is in catalogue.py.

Each service is one transaction, or a part of its caller's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from dongles import coverage, queries
from dongles.coverage import LicenceCoverage
from dongles.keys import portal_signer, public_keys
from dongles.models import CodeReceipt, Dongle, Licence, Release, Replacement, UnlockCode
from dongles.signer import SignerRefusal
from dongles.states import next_dongle_state
from dongles.unlock import (
    Outcome,
    UnlockRecord,
    apply_bytes,
    factory_state,
    objection_to_receipt,
    read_receipt,
    receipt_of,
    to_letters,
)
from portal import audit
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError

LAST_SEQUENCE = 65535


def lock_dongle(dongle_id: int) -> Dongle:
    """The dongle's row, locked until the transaction ends: whoever numbers codes or changes coverage holds it."""
    return Dongle.objects.select_for_update().get(pk=dongle_id)


def lock_dongles(dongle_ids: Iterable[int]) -> dict[int, Dongle]:
    """Several dongles' rows, locked in the order of their ids so that nobody waits in a circle.

    By their ids alone: joined with what names them, the planner may walk through all dongles to keep the order.
    """
    return {
        dongle.pk: dongle
        for dongle in Dongle.objects.select_for_update().filter(pk__in=list(dongle_ids)).order_by("pk")
    }


def issue_unlock_code(
    *,
    dongle: Dongle,
    cause: str,
    expiry_on: date,
    licences: Sequence[tuple[Licence, LicenceCoverage]],
    actor: Actor,
    at: datetime,
    restates: bool = False,
    bridge_limit_on: date | None = None,
) -> UnlockCode:
    """Sign the code that states what the dongle carries and the date it has from now on (U1, C3).

    The caller's transaction holds the dongle's row lock. `licences` are all that it carries, with their coverage.
    One code per cause and dongle: the database refuses a second. Refuses `code_numbers_used_up`, and
    `dongle_not_active`: a lost or retired dongle gets only codes that take away, after a cancellation or without
    licences (Q8). A date beyond the least covered licence, or earlier than the present one, is a broken invariant and
    crashes; only a code that `restates` what is right, after a cancellation (Q6) or on the dongle that takes another's
    place (Q8), may lower the date or give a ragged dongle what stood before, and only a bridging code (Q7) goes beyond
    what is covered, through `bridge_limit_on`.
    """
    if dongle.state != Dongle.State.ACTIVE and licences and not restates:
        raise DomainError(
            "dongle_not_active",
            f"Dongle {dongle.serial} is {dongle.get_state_display().lower()}: it gets no code.",
            {"serial": dongle.serial},
        )
    least_covered = coverage.least_covered_on([covered for _, covered in licences])
    present = dongle.issued_expiry_on
    if not restates:
        assert present is None or expiry_on >= present, "only a code that restates lowers a dongle's date"
        limits = [day for day in (least_covered, bridge_limit_on) if day is not None]
        assert expiry_on == present or not limits or expiry_on <= max(limits), "C3: beyond what is covered"

    seats: Counter[int] = Counter()
    for licence, _ in licences:
        seats[licence.product.number] += licence.seats
    record, code_bytes = _sign(dongle, expiry_on, tuple(sorted(seats.items())), timezone.localdate(at))
    _rehearse(dongle, code_bytes)

    code = UnlockCode.objects.create(
        dongle=dongle,
        cause=cause,
        generation=record.generation,
        sequence=record.sequence,
        key_slot=record.slot,
        expiry_on=expiry_on,
        previous_expiry_on=present,
        issued_on=record.issued_on,
        issued_at=at,
        licences=[list(pair) for pair in record.licences],
        letters=to_letters(code_bytes),
    )
    dongle.sequence = record.sequence
    dongle.issued_expiry_on = expiry_on
    dongle.save(update_fields=["sequence", "issued_expiry_on"])
    return code


def _sign(
    dongle: Dongle, expiry_on: date, licences: tuple[tuple[int, int], ...], issued_on: date
) -> tuple[UnlockRecord, bytes]:
    """The record with the next free number, signed. Where the signer's log is ahead of us, its number counts."""
    sequence = dongle.sequence + 1
    while True:
        if sequence > LAST_SEQUENCE:
            raise DomainError(
                "code_numbers_used_up",
                f"Dongle {dongle.serial} has used up its code numbers: the root key has to raise its generation.",
            )
        record = UnlockRecord(
            serial=dongle.serial,
            slot=public_keys().signing_slot,
            generation=dongle.generation,
            sequence=sequence,
            expiry_on=expiry_on,
            issued_on=issued_on,
            licences=licences,
        )
        try:
            return record, portal_signer().sign(record)
        except SignerRefusal as refusal:
            if refusal.code != "number_used" or refusal.generation != dongle.generation:
                raise DomainError("signer_refused", f"The signer refuses the code: {refusal.sentence}") from None
            sequence = refusal.sequence + 1
        except OSError as error:
            raise DomainError(
                "signer_unavailable", "The signer does not answer, so no code can be issued now. Try again soon."
            ) from error


def _rehearse(dongle: Dongle, code: bytes) -> None:
    """Apply the code to a simulated dongle in the state that the real one is believed to be in; it must accept it."""
    keys = public_keys()
    believed = factory_state(dongle.serial, keys.root, keys.slots)._replace(
        generation=dongle.generation, sequence=dongle.sequence
    )
    outcome, _ = apply_bytes(believed, code)
    assert outcome == Outcome.APPLIED, f"the simulated dongle says {outcome}"


@transaction.atomic
def confirm_receipt(*, dongle: Dongle, receipt: str, actor: Actor, at: datetime) -> UnlockCode:
    """Mark the code whose receipt this is as applied (an acknowledgement, not a proof). Told again, nothing happens.

    Refuses `receipt_mismatch`: it belongs to no code of this dongle, or a letter of it is mistyped.
    """
    dongle = lock_dongle(dongle.pk)
    typed = read_receipt(receipt)
    codes = list(dongle.codes.select_related("receipt").order_by("-pk"))
    code = next((code for code in codes if _receipt_of(code, dongle) == typed), None)
    if code is None:
        objection = objection_to_receipt(receipt, [_receipt_of(code, dongle) for code in codes])
        raise DomainError(
            "receipt_mismatch",
            objection
            or f"This is not the receipt of a code for dongle {dongle.serial}. Look whether this dongle shows it.",
            {"field": "receipt"},
        )
    if hasattr(code, "receipt"):
        return code
    is_newest = not any(hasattr(other, "receipt") and other.pk > code.pk for other in codes)
    CodeReceipt.objects.create(code=code, confirmed_at=at, confirmed_by=actor.name)
    before = dongle.confirmed_expiry_on
    if is_newest:
        dongle.confirmed_expiry_on = code.expiry_on
        dongle.save(update_fields=["confirmed_expiry_on"])
    audit.record(
        actor,
        at,
        Deed("confirm_receipt", code, {"expiry_on": str(before or "")}, {"expiry_on": str(code.expiry_on)}),
    )
    return code


def _receipt_of(code: UnlockCode, dongle: Dongle) -> str:
    return receipt_of(dongle.serial, code.generation, code.sequence, code.expiry_on)


@transaction.atomic
def withdraw_licence(*, licence: Licence, reason: str, actor: Actor, at: datetime) -> Licence:
    """C6: take a licence off its dongle, with a reason; from now on it is neither priced nor programmed.

    Withdrawn again, nothing happens. Refuses `withdrawal_reason_missing`.
    """
    check_ability(actor, "sell")
    lock_dongle(licence.dongle_id)
    licence = Licence.objects.get(pk=licence.pk)
    if licence.withdrawn_on is not None:
        return licence
    if not reason.strip():
        raise DomainError("withdrawal_reason_missing", "Say why the licence is withdrawn.", {"field": "reason"})
    licence.withdrawn_on = timezone.localdate(at)
    licence.withdrawal_reason = reason.strip()
    licence.save(update_fields=["withdrawn_on", "withdrawal_reason"])
    audit.record(actor, at, Deed("withdraw", licence, {}, {"withdrawn_on": str(licence.withdrawn_on)}, reason.strip()))
    return licence


@transaction.atomic
def lose_dongle(*, dongle: Dongle, reason: str, actor: Actor, at: datetime) -> Dongle:
    """Record that a dongle is lost: nothing is sold for it until it is found (`find_dongle_again`) or replaced (Q8).

    Told again, nothing happens. Refuses `loss_reason_missing`, and `dongle_not_active` for a retired one.
    """
    check_ability(actor, "sell")
    dongle = lock_dongle(dongle.pk)
    if dongle.state == Dongle.State.LOST:
        return dongle
    if not reason.strip():
        raise DomainError("loss_reason_missing", "Say what happened to the dongle.", {"field": "reason"})
    audit.record(actor, at, _move_dongle(dongle, "lose")._replace(reason=reason.strip()))
    return dongle


@transaction.atomic
def find_dongle_again(*, dongle: Dongle, reason: str, actor: Actor, at: datetime) -> Dongle:
    """A lost dongle that was not replaced has turned up: it is active as before. Told again, nothing happens.

    Refuses `dongle_not_active` for a retired one.
    """
    check_ability(actor, "sell")
    dongle = lock_dongle(dongle.pk)
    if dongle.state == Dongle.State.ACTIVE:
        return dongle
    audit.record(actor, at, _move_dongle(dongle, "find")._replace(reason=reason.strip()))
    return dongle


def _move_dongle(dongle: Dongle, step: str) -> Deed:
    """Take a dongle through the transition table; the deed is its history row."""
    before, dongle.state = dongle.state, next_dongle_state(dongle.state, step)
    dongle.save(update_fields=["state"])
    return Deed(step, dongle, {"state": before}, {"state": dongle.state})


class Exchange(NamedTuple):
    """A replacement with the codes that it took: of the dongle that came, and of the one that may still live."""

    replacement: Replacement
    codes: Sequence[UnlockCode]


def exchange_dongle(
    *, dongle: Dongle, serial: str, cause: str, reason: str, issued_for: str, actor: Actor, at: datetime
) -> Exchange:
    """Q8: let another dongle take this one's place: licences and periods go over with their ids, this one is retired.

    The new one's code states all that was carried and the date that was paid for: a bridge (Q7) ends here. One that was
    not handed back (`lost`) may still live and gets a code without licences, so that it is empty if it turns up and the
    code is applied. The caller's transaction holds the dongle's row lock; `issued_for` is the cause of the codes.
    Refuses `not_a_serial`, `serial_taken`, `no_licences`, `dongle_not_active` and what `issue_unlock_code` refuses.
    """
    serial, today = queries.serial_in(serial), timezone.localdate(at)
    retired = _move_dongle(dongle, "retire")
    fresh = {"kind": dongle.kind, "customer_id": dongle.customer_id}
    successor, _ = Dongle.objects.get_or_create(serial=serial, defaults=fresh)
    successor = lock_dongle(successor.pk)
    queries.check_successor(dongle, serial)
    carried = [(licence, queries.coverage_of(licence)) for licence in queries.licences_of([dongle])]
    if not carried:
        raise DomainError("no_licences", f"Dongle {dongle.serial} carries no licences that could go over.")
    about: dict[str, Any] = {"cause": issued_for, "actor": actor, "at": at}
    codes = []
    if cause == Replacement.Cause.LOST:
        codes.append(issue_unlock_code(dongle=dongle, expiry_on=dongle.issued_expiry_on or today, licences=(), **about))
    successor.customer_id = dongle.customer_id
    successor.save(update_fields=["customer"])
    Licence.objects.filter(pk__in=[licence.pk for licence, _ in carried]).update(dongle=successor)
    replacement = Replacement.objects.create(
        predecessor=dongle, successor=successor, cause=cause, reason=reason, replaced_on=today
    )
    replacement.licences.add(*(licence for licence, _ in carried))
    stated = coverage.date_to_restate([covered for _, covered in carried], dongle.issued_expiry_on)
    codes.append(issue_unlock_code(dongle=successor, expiry_on=stated, licences=carried, restates=True, **about))
    went = {"licences": [str(licence.product) for licence, _ in carried], "cause": cause}
    audit.record(
        actor,
        at,
        retired._replace(action="replace", after={**retired.after, "replaced_by": serial, **went}, reason=reason),
        Deed("take_over", successor, after={"replaces": dongle.serial, **went}, reason=reason),
        *map(code_deed, codes),
    )
    return Exchange(replacement, codes)


def code_deed(code: UnlockCode) -> Deed:
    return Deed(
        "issue_code",
        code,
        {"expiry_on": str(code.previous_expiry_on or "")},
        {"expiry_on": str(code.expiry_on), "sequence": code.sequence},
    )


def mark_releases_sold_against(*, families: Iterable[str], actor: Actor, at: datetime) -> None:
    """Lock build date and major flag of the published releases that an order of this day was priced with.

    A part of the caller's transaction. Most orders find all of them locked already.
    """
    today = timezone.localdate(at)
    fresh = list(
        Release.objects.select_for_update(of=("self",))
        .filter(family__name__in=set(families), is_published=True, build_on__lte=today, sold_against_on__isnull=True)
        .order_by("pk")
    )
    if not fresh:
        return
    Release.objects.filter(pk__in=[release.pk for release in fresh]).update(sold_against_on=today)
    audit.record(
        actor, at, *(Deed("sell_against", release, after={"sold_against_on": str(today)}) for release in fresh)
    )

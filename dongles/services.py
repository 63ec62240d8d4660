"""Writes of what is out there: unlock codes and their receipts, withdrawn licences. The catalogue is in catalogue.py.

Each service is one transaction, or a part of its caller's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from dongles import coverage
from dongles.coverage import LicenceCoverage
from dongles.keys import portal_signer, public_keys
from dongles.models import CodeReceipt, Dongle, Licence, Release, UnlockCode
from dongles.signer import SignerRefusal
from dongles.unlock import Outcome, UnlockRecord, apply_bytes, factory_state, read_receipt, receipt_of, to_letters
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
    is_cancellation: bool = False,
    bridge_limit_on: date | None = None,
) -> UnlockCode:
    """Sign the code that states what the dongle carries and the date it has from now on (U1, C3).

    The caller's transaction holds the dongle's row lock. `licences` are all that it carries, with their coverage.
    One code per cause and dongle: the database refuses a second. Refuses `code_numbers_used_up`. A date beyond the
    least covered licence, or earlier than the present one, is a broken invariant and crashes; only a cancellation
    (`is_cancellation`) may lower the date or give a ragged dongle back what stood before, and only a bridging code (Q7)
    goes beyond what is covered, through `bridge_limit_on`.
    """
    least_covered = coverage.least_covered_on([covered for _, covered in licences])
    present = dongle.issued_expiry_on
    if not is_cancellation:
        assert present is None or expiry_on >= present, "only a cancellation lowers a dongle's date"
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

    Refuses `receipt_mismatch`: it belongs to no code of this dongle.
    """
    dongle = lock_dongle(dongle.pk)
    typed = read_receipt(receipt)
    codes = list(dongle.codes.select_related("receipt").order_by("-pk"))
    code = next((code for code in codes if _receipt_of(code, dongle) == typed), None)
    if code is None:
        raise DomainError(
            "receipt_mismatch",
            f"This is not the receipt of a code for dongle {dongle.serial}. It has eight letters and digits.",
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


def mark_releases_sold_against(families: Iterable[str], on: date) -> None:
    """Lock build date and major flag of the published releases that an order of this day was priced with."""
    Release.objects.filter(
        family__name__in=set(families), is_published=True, build_on__lte=on, sold_against_on__isnull=True
    ).update(sold_against_on=on)

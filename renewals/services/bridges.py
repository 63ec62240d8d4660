"""Bridging codes (rule Q7): a dongle's date moved a little past E while a purchase order is under way."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from dongles import coverage
from dongles import services as dongle_services
from dongles.models import Dongle
from portal import audit, outbox
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.wording import count, write_day
from renewals.models import Bridge, QuoteVersion
from renewals.pricing.bridging import bridge_limit
from renewals.services.orders import LockedDongle, has_changed, lock_quoted
from renewals.services.quotes import lock_version
from renewals.states import next_quote_state


@transaction.atomic
def grant_bridge(
    *,
    version: QuoteVersion,
    until: date,
    reason: str,
    actor: Actor,
    at: datetime,
    dongle_ids: Collection[int] | None = None,
) -> list[Bridge]:
    """Q7: give dongles of a sent quote, all of them unless named, a code with a date a little past their E.

    It is no SMA period and no revenue. The quote stays valid through the bridge at least. Granted again with the same
    day and reason, the same bridges are returned. Refuses what the quote's state refuses (`quote_not_sent`,
    `quote_accepted`, `quote_declined`, `quote_superseded`), `quote_expired`, `bridge_reason_missing`,
    `dongle_not_active`, `dongle_changed`, `bridge_lapsed`, `bridge_given` (one for each E), `bridge_too_short` (not
    after E, today and the dongle's date) and `bridge_too_long` (more than `bridge_days` past E, or past T).
    """
    check_ability(actor, "sell")
    version = lock_version(version).version
    dongles = lock_quoted(version)
    chosen = [each for each in dongles if dongle_ids is None or each.dongle.pk in dongle_ids]
    assert chosen, "no dongle of the quote was named"
    assert dongle_ids is None or len(chosen) == len(set(dongle_ids)), "a dongle was named that is not in the quote"
    reason, today = reason.strip(), timezone.localdate(at)
    same = Bridge.objects.filter(
        version=version, dongle__in=[each.dongle for each in chosen], ends_on=until, reason=reason
    )
    if len(given := list(same.order_by("dongle_id"))) == len(chosen):
        return given
    _check_orderable(version, today)
    if not reason:
        raise DomainError("bridge_reason_missing", "Say why the dongle gets a bridge.", {"field": "reason"})
    _check_dongles(version, dongles, chosen, until, today)
    return _grant(version, chosen, until, reason, actor, at)


def _check_orderable(version: QuoteVersion, today: date) -> None:
    """The quote can be ordered still: it is sent and its last valid day not over."""
    next_quote_state(version.state, "accept")
    assert version.valid_until is not None
    if today > version.valid_until:
        raise DomainError("quote_expired", f"This quote was valid until {write_day(version.valid_until)}.")


def _check_dongles(
    version: QuoteVersion, dongles: Sequence[LockedDongle], chosen: Sequence[LockedDongle], until: date, today: date
) -> None:
    for each in chosen:
        if each.dongle.state != Dongle.State.ACTIVE:
            raise DomainError("dongle_not_active", f"Dongle {each.dongle.serial} is {each.dongle.state}.")
    if has_changed(dongles, version):
        raise DomainError(
            "dongle_changed",
            "A dongle's licences or coverage have changed since this quote, or another order for it is on its way."
            " Make a new version first.",
        )
    for each in chosen:
        _check_not_lapsed(each, version, today)
    for each in chosen:
        _check_once(each)
        _check_length(each, version, until, today)


def _check_not_lapsed(each: LockedDongle, version: QuoteVersion, today: date) -> None:
    """Q7: there is an E to start from, and no licence is lapsed today."""
    ends = [coverage.covered_through(covered) for _, covered in each.carried]
    if each.quoted.paid_through is None or any(
        coverage.is_lapsed(end, today, version.policy.grace_days) for end in ends
    ):
        raise DomainError(
            "bridge_lapsed",
            f"Dongle {each.dongle.serial} has no SMA that runs: a bridge only continues one for a few days.",
        )


def _check_once(each: LockedDongle) -> None:
    assert each.quoted.paid_through is not None
    given = Bridge.objects.filter(dongle=each.dongle, paid_through=each.quoted.paid_through)
    if bridge := given.select_related("version__quote").first():
        raise DomainError(
            "bridge_given",
            f"Dongle {each.dongle.serial} has had its bridge for this renewal already: through"
            f" {write_day(bridge.ends_on)}, for quote {bridge.version.quote.number}.",
            {"dongle": each.dongle.serial, "quote": bridge.version.quote.number},
        )


def _check_length(each: LockedDongle, version: QuoteVersion, until: date, today: date) -> None:
    paid_through, present = each.quoted.paid_through, each.dongle.issued_expiry_on
    assert paid_through is not None
    limit = bridge_limit(paid_through, each.quoted.covered_through, version.policy.bridge_days)
    if until > limit:
        raise DomainError(
            "bridge_too_long",
            f"Dongle {each.dongle.serial} is paid through {write_day(paid_through)}: a bridge may last through"
            f" {write_day(limit)} at most.",
            {"field": "until", "limit": limit.isoformat()},
        )
    floor = max(paid_through, today, present or paid_through)
    if until <= floor:
        raise DomainError(
            "bridge_too_short",
            f"A bridge of dongle {each.dongle.serial} has to last beyond {write_day(floor)}.",
            {"field": "until"},
        )


def _grant(
    version: QuoteVersion, chosen: Sequence[LockedDongle], until: date, reason: str, actor: Actor, at: datetime
) -> list[Bridge]:
    bridges, deeds = [], []
    for each in chosen:
        paid_through = each.quoted.paid_through
        assert paid_through is not None
        code = dongle_services.issue_unlock_code(
            dongle=each.dongle,
            cause=f"bridge of quote {version.quote.number} version {version.number}",
            expiry_on=until,
            licences=each.carried,
            actor=actor,
            at=at,
            bridge_limit_on=bridge_limit(paid_through, each.quoted.covered_through, version.policy.bridge_days),
        )
        deeds.append(dongle_services.code_deed(code))
        bridges.append(
            Bridge.objects.create(
                version=version,
                dongle=each.dongle,
                paid_through=paid_through,
                ends_on=until,
                reason=reason,
                code=code,
                granted_by_id=actor.user_id,
                granted_on=timezone.localdate(at),
            )
        )
    before = version.valid_until
    assert before is not None
    version.valid_until = max(before, until)
    version.save(update_fields=["valid_until"])
    bridged = Deed(
        "bridge",
        version,
        {"valid_until": str(before)},
        {
            "valid_until": str(version.valid_until),
            "ends_on": str(until),
            "dongles": [each.dongle.serial for each in chosen],
        },
        f"{count(len(chosen), 'dongle')} through {write_day(until)}: {reason}",
    )
    audit.record(actor, at, bridged, *deeds)
    outbox.post("bridge_issued", [{"version": version.pk, "codes": [bridge.code_id for bridge in bridges]}], at=at)
    return bridges

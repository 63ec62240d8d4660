"""P2: the day through which everything is to be covered."""

from datetime import date

from dongles.terms import ONE_DAY, term_end
from portal.errors import DomainError
from portal.wording import write_day
from renewals.pricing.refusals import refuse_early_alignment
from renewals.pricing.terms import Policy, Request

FURTHEST_MONTHS = 120


def target_candidates(
    policy: Policy, request: Request, paid_through: date | None, *, any_lapsed: bool, upgrade_due: bool
) -> list[tuple[str, date]]:
    """P2: what T must at least reach, each with its reason: `paid_through`, `renewal`, `twelve_months`, `upgrade`."""
    found = []
    if paid_through is not None:
        found.append(("paid_through", paid_through))
    if request.renew_years:
        from_on = request.on if paid_through is None else paid_through + ONE_DAY
        found.append(("renewal", term_end(from_on, 12 * request.renew_years)))
    if request.added or any_lapsed:
        found.append(("twelve_months", term_end(request.on, 12)))
    if upgrade_due and policy.upgrade_includes_months:
        found.append(("upgrade", term_end(request.on, policy.upgrade_includes_months)))
    return found


def target(policy: Policy, request: Request, paid_through: date | None, *, any_lapsed: bool, upgrade_due: bool) -> date:
    """P2: T, the latest of the candidates, or the alignment date where it is not too early for any of them.

    Refuses `align_too_early` and `too_far_ahead`.
    """
    candidates = target_candidates(policy, request, paid_through, any_lapsed=any_lapsed, upgrade_due=upgrade_due)
    latest = max((day for _, day in candidates), default=request.on)
    align_to = request.align_to
    if align_to is not None:
        earliest = max(latest, request.on)
        if paid_through is not None and align_to > paid_through:
            shortest = term_end(max(paid_through + ONE_DAY, request.on), policy.align_min_months)
            if align_to < shortest:
                refuse_early_alignment(align_to, max(earliest, shortest))
        if align_to < earliest:
            refuse_early_alignment(align_to, earliest)
        latest = align_to
    check_not_too_far(latest, request.on)
    return latest


def check_not_too_far(day: date, on: date) -> None:
    """P2: refuse `too_far_ahead`."""
    if day > term_end(on, FURTHEST_MONTHS):
        raise DomainError(
            "too_far_ahead",
            f"{write_day(day)} is more than ten years ahead: no unlock code could state it.",
            {"field": "align_to"},
        )

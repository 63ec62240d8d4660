"""A price in words that a person can check by hand: each step's arithmetic, what each licence has and lacks, and why
everything ends on that day. Pure; made when asked for, never while pricing.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction

from dongles.coverage import LicenceCoverage, Release, covered_through, is_lapsed
from dongles.terms import ONE_DAY, months_in
from portal.wording import count, write_day, write_figure, write_months, write_rate
from renewals.pricing.target import target_candidates
from renewals.pricing.terms import Policy, PricedDongle, Request, Step


def explain_steps(steps: Iterable[Step], currency: str) -> list[str]:
    """The steps in words and figures, each with its rule: “P3  1,200.00 × 1 seat × (8 + 5/31) ÷ 12 = 816.13”."""
    return [f"{step.rule}  {explain_step(step, currency)}" for step in steps]


def explain_step(step: Step, currency: str) -> str:
    """One step without its rule."""

    def money(amount: int) -> str:
        return write_figure(amount, currency)

    inputs, result = step.inputs, money(step.result)
    match step.what:
        case "exact" | "whole" | "back_pay_exact" | "back_pay_whole":
            sma_year, number, *months = inputs
            what = "back pay: " if step.what.startswith("back_pay") else ""
            factor = length(months, step.what.endswith("whole"))
            return f"{what}{money(sma_year)} × {seats(number)} × {factor} ÷ 12 = {result}"
        case "back_pay_cap":
            upgrade, sma_year, months_included, number = inputs
            return (
                f"at most ({money(upgrade)} − {money(sma_year)} × {months_included} ÷ 12) × {seats(number)} = {result}"
            )
        case "reinstatement_fee":
            sma_year, number, numerator, denominator = inputs
            rate = write_rate(Fraction(numerator, denominator))
            return f"reinstatement fee: {rate} of {money(sma_year)} × {seats(number)} = {result}"
        case "licence":
            price, number = inputs
            return f"{money(price)} × {seats(number)} = {result}, 12 months of SMA included"
        case "licence_again":
            price, number = inputs
            return f"{money(price)} × {seats(number)} = {result}, the licence again, without SMA"
        case "replacement_fee":
            return f"1 dongle replaced: {result}"
        case "upgrade":
            price, number, times = inputs
            missed = f" × {times} major releases missed" if times > 1 else ""
            return f"{money(price)} × {seats(number)}{missed} = {result}"
        case "upgrade_cap":
            price, number, numerator, denominator = inputs
            rate = write_rate(Fraction(numerator, denominator))
            return f"at most {rate} of the licence, {money(price)} × {seats(number)}: {result}"
        case "upgrade_floor":
            sma_year, number, months_included = inputs
            return (
                f"but not below the SMA that it includes, {money(sma_year)} × {seats(number)} × {months_included} ÷ 12"
                f" = {result}"
            )
        case "free_months":
            return f"{count(inputs[0], 'month')} more, free"
        case "multi_year" | "negotiated":
            amount, numerator, denominator = inputs
            rate = write_rate(Fraction(numerator, denominator))
            return f"{DISCOUNTS[step.what]} discount: {rate} of {money(amount)} = {result}"
        case _:
            raise ValueError(f"There is no step {step.what!r}.")


DISCOUNTS = {"multi_year": "multi-year", "negotiated": "negotiated"}


def seats(number: int) -> str:
    return "1 seat" if number == 1 else f"{number} seats"


def length(months: list[int], is_whole: bool) -> str:
    """D2's triple as a factor: “12”, “(8 + 5/31)”, or “9 (a month begun counts)”."""
    whole, days, of = months
    if not days:
        return str(whole)
    return f"{whole + 1} (a month begun counts)" if is_whole else f"({whole} + {days}/{of})"


def explain_licence(
    licence: LicenceCoverage, missed: Sequence[Release], on: date, grace_days: int, until: date
) -> list[str]:
    """What a licence of the dongle has on the day of the request (C4), what it missed (C5), what it lacks to T (P2)."""
    through = covered_through(licence)
    gone = is_lapsed(through, on, grace_days)
    has = f"covered through {write_day(through)}" if licence.periods else f"without SMA since {write_day(through)}"
    if gone:
        has += ", lapsed"
    elif through < on:
        has += ", within the days of grace"
    sentences = [f"C4  {has}"]
    if missed:
        sentences.append(
            "C5  missed " + ", ".join(f"{each.version} (built {write_day(each.build_on)})" for each in missed)
        )
    elif gone:
        sentences.append("C5  no major release was missed")
    since = on if gone else through + ONE_DAY
    if since > until:
        return [*sentences, f"P2  lacks nothing to {write_day(until)}"]
    length = write_months(months_in(since, until))
    return [*sentences, f"P2  lacks {write_day(since)} to {write_day(until)}: {length}"]


def explain_target(
    policy: Policy, licences: Iterable[LicenceCoverage], request: Request, priced: PricedDongle
) -> list[str]:
    """P2: the days that T may not be earlier than, each with its reason, and which of them decided."""
    candidates = target_candidates(
        policy,
        request,
        priced.paid_through,
        any_lapsed=any(is_lapsed(covered_through(each), request.on, policy.grace_days) for each in licences),
        upgrade_due=bool(priced.missed_majors) and not request.waives_upgrades,
    )
    if request.align_to is not None:
        candidates.append(("alignment", request.align_to))
    years = count(request.renew_years or 0, "year")
    reasons = {
        "paid_through": "paid through already",
        "renewal": f"{years} more" if priced.paid_through else f"{years} from the day of the request",
        "twelve_months": "twelve months for what is added or comes back",
        "upgrade": f"{count(policy.upgrade_includes_months, 'month')} that an upgrade includes",
        "alignment": "the date asked for",
    }
    decided = max(day for _, day in candidates)
    sentences = [
        f"P2  {write_day(day)}: {reasons[reason]}" + (", which decides" if day == decided else "")
        for reason, day in candidates
    ]
    if request.free_months:
        sentences.append(f"Q3  {write_day(priced.covered_through)}: {count(request.free_months, 'month')} more, free")
    return sentences

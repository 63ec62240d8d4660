"""Each step's arithmetic as a line that a person can check by hand. Pure; made when asked for, never while pricing."""

from collections.abc import Iterable
from fractions import Fraction

from portal.wording import write_figure, write_rate
from renewals.pricing.terms import Step


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

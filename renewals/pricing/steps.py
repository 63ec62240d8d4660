"""The steps of a line as JSON, as sold lines keep them."""

from collections.abc import Sequence
from typing import Any

from renewals.pricing.terms import Line, Step


def steps_as_json(line: Line) -> list[dict[str, Any]]:
    """The steps of the line's arithmetic, then a step for each discount."""
    amount = line.list
    steps = [step._asdict() | {"inputs": list(step.inputs)} for step in line.steps]
    for discount in line.discounts:
        rate = discount.rate
        step = Step("P8", discount.reason, (amount, rate.numerator, rate.denominator), discount.amount)
        steps.append(step._asdict() | {"inputs": list(step.inputs)})
        amount += discount.amount
    return steps


def steps_from_json(values: Sequence[dict[str, Any]]) -> tuple[Step, ...]:
    """The steps that `steps_as_json` wrote."""
    return tuple(Step(value["rule"], value["what"], tuple(value["inputs"]), value["result"]) for value in values)

"""Q3: months that are given on top of what was bought."""

from collections.abc import Sequence
from datetime import date

from dongles.coverage import LicenceCoverage
from dongles.terms import ONE_DAY, Months, term_end
from renewals.pricing.refusals import MOST_FREE_MONTHS
from renewals.pricing.target import check_not_too_far
from renewals.pricing.terms import Line, Request, Step


def with_free_months(
    lines: Sequence[Line], licences: Sequence[LicenceCoverage], request: Request, until: date
) -> tuple[list[Line], date]:
    """Q3: all licences go on for the free months after T, which is moved: in their last line with dates, at its price.

    One that was covered to T already gets a line for nothing. Refuses `too_far_ahead`.
    """
    months = request.free_months
    assert 0 < months <= MOST_FREE_MONTHS
    later = term_end(until + ONE_DAY, months)
    check_not_too_far(later, request.on)
    step = Step("Q3", "free_months", (months,), 0)
    products = [(each.product, each.seats) for each in licences] + [
        (each.product, each.seats) for each in request.added
    ]
    given: list[Line] = []
    for index, (product, seats) in enumerate(products):
        its_lines = [line for line in lines if line.licence == index]
        last = next((line for line in reversed(its_lines) if line.ends_on), None)
        if last is None:
            its_lines.append(_gift(index, product, seats, until + ONE_DAY, later, months, step))
        else:
            extended = last._replace(ends_on=later, rules=(*last.rules, "Q3"), steps=(*last.steps, step))
            its_lines = [extended if line is last else line for line in its_lines]
        given += its_lines
    return given, later


def _gift(index: int, product: str, seats: int, starts_on: date, ends_on: date, months: int, step: Step) -> Line:
    length = Months(months, 0, 0)
    return Line("sma_part", index, product, seats, starts_on, ends_on, length, 0, (), 0, ("Q3", "P3"), (step,))

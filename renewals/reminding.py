"""When a customer is reminded of a dongle's SMA: some days before its end, and some after. Pure.

A stage is due from its day on for a week, so that days on which nothing ran are caught up and nobody is reminded long
after. No two stages are due on one day.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from portal.wording import count

STAGES = (-90, -60, -30, -7, 1, 30)  # days after the last day of the SMA
MOST_DAYS_LATE = 7


class Span(NamedTuple):
    """Days from the first to the last, both included."""

    first: date
    last: date


class Coming(NamedTuple):
    """A stage and the day on which it comes."""

    on: date
    stage: int


def stage_due(ends_on: date, on: date) -> int | None:
    """The stage that is due on a day for an SMA that ends then; none where no stage has come within the last week."""
    days = (on - ends_on).days
    return next((stage for stage in STAGES if 0 <= days - stage <= MOST_DAYS_LATE), None)


def ends_with_a_stage_due(on: date) -> Sequence[Span]:
    """The last days of the SMAs for which a stage is due on a day."""
    return [Span(on - timedelta(days=stage + MOST_DAYS_LATE), on - timedelta(days=stage)) for stage in STAGES]


def ends_with_a_stage_coming(span: Span) -> Sequence[Span]:
    """The last days of the SMAs for which a stage comes within some days."""
    return [Span(span.first - timedelta(days=stage), span.last - timedelta(days=stage)) for stage in STAGES]


def stages_coming(ends_on: date, span: Span) -> Sequence[Coming]:
    """The stages that come within some days for an SMA that ends then, the soonest first."""
    days = [Coming(ends_on + timedelta(days=stage), stage) for stage in STAGES]
    return [coming for coming in days if span.first <= coming.on <= span.last]


def stage_in_words(stage: int) -> str:
    """“30 days before the end”, “1 day after the end”."""
    return f"{count(abs(stage), 'day')} {'before' if stage < 0 else 'after'} the end"

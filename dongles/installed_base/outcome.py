"""What a check or an import came to, as its page tells it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dongles.installed_base.faults import CAUSES, Fault
from dongles.installed_base.plans import Plan
from dongles.installed_base.rows import ReadRows
from dongles.installed_base.sheets import Table
from dongles.installed_base.writing import Made
from portal.wording import count, write_day

SHOWN_ROWS, SHOWN_SENTENCES, SHOWN_SERIALS = 200, 5, 20
FIRST = {"day": "the day first", "month": "the month first"}


class Outcome(NamedTuple):
    """What was read, planned and made. With faults nothing was."""

    table: Table
    read: ReadRows
    plan: Plan
    faults: Sequence[Fault]
    made: Made


def told_outcome(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON, for the job's result."""
    return {
        "rows": len(outcome.table.rows),
        "sheet": outcome.table.sheet,
        "made": outcome.made._asdict(),
        "is_empty": not any(outcome.made),
        "unchanged": outcome.plan.unchanged,
        "notices": list(_notices(outcome)),
        "fault_count": len(outcome.faults),
        "fault_rows": len({fault.row for fault in outcome.faults}),
        "groups": faults_by_cause(outcome.faults),
    }


def faults_by_cause(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The faults cause by cause, the most frequent first, each with its rows and some of its sentences."""
    by_code: dict[str, list[Fault]] = {}
    for fault in faults:
        by_code.setdefault(fault.code, []).append(fault)
    groups = []
    for code, found in sorted(by_code.items(), key=lambda pair: -len(pair[1])):
        rows = sorted({fault.row for fault in found})
        sentences = list(dict.fromkeys(fault.sentence for fault in found))
        groups.append(
            {
                "code": code,
                "title": CAUSES[code].title,
                "remedy": CAUSES[code].remedy,
                "count": len(found),
                "rows": rows[:SHOWN_ROWS],
                "more_rows": max(len(rows) - SHOWN_ROWS, 0),
                "sentences": sentences[:SHOWN_SENTENCES],
                "other_sentences": max(len(sentences) - SHOWN_SENTENCES, 0),
            }
        )
    return groups


def _notices(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """What is taken as it is and worth a look: how dates were read, and dongles that somebody has to mend later."""
    table, read, plan = outcome.table, outcome.read, outcome.plan
    if plan.days:
        first, last = plan.days
        yield {"sentence": f"The dates lie between {write_day(first)} and {write_day(last)}."}
    if table.counts_from_1904:
        yield {"sentence": "This workbook counts days from 1904, as old Macintosh ones do, and was read so."}
    if read.order and read.order_by:
        yield {"sentence": f"Dates with slashes were read with {FIRST[read.order]}, as {read.order_by} shows."}
    if table.formulas:
        cells = f"{table.formulas:,} cells hold" if table.formulas > 1 else "One cell holds"
        yield {"sentence": f"{cells} a formula: the value that the workbook was saved with was taken."}
    flags = plan.flags
    for serials, what in (
        (flags.ragged, "with licences covered through different days; the next quote mends them"),
        (flags.without_periods, "with a licence that has never had an SMA"),
        (flags.without_owner, "without an owner"),
    ):
        if serials:
            yield {
                "sentence": f"{count(len(serials), 'dongle')} {what}:",
                "serials": list(serials[:SHOWN_SERIALS]),
                "others": max(len(serials) - SHOWN_SERIALS, 0),
            }
    if rows := flags.contacts_without_email:
        some = ", ".join(map(str, rows[:SHOWN_SERIALS])) + (" …" if len(rows) > SHOWN_SERIALS else "")
        yield {"sentence": f"Contacts without an e-mail address get no mail, in {count(len(rows), 'row')}: {some}."}

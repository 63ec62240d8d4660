"""The import of an installed base: a file comes in, its columns are chosen, it is checked, it is imported.

Checking and importing are one piece of work, done as a job: `carry_out` in a transaction that a check takes back at its
end. All or nothing: with a single fault nothing is written.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from dongles.installed_base import heads, record, returned, rows
from dongles.installed_base.fields import BY_NAME, REQUIRED
from dongles.installed_base.outcome import Outcome, told_outcome
from dongles.installed_base.planning import plan_import
from dongles.installed_base.rows import Choices
from dongles.installed_base.sheets import MOST_BYTES, PREVIEWED_ROWS, Table, read_table, too_large
from dongles.installed_base.values import AT_FILE
from dongles.installed_base.writing import Made, write_plan
from dongles.models import ColumnChoice, Import
from portal import audit, jobs
from portal.access import check_ability
from portal.audit import Actor, Deed
from portal.errors import DomainError
from portal.models import Job

KIND = "import_installed_base"  # of the job
ABILITY = "keep_catalogue"
ONE_AT_A_TIME = 4_104_233  # the advisory lock that an import holds
KEPT_FOR = timedelta(days=30)
LONGEST_NAME = 200
# What shares of the time the stages take, as measured with 50,000 rows.
READ, PLANNED = 0.15, 0.3


# Files and their columns


@transaction.atomic
def keep_file(*, name: str, content: bytes, actor: Actor, at: datetime) -> Import:
    """Keep a file that is to be imported, for 30 days. Refuses what can't be read as a table (sheets.read_table), and
    `import_without_heads` where no row names serials and products."""
    check_ability(actor, ABILITY)
    if len(content) > MOST_BYTES:
        raise too_large()
    table = read_table(content, most_rows=PREVIEWED_ROWS)
    if heads.fit_of(table.heads) == 0:
        raise DomainError(
            "import_without_heads",
            "No row of this file has heads like “Serial number” and “Product”. Write a row of heads above the table.",
            AT_FILE,
        )
    Import.objects.filter(uploaded_at__lt=at - KEPT_FOR).update(content=b"")
    imported = Import.objects.create(
        name=name[-LONGEST_NAME:],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        sheet=table.sheet,
        uploaded_by_id=actor.user_id,
        uploaded_at=at,
    )
    after = {"name": imported.name, "sha256": imported.sha256, "sheet": imported.sheet}
    audit.record(actor, at, Deed("upload", imported, after=after))
    return imported


def content_of(imported: Import) -> bytes:
    """The file; refuses `import_file_gone` once it was imported or 30 days old."""
    content = bytes(imported.content)
    if not content:
        raise DomainError("import_file_gone", "This file is not kept any more. Choose it again.", AT_FILE)
    return content


def preview_of(imported: Import, sheet: str = "") -> Table:
    """The first rows of the file."""
    return read_table(content_of(imported), sheet=sheet or imported.sheet, most_rows=PREVIEWED_ROWS)


def suggested_choices(imported: Import, table: Table) -> Choices:
    """The columns as chosen for this file, else as remembered for its heads, else as its heads say."""
    if imported.choices and imported.sheet == table.sheet:
        return Choices(**imported.choices)
    remembered = ColumnChoice.objects.filter(key=heads.key_of(table.heads)).first()
    if remembered is None:
        return Choices(heads.guess_columns(table.heads))
    return Choices(heads.columns_of(remembered.columns, table.heads), **remembered.others)


@transaction.atomic
def choose_columns(*, imported: Import, sheet: str, choices: Choices, actor: Actor, at: datetime) -> Import:
    """Say which column holds what, and remember it for the next file with these heads.

    Refuses `import_columns_missing` (serial and product need one) and `import_column_twice`.
    """
    check_ability(actor, ABILITY)
    table = preview_of(imported, sheet)
    for name in REQUIRED:
        if name not in choices.columns:
            label = BY_NAME[name].label
            raise DomainError("import_columns_missing", f"Choose the column with the {label.lower()}.", {"field": name})
    if not {"acquired_on", "sma_starts_on"} & choices.columns.keys():
        raise DomainError(
            "import_columns_missing",
            "Choose the column with the day on which licences were acquired, or the one with the start of the SMA.",
            {"field": "acquired_on"},
        )
    used: dict[int, str] = {}
    for name, index in choices.columns.items():
        if index in used:
            raise DomainError(
                "import_column_twice",
                f"The column “{table.heads[index]}” is chosen for {BY_NAME[used[index]].label} already.",
                {"field": name},
            )
        used[index] = name
    imported.sheet, imported.choices = table.sheet, choices._asdict()
    imported.save(update_fields=["sheet", "choices"])
    told = {BY_NAME[name].label: table.heads[index] for name, index in choices.columns.items()}
    audit.record(actor, at, Deed("choose_columns", imported, after={"sheet": table.sheet, "choices": told}))
    others = {name: value for name, value in choices._asdict().items() if name != "columns"}
    ColumnChoice.objects.update_or_create(
        key=heads.key_of(table.heads),
        defaults={"columns": heads.columns_by_head(choices.columns, table.heads), "others": others, "used_at": at},
    )
    return imported


# Checking and importing


def start_check(*, imported: Import, actor: Actor, at: datetime) -> Job:
    """Check the file: everything that an import does, taken back at its end."""
    return _start(imported, actor, at, is_check=True)


def start_import(*, imported: Import, actor: Actor, at: datetime) -> Job:
    """Import the file. Refuses `import_done` (its job leads there)."""
    if imported.imported_at is not None:
        raise DomainError("import_done", "This file is imported already.")
    return _start(imported, actor, at, is_check=False)


def _start(imported: Import, actor: Actor, at: datetime, *, is_check: bool) -> Job:
    check_ability(actor, ABILITY)
    content_of(imported)
    if known := _open_job(imported, is_check):
        return known
    title = f"Check {imported.name}" if is_check else f"Import {imported.name}"
    params = {"import": imported.pk, "is_check": is_check, "actor": list(actor)}
    return jobs.start_job(kind=KIND, title=title[:200], params=params, actor=actor, at=at)


def _open_job(imported: Import, is_check: bool) -> Job | None:
    """The job that does this already: whoever clicks twice is led there."""
    asked = {"import": imported.pk, "is_check": is_check}
    return Job.objects.filter(kind=KIND, params__contains=asked, state__in=("waiting", "running")).first()


def work(job: Job, tell: jobs.Tell) -> jobs.Step:
    """The work of a check or an import, in one slice: it is one transaction. An import with faults is refused
    (`import_has_faults`), a check hands back the workbook with its faults."""
    imported = Import.objects.select_for_update().get(pk=job.params["import"])
    is_check, actor = job.params["is_check"], Actor(*job.params["actor"])
    if imported.imported_at is not None and not is_check:
        return jobs.Step(job.done, job.total, None)
    outcome = carry_out(imported=imported, is_check=is_check, actor=actor, at=timezone.now(), tell=tell)
    if outcome.faults and not is_check:
        raise DomainError(
            "import_has_faults",
            "Since it was checked something on record has changed, and rows have faults now. Nothing was written: check"
            " the file once more.",
        )
    total = len(outcome.table.rows)
    files = []
    if outcome.faults:
        content = returned.workbook_with_faults(outcome.table, imported.choices["columns"], outcome.faults)
        files.append(name_of_returned(imported))
        job.files.filter(name=files[0]).delete()
        jobs.append_to_file(job, files[0], content)
    return jobs.Step(total, total, None, {**told_outcome(outcome), "files": files})


def name_of_returned(imported: Import) -> str:
    """What the workbook with the faults is called."""
    stem = imported.name.rpartition(".")[0] or imported.name
    return f"{stem[:80].replace('/', '_')} - what to mend.xlsx"


def _say_nothing(done: int, total: int | None = None) -> None:
    pass


def carry_out(
    *, imported: Import, is_check: bool, actor: Actor, at: datetime, tell: jobs.Tell = _say_nothing
) -> Outcome:
    """Read, compare, write; a check takes everything back. One import writes at a time, another waits for it.

    With faults nothing is written. Refuses `import_overtaken` where somebody else has made one of its dongles
    meanwhile.
    """
    try:
        with transaction.atomic():
            outcome = _carry_out(imported, actor, at, tell, is_check=is_check)
            if is_check:
                transaction.set_rollback(True)
    except IntegrityError:
        raise DomainError(
            "import_overtaken",
            "Somebody else has put one of these dongles on record meanwhile. Nothing was written: check the file"
            " once more.",
        ) from None
    return outcome


def _carry_out(imported: Import, actor: Actor, at: datetime, tell: jobs.Tell, *, is_check: bool) -> Outcome:
    choices = Choices(**imported.choices)
    tell(0)
    table = read_table(content_of(imported), sheet=imported.sheet, tell=lambda _: tell(0))
    total = len(table.rows)
    stage = _stages(tell, total)
    read = rows.read_rows(table, choices, record.products_by_word(), stage(READ, PLANNED, total))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
    plan = plan_import(read.rows, record.record_for(read.rows, is_locked=not is_check), choices)
    faults = sorted([*read.faults, *plan.faults], key=lambda fault: fault.row)
    if faults:
        return Outcome(table, read, plan, faults, Made())
    made = write_plan(plan, source=imported.name, actor=actor, at=at, tell=stage(PLANNED, 1, len(plan.dongles)))
    Import.objects.filter(pk=imported.pk).update(imported_at=at, content=b"")
    if any(made):
        after = {"file": imported.name, "sha256": imported.sha256, **made._asdict()}
        audit.record(actor, at, Deed("import", imported, after=after))
    return Outcome(table, read, plan, faults, made)


def _stages(tell: jobs.Tell, total: int) -> Callable[[float, float, int], Callable[[int], None]]:
    """Tells how far the whole is, in rows, from how far a stage is that takes its share of the time."""

    def stage(begins: float, ends: float, items: int) -> Callable[[int], None]:
        def told(done: int) -> None:
            tell(round(total * (begins + (ends - begins) * done / max(items, 1))), total)

        return told

    return stage

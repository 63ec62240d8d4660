"""The reports as pages and as files: one view for all of them."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import sheets
from portal.access import staff_page
from portal.web import attempt
from portal.web.files import csv_file, xlsx_file
from portal.wording import write_day
from renewals.forms.finance import ReportForm
from renewals.overviews.finance import REPORTS
from renewals.overviews.finance.converted import read_report
from renewals.overviews.finance.filters import REPORTING, ReportFilters
from renewals.overviews.finance.reports import (
    DEFINITIONS_VERSION,
    NUMBERS,
    Cell,
    Column,
    Figure,
    Report,
    ReportKind,
    Section,
    Table,
)


@require_GET
@staff_page()
def finance_home(request: HttpRequest) -> HttpResponse:
    """Where finance begins: the first of the reports."""
    return report_page(request, next(iter(REPORTS)))


@require_GET
@staff_page()
def report_page(request: HttpRequest, key: str) -> HttpResponse:
    """A report with its tables, pictures and definitions."""
    kind, today = _kind(key), timezone.localdate()
    form = ReportForm(request.GET, today=today, kind=kind)
    filters = _of_one_currency(form.filters, form, kind)
    report = attempt(form, read_report, kind, filters, today)
    if filters != form.filters and report is not None and all(section.is_blank for section in report.sections):
        filters = form.filters
        report = read_report(kind, filters, today)
    shown = report or read_report(kind, filters._replace(currency=""), today)
    context = {
        "rates_missing": report is None,
        "kind": kind,
        "kinds": REPORTS.values(),
        "form": form,
        "filters": filters,
        "filters_in_words": form.in_words,
        "currencies": _offered(form, kind),
        "report": shown,
        "sections": [section for section in shown.sections if not section.is_blank],
        "blank": [section.currency for section in shown.sections if section.is_blank and section.currency],
        "opened": _opened(shown),
        "definitions_version": DEFINITIONS_VERSION,
    }
    if kind.beside:
        context |= kind.beside(filters, today)
    return render(request, kind.template, context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def report_csv(request: HttpRequest, key: str, table: str) -> HttpResponse | StreamingHttpResponse:
    """A table of a report as CSV, of all currencies one below the other."""
    kind, today = _kind(key), timezone.localdate()
    form = ReportForm(request.GET, today=today, kind=kind)
    if not form.is_valid():
        return _to_page(request, key)
    found = dict(_tables(read_report(kind, form.filters, today))).get(table)
    if found is None:
        raise Http404
    return csv_file(sheets.csv_lines(_heads(found), _rows(found)), f"{key}-{table}-{today.isoformat()}")


@require_GET
@staff_page()
def report_xlsx(request: HttpRequest, key: str) -> HttpResponse:
    """A report as XLSX: a sheet for each table, and one with filters, notes and definitions."""
    kind, today = _kind(key), timezone.localdate()
    form = ReportForm(request.GET, today=today, kind=kind)
    if not form.is_valid():
        return _to_page(request, key)
    report = read_report(kind, form.filters, today)
    tables = [(found[0][1].caption, _heads(found), _rows(found)) for _, found in _tables(report)]
    content = sheets.workbook_of(tables, _notes(kind, report, form, today))
    return xlsx_file(content, f"{key}-{today.isoformat()}")


def _offered(form: ReportForm, kind: ReportKind) -> list[tuple[str, str]]:
    """The currencies to choose from, value and name, where there are several: for a long report nothing else."""
    single = [each for each in form.currencies if each[0] not in ("", REPORTING)]
    if kind.currencies is None:
        return form.currencies if single else []
    return single if len(single) > 1 else []


def _of_one_currency(filters: ReportFilters, form: ReportForm, kind: ReportKind) -> ReportFilters:
    """Of a long report the reporting currency, or the first, where none is chosen; files hold all."""
    if kind.currencies is None or filters.currency not in ("", REPORTING):
        return filters
    codes = [code for code, _ in _offered(form, kind)]
    return filters._replace(currency=_preferred(codes)) if codes else filters


def _preferred(currencies: Sequence[str]) -> str:
    return settings.REPORTING_CURRENCY if settings.REPORTING_CURRENCY in currencies else currencies[0]


def _opened(report: Report) -> str:
    """The currency whose section stands open where several have figures: the reporting currency, or the first.

    The others are folded: only what they come to is seen.
    """
    filled = [section.currency for section in report.sections if section.currency and not section.is_blank]
    return _preferred(filled) if len(filled) > 1 else ""


def _kind(key: str) -> ReportKind:
    if key not in REPORTS:
        raise Http404
    return REPORTS[key]


def _to_page(request: HttpRequest, key: str) -> HttpResponse:
    """What can't be filtered is told on the page, not in a file."""
    return redirect(f"{reverse('renewals:report', args=[key])}?{request.GET.urlencode()}")


def _tables(report: Report) -> list[tuple[str, list[tuple[Section, Table]]]]:
    """The tables of the same key in all sections, in the order in which they come first."""
    found: dict[str, list[tuple[Section, Table]]] = {}
    for section in report.sections:
        for table in section.tables:
            found.setdefault(table.key, []).append((section, table))
    return list(found.items())


class Place(NamedTuple):
    """A column, and how many like it stand before it: a product may be called as a column is, “Total” say."""

    column: Column
    before: int


def _places(table: Table) -> list[Place]:
    return [Place(each, table.columns[:at].count(each)) for at, each in enumerate(table.columns)]


def _columns(found: Sequence[tuple[Section, Table]]) -> list[Place]:
    """The columns of a table in any section, in their order: what was sold may differ from one to the other."""
    columns: list[Place] = []
    for _, table in found:
        place = 0
        for column in _places(table):
            if column not in columns:
                columns.insert(place, column)
            place = columns.index(column) + 1
    return columns


def _heads(found: Sequence[tuple[Section, Table]]) -> list[sheets.Column]:
    columns = (each.column for each in _columns(found))
    return [
        sheets.Column("Currency", 9),
        *(sheets.Column(each.head, each.width, each.kind in NUMBERS) for each in columns),
    ]


def _rows(found: Sequence[tuple[Section, Table]]) -> Iterator[Sequence[sheets.Cell]]:
    columns = _columns(found)
    for section, table in found:
        for row in table.rows:
            cells = dict(zip(_places(table), row, strict=True))
            yield [section.currency, *(_filed(each.column, cells.get(each)) for each in columns)]


def _filed(column: Column, cell: Figure | Cell) -> sheets.Cell:
    value = cell.value if isinstance(cell, Figure) else cell
    if column.kind == "month" and isinstance(value, date):
        return f"{value:%Y-%m}"
    return value


def _notes(kind: ReportKind, report: Report, form: ReportForm, today: date) -> Iterator[str]:
    filters = form.filters
    yield f"{kind.name}, {filters.first_month:%Y-%m} to {filters.last_month:%Y-%m}, as of {write_day(today)}"
    yield f"Filters: {'; '.join(form.in_words) or 'none'}; definitions {DEFINITIONS_VERSION}"
    yield report.lead
    yield from (f"{section.currency}: {section.lead}" for section in report.sections)
    yield from report.notes
    yield from (f"{each.term} ({each.rule}): {each.words}" for each in report.definitions)

"""The pipeline: whose SMA ends or ended, in buckets, as a page and as files of the same rows."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from portal import wording
from portal.access import staff_page
from portal.models import User
from portal.sheets import Amount, Cell, Column, csv_lines, xlsx_of
from portal.web import PAGE_LENGTH
from portal.web.files import csv_file, xlsx_file
from renewals.overviews import buckets, pipeline
from renewals.overviews.dongles import wording_of_releases
from renewals.overviews.pipeline import Pipeline, PipelineFilters, PipelineRow

LAST_PAGE = 1_000_000  # beyond any page that there is; keeps what is typed in an address from overflowing

COLUMNS = (
    Column("Bucket", 26),
    Column("Dongle", 12),
    Column("State of the dongle", 18),
    Column("Customer", 40),
    Column("Country", 8),
    Column("Owner", 20),
    Column("Families", 20),
    Column("Licences", 9),
    Column("Seats", 8),
    Column("Covered through", 16),
    Column("Missed major releases", 28),
    Column("SMA for a year", 16),
    Column("Currency", 9),
    Column("Newest quote", 13),
    Column("State of the quote", 18),
)


def _refusing(what: str) -> dict[str, str]:
    return {"invalid_choice": f"“%(value)s” is no {what} here; it was left out."}


class PipelineForm(forms.Form):
    """What of the pipeline is shown, as it stands in the address."""

    marks_optional = False  # every field is

    bucket = forms.ChoiceField(label="Bucket", required=False, error_messages=_refusing("bucket"))
    family = forms.ChoiceField(label="Family", required=False, error_messages=_refusing("product family"))
    country = forms.ChoiceField(label="Country", required=False, error_messages=_refusing("country"))
    owner = forms.ChoiceField(label="Owner", required=False, error_messages=_refusing("owner"))
    currency = forms.ChoiceField(label="Currency", required=False, error_messages=_refusing("currency"))

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self._user = user
        choices = pipeline.read_choices()
        countries = sorted((wording.country_name(code), code) for code in choices.countries)
        owners = [(str(pk), name) for pk, name in choices.owners]
        for name, first, offered in (
            ("bucket", "All", list(buckets.NAMES.items())),
            ("family", "All", [(name, name) for name in choices.families]),
            ("country", "All", [(code, name) for name, code in countries]),
            ("owner", "Everybody’s", [("me", "Mine"), ("nobody", "Nobody’s"), *owners]),
            ("currency", "All", [(code, code) for code in choices.currencies]),
        ):
            self.fields[name].choices = [("", first), *offered]
        self._families = choices.families

    def clean(self) -> dict[str, Any]:
        if self.data.get("sort", "") not in pipeline.ORDERS:
            self.add_error(None, f"The rows can’t be sorted by “{self.data['sort']}”; they stand in the usual order.")
        return super().clean()

    @property
    def filters(self) -> PipelineFilters:
        """What is asked for; what was refused is left out."""
        self.is_valid()
        chosen, sort, owner = self.cleaned_data, self.data.get("sort", ""), self.cleaned_data.get("owner", "")
        named = {"": None, "me": self._user.pk, "nobody": pipeline.NOBODY}
        return PipelineFilters(
            bucket=chosen.get("bucket", ""),
            family=self._families.get(chosen.get("family", "")),
            country=chosen.get("country", ""),
            owner=named[owner] if owner in named else int(owner),
            currency=chosen.get("currency", ""),
            sort=sort if sort in pipeline.ORDERS else "",
        )

    @property
    def in_words(self) -> list[str]:
        """The filters that hold, for a page on paper and a file: “Country: Germany”."""
        self.is_valid()
        return [
            f"{field.label}: {dict(field.field.choices)[value]}"
            for field in self
            if (value := self.cleaned_data.get(field.name))
        ]


class Head(NamedTuple):
    """The head of a column that sorts: what its link asks for, and how the column is sorted now."""

    label: str
    sort: str
    direction: str


class ShownRow(NamedTuple):
    """A row with words for its country and missed majors, and how many decimals its currency has less than others on
    the page: values stand under each other by the decimal point.
    """

    row: PipelineRow
    country: str
    missed: str
    decimals_less: int


@require_GET
@staff_page()
def pipeline_page(request: HttpRequest) -> HttpResponse:
    """The buckets with count and value, and the dongles of the one that was chosen."""
    return _render(request, PipelineForm(request.GET, user=request.user))


def _render(request: HttpRequest, form: PipelineForm) -> HttpResponse:
    filters, today, number = form.filters, timezone.localdate(), _page_number(request)
    read = pipeline.read_pipeline(filters, today, limit=PAGE_LENGTH, offset=(number - 1) * PAGE_LENGTH)
    page = Paginator(range(read.chosen), PAGE_LENGTH).get_page(number)
    if page.number != number:
        read = pipeline.read_pipeline(filters, today, limit=PAGE_LENGTH, offset=(page.number - 1) * PAGE_LENGTH)
    context = {
        "form": form,
        "filters": filters,
        "filters_in_words": form.in_words,
        "is_filtered": filters._replace(sort="", bucket="") != PipelineFilters(),
        "pipeline": read,
        "page": page,
        "rows": _shown(list(pipeline.finish_rows(read))),
        "bucket": next((bucket for bucket, _ in read.figures if bucket.key == filters.bucket), None),
        "due": read.figures_of(buckets.DUE),
        "lapsed": read.figures_of(("lapsed", "lapsed_over_major")),
        "heads": {
            key: _head(label, key, first, filters.sort)
            for key, label, first in (
                ("serial", "Dongle", "serial"),
                ("customer", "Customer", "customer"),
                ("date", "SMA", "date"),
                ("value", "SMA for a year", "-value"),
            )
        },
        "campaign_address": _campaign_address(filters, read.days),
        "considered": buckets.CONSIDERED,
        "value_definition": buckets.VALUE,
        "definitions": buckets.DEFINITIONS,
    }
    return render(request, "renewals/pipeline.html", context, status=422 if form.errors else 200)


def _campaign_address(filters: PipelineFilters, days: buckets.Days) -> str:
    """Where quotes are drafted for what is due of what is shown; none where a campaign can't be asked for it."""
    firsts = (days.lapsed_before, *(day + timedelta(days=1) for day in days.due))
    windows = dict(zip(buckets.DUE, zip(firsts, days.due, strict=False), strict=True))
    windows[""] = (days.lapsed_before, days.due[-1])
    if filters.bucket not in windows or filters.owner == pipeline.NOBODY:
        return ""
    starts_on, ends_on = windows[filters.bucket]
    named = {name: getattr(filters, name) for name in ("family", "country", "owner", "currency")}
    asked = {"starts_on": starts_on, "ends_on": ends_on, **{name: value for name, value in named.items() if value}}
    return f"{reverse('renewals:new_campaign')}?{urlencode(asked)}"


def _shown(rows: Sequence[PipelineRow]) -> Sequence[ShownRow]:
    decimals = [wording.currency_exponent(row.currency) for row in rows]
    most = max(decimals, default=0)
    return [
        ShownRow(row, wording.country_name(row.country), wording_of_releases(row.missed), most - own)
        for row, own in zip(rows, decimals, strict=True)
    ]


def _page_number(request: HttpRequest) -> int:
    """The page asked for; the first where that is no number."""
    text = request.GET.get("page", "")
    return min(max(int(text), 1), LAST_PAGE) if text.isdecimal() and len(text) < 20 else 1


def _head(label: str, key: str, first: str, sort: str) -> Head:
    if sort not in (key, f"-{key}"):
        return Head(label, first, "")
    is_descending = sort.startswith("-")
    return Head(label, key if is_descending else f"-{key}", "descending" if is_descending else "ascending")


@require_GET
@staff_page()
def pipeline_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All rows that the filters show, as CSV."""
    form, today = PipelineForm(request.GET, user=request.user), timezone.localdate()
    if not form.is_valid():
        return _to_page(request)
    rows = _file_rows(pipeline.read_pipeline(form.filters, today))
    return csv_file(csv_lines(COLUMNS, rows), f"pipeline-{today.isoformat()}")


@require_GET
@staff_page()
def pipeline_xlsx(request: HttpRequest) -> HttpResponse:
    """All rows that the filters show, as XLSX, with the definitions on a sheet of their own."""
    form, today = PipelineForm(request.GET, user=request.user), timezone.localdate()
    if not form.is_valid():
        return _to_page(request)
    read = pipeline.read_pipeline(form.filters, today)
    content = xlsx_of("Pipeline", COLUMNS, _file_rows(read), _notes(read, form))
    return xlsx_file(content, f"pipeline-{today.isoformat()}")


def _to_page(request: HttpRequest) -> HttpResponse:
    """What can't be filtered is told on the page, not in a file."""
    return redirect(f"{reverse('renewals:pipeline')}?{request.GET.urlencode()}")


def _file_rows(read: Pipeline) -> Iterator[Sequence[Cell]]:
    return map(_file_row, pipeline.finish_rows(read))


def _file_row(row: PipelineRow) -> Sequence[Cell]:
    return (
        row.bucket.name,
        row.serial,
        row.state.capitalize(),
        row.customer,
        row.country,
        row.owner,
        ", ".join(row.families),
        row.licences,
        row.seats,
        row.through,
        wording_of_releases(row.missed),
        None if row.value is None else Amount(row.value, row.currency),
        row.currency,
        row.quote.quote_number if row.quote else "",
        row.quote_state.capitalize(),
    )


def _notes(read: Pipeline, form: PipelineForm) -> Iterator[str]:
    yield f"Pipeline of {wording.write_day(read.days.today)}, definitions {buckets.DEFINITIONS}"
    yield f"Filters: {'; '.join(form.in_words) or 'none'}"
    yield buckets.CONSIDERED
    for bucket, _ in read.figures:
        yield f"{bucket.name}: {bucket.definition}"
    yield buckets.VALUE

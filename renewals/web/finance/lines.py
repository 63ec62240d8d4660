"""The lines behind a figure of a report: a page of them, and all of them as CSV."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import sheets
from portal.access import staff_page
from portal.sheets import Amount
from portal.web.files import csv_file
from portal.wording import country_name
from renewals.forms.finance import LinesForm
from renewals.overviews.finance import REPORTS, lines
from renewals.overviews.finance.figures import currencies_of
from renewals.overviews.finance.lines import Line

COLUMNS = (
    sheets.Column("Order", 12),
    sheets.Column("Customer", 32),
    sheets.Column("Country", 16),
    sheets.Column("Segment", 14),
    sheets.Column("Dongle", 12),
    sheets.Column("Product", 28),
    sheets.Column("Line", 20),
    sheets.Column("Reason", 14),
    sheets.Column("First day", 12),
    sheets.Column("Last day", 12),
    sheets.Column("Booked", 10),
    sheets.Column("Currency", 9),
    sheets.Column("Whole amount", 16),
    sheets.Column("In this figure", 16),
)


@require_GET
@staff_page()
def lines_page(request: HttpRequest) -> HttpResponse:
    """The figure, and the lines which it is made of, fifty at a time."""
    form = LinesForm(request.GET, today=timezone.localdate())
    asked = form.asked
    page = lines.read_lines(asked, after=form.after)
    context = {
        "form": form,
        "asked": asked,
        "kinds": REPORTS.values(),
        "filters_in_words": form.in_words,
        "totals": [(currency, lines.total_of(asked, currency)) for currency in currencies_of(asked.filters)],
        "page": page,
        "is_beginning": form.after is None,
    }
    return render(request, "renewals/finance/lines.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def lines_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All the lines as CSV, written while they are read."""
    today = timezone.localdate()
    form = LinesForm(request.GET, today=today)
    if not form.is_valid():
        return redirect(f"{reverse('renewals:finance_lines')}?{request.GET.urlencode()}")
    asked = form.asked
    return csv_file(sheets.csv_lines(COLUMNS, _rows(asked)), f"lines-{asked.figure}-{today.isoformat()}")


def _rows(asked: lines.LinesAsked) -> Iterator[list[sheets.Cell]]:
    for line in lines.all_lines(asked):
        yield _row(line)


def _row(line: Line) -> list[sheets.Cell]:
    segment = line.segment
    order_line = segment.order_line
    return [
        order_line.order.number,
        segment.customer.name,
        country_name(segment.country),
        segment.get_customer_segment_display(),
        order_line.licence.dongle.serial,
        segment.product.name,
        order_line.quote_line.get_kind_display() if order_line.quote_line else "",
        segment.get_reason_display(),
        segment.starts_on,
        segment.ends_on,
        f"{segment.booked_month:%Y-%m}",
        segment.currency,
        Amount(segment.amount, segment.currency),
        Amount(line.amount, segment.currency),
    ]

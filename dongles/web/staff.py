"""The pages of what is out there: finding dongles; an unlock code as rows, QR and file, and its receipt."""

import io

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from dongles import queries
from dongles.forms import FindForm, ReceiptForm
from dongles.models import UnlockCode
from dongles.services import confirm_receipt
from dongles.unlock import printed_rows
from portal import trail
from portal.access import staff_page
from portal.audit import Actor
from portal.web import PAGE_LENGTH, attempt
from portal.wording import write_day


@require_GET
@staff_page()
def find(request: HttpRequest) -> HttpResponse:
    """Find dongles by serial in any spelling, customer or e-mail; one that is found alone is shown at once."""
    form = FindForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = queries.dongles_matching(text) if text else []
    if len(found) == 1:
        return redirect("renewals:dongle", found[0].serial)
    context = {
        "form": form,
        "text": text,
        "found": found,
        "today": timezone.localdate(),
        "limit": queries.MOST_FOUND,
    }
    return render(request, "dongles/find.html", context)


@require_GET
@staff_page()
def history(request: HttpRequest, serial: str) -> HttpResponse:
    """Who did what to the dongle, its licences and its codes, newest first."""
    dongle = queries.dongle_by_serial(serial)
    places = {side: request.GET.get(side, "") for side in ("older", "newer")}
    page = trail.read_page(trail.events_of(*queries.parts_of(dongle)), PAGE_LENGTH, **places)
    context = {"dongle": dongle, "page": page, "rows": trail.listed(page.events, request.user)}
    return render(request, "dongles/history.html", context)


def _code(code_id: int) -> UnlockCode:
    codes = UnlockCode.objects.select_related("dongle__customer", "receipt")
    return get_object_or_404(codes, pk=code_id)


@require_GET
@staff_page()
def code_page(request: HttpRequest, code_id: int) -> HttpResponse:
    return _code_page(request, _code(code_id), ReceiptForm())


def _code_page(request: HttpRequest, code: UnlockCode, form: ReceiptForm, status: int = 200) -> HttpResponse:
    context = {
        "code": code,
        "dongle": code.dongle,
        "rows": printed_rows(code.letters),
        "stated": queries.stated_licences(code),
        "form": form,
        "history": trail.history_of(code),
    }
    return render(request, "dongles/code.html", context, status=status)


@require_GET
@staff_page()
def code_qr(request: HttpRequest, code_id: int) -> HttpResponse:
    """The letters as a QR code."""
    return picture_of_code(_code(code_id))


def picture_of_code(code: UnlockCode) -> HttpResponse:
    """The letters of a code as a QR code (alphanumeric mode)."""
    picture = io.BytesIO()
    qr = segno.make(code.letters, mode="alphanumeric", micro=False)
    qr.save(picture, kind="svg", scale=4, border=4, light="#fff", svgclass=None, lineclass=None)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@require_GET
@staff_page()
def code_file(request: HttpRequest, code_id: int) -> HttpResponse:
    """The letters as a file to load from a stick."""
    return file_of_code(_code(code_id))


def file_of_code(code: UnlockCode) -> HttpResponse:
    """The letters of a code as a file named after it."""
    return HttpResponse(
        code.letters,
        content_type="text/plain; charset=us-ascii",
        headers={"Content-Disposition": f'attachment; filename="{code}.smacode"'},
    )


@require_POST
@staff_page("sell")
def receipt(request: HttpRequest, code_id: int) -> HttpResponse:
    """The receipt that the dongle shows: the code is then known to be applied."""
    code, form = _code(code_id), ReceiptForm(request.POST)
    if form.is_valid():
        confirmed = attempt(
            form,
            confirm_receipt,
            dongle=code.dongle,
            receipt=form.cleaned_data["receipt"],
            actor=Actor.of(request.user),
            at=timezone.now(),
        )
        if confirmed:
            messages.success(request, f"Dongle {code.dongle} holds the date {write_day(confirmed.expiry_on)} now.")
            return redirect("dongles:code", confirmed.pk)
    return _code_page(request, code, form, status=422)

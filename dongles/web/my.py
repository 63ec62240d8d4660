"""Customers' pages of what is theirs: an unlock code to apply, and the receipt that says that it was."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from dongles import queries
from dongles.forms import ReceiptForm
from dongles.models import Dongle, UnlockCode
from dongles.services import confirm_receipt
from dongles.unlock import NotASerial, canonical_serial, printed_rows
from dongles.web.staff import file_of_code, picture_of_code
from portal.access import customer_page
from portal.models import Customer
from portal.web import attempt, by
from portal.wording import write_day


def own_dongle(customer: Customer, text: str) -> Dongle:
    """The customer's dongle with this serial in any spelling; 404 for whatever else, another customer's included."""
    try:
        serial = canonical_serial(text)
    except NotASerial:
        raise Http404 from None
    dongles = Dongle.objects.select_related("customer", "replaced_by__successor", "replaces__predecessor")
    return get_object_or_404(dongles, serial=serial, customer=customer)


def own_code(customer: Customer, serial: str, code_id: int) -> UnlockCode:
    """The code of the customer's dongle, or 404."""
    codes = UnlockCode.objects.select_related("dongle__customer", "receipt")
    return get_object_or_404(codes, pk=code_id, dongle__serial=serial, dongle__customer=customer)


@require_GET
@customer_page
def code_page(request: HttpRequest, customer: Customer, serial: str, code_id: int) -> HttpResponse:
    """The code to type, scan or load, how that is done, and where the receipt goes."""
    return _code_page(request, own_code(customer, serial, code_id), ReceiptForm())


def _code_page(request: HttpRequest, code: UnlockCode, form: ReceiptForm, status: int = 200) -> HttpResponse:
    context = {
        "code": code,
        "dongle": code.dongle,
        "rows": printed_rows(code.letters),
        "stated": queries.stated_licences(code),
        "standing": queries.standing_of_code(code),
        "form": form,
    }
    return render(request, "dongles/my/code.html", context, status=status)


@require_GET
@customer_page
def code_qr(request: HttpRequest, customer: Customer, serial: str, code_id: int) -> HttpResponse:
    """The letters as a QR code."""
    return picture_of_code(own_code(customer, serial, code_id))


@require_GET
@customer_page
def code_file(request: HttpRequest, customer: Customer, serial: str, code_id: int) -> HttpResponse:
    """The letters as a file to load from a stick."""
    return file_of_code(own_code(customer, serial, code_id))


@require_POST
@customer_page
def receipt(request: HttpRequest, customer: Customer, serial: str, code_id: int) -> HttpResponse:
    """“I have applied it”: the receipt that the dongle shows; the dongle is then known to be up to date."""
    code, form = own_code(customer, serial, code_id), ReceiptForm(request.POST)
    if form.is_valid():
        confirmed = attempt(
            form, confirm_receipt, dongle=code.dongle, receipt=form.cleaned_data["receipt"], **by(request)
        )
        if confirmed:
            newest = queries.standing_of_code(confirmed).newest
            if newest != confirmed:
                messages.warning(request, f"This is the receipt of an earlier code. Please apply code {newest} too.")
                return redirect("dongles:my_code", serial, newest.pk)
            until = write_day(confirmed.expiry_on)
            messages.success(request, f"Thank you. Dongle {serial} is up to date: it holds the date {until}.")
            return redirect("renewals:my_dongle", serial)
    return _code_page(request, code, form, status=422)

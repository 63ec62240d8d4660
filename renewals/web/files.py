"""Purchase orders as files: adding one to an order, and handing it out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from portal.access import staff_page
from portal.web import attempt, by
from renewals import filestore
from renewals.forms.staff import PurchaseOrderFileForm
from renewals.models import PurchaseOrderFile
from renewals.services.files import attach_purchase_order
from renewals.web.orders import order_at, render_order


@require_POST
@staff_page()
def attach(request: HttpRequest, order_id: int) -> HttpResponse:
    """Add a file to an order; all staff that sells or settles may, which the service checks."""
    order, form = order_at(order_id), PurchaseOrderFileForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["purchase_order_file"]
        kept = attempt(form, attach_purchase_order, order=order, name=upload.name, content=upload, **by(request))
        if kept:
            messages.success(request, f"{kept.name} is kept with order {order.number}.")
            return redirect("renewals:order", order_id)
    return render_order(request, order, {"file_form": form}, status=422)


@require_GET
@staff_page()
def order_file(request: HttpRequest, order_id: int, file_id: int) -> HttpResponse:
    """A purchase order as it was uploaded, to be saved: no browser is to show it, or run anything in it."""
    file = get_object_or_404(PurchaseOrderFile, pk=file_id, order_id=order_id)
    answer = HttpResponse(filestore.read(file.path, file.sha256), content_type=file.kind)
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer

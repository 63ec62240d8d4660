"""The pages of the import: choose a file, say what its columns hold, check it, import it (the last two are jobs)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from dongles.installed_base import services
from dongles.installed_base.fields import FIELDS
from dongles.installed_base.forms import ColumnsForm, FileForm
from dongles.installed_base.sheets import MOST_BYTES
from dongles.models import Import
from portal.access import staff_page
from portal.uploading import takes_up_to
from portal.web import attempt, by

LISTED = 20


@takes_up_to(MOST_BYTES + 1024 * 1024)
@require_http_methods(["GET", "POST"])
@staff_page(services.ABILITY)
def import_page(request: HttpRequest) -> HttpResponse:
    """Choose a file; below, what was imported before."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        content = upload.read(MOST_BYTES + 1)
        kept = attempt(form, services.keep_file, name=upload.name, content=content, **by(request))
        if kept:
            return redirect("dongles:import_columns", kept.pk)
    imports = Import.objects.select_related("uploaded_by").defer("content")[:LISTED]
    context = {"form": form, "imports": imports, "fields": FIELDS}
    return render(request, "dongles/import.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff_page(services.ABILITY)
def columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Say what each column holds; posted, the file is checked."""
    imported = get_object_or_404(Import, pk=import_id)
    table = services.preview_of(imported, request.POST.get("sheet") or request.GET.get("sheet", ""))
    form = ColumnsForm(request.POST or None, table=table, choices=services.suggested_choices(imported, table))
    if request.method == "POST" and form.is_valid():
        chosen = {"imported": imported, "sheet": table.sheet, "choices": form.choices}
        if attempt(form, services.choose_columns, **chosen, **by(request)):
            return redirect("job", services.start_check(imported=imported, **by(request)).pk)
    context = {"import": imported, "table": table, "form": form}
    return render(request, "dongles/import_columns.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(services.ABILITY)
def start(request: HttpRequest, import_id: int) -> HttpResponse:
    """Import a file that was checked."""
    imported = get_object_or_404(Import, pk=import_id)
    return redirect("job", services.start_import(imported=imported, **by(request)).pk)

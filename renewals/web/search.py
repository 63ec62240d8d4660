"""The search of every page: it leads to the one thing meant, or shows what could be."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dongles.forms import PlainCharField
from portal.access import staff_page
from renewals import overviews


class SearchForm(forms.Form):
    q = PlainCharField(
        label="Search",
        max_length=200,
        required=False,
        error_messages={"max_length": "This is longer than anything on record: type at most %(limit_value)d letters."},
    )


@require_GET
@staff_page()
def search_page(request: HttpRequest) -> HttpResponse:
    """Find dongles, customers, contacts, quotes, orders, requests and unlock codes by what names them."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = overviews.search_results(text, timezone.localdate())
    if meant := overviews.the_one_meant(found):
        return redirect(meant.address)
    context = {"form": form, "text": text, "found": found}
    return render(request, "renewals/search.html", context, status=422 if form.errors else 200)

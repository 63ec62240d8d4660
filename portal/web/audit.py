"""The audit trail as a page: who did what when, filtered; and the same events as a file."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal import exports, trail
from portal.access import staff_page
from portal.deeds import ACTIONS, KINDS
from portal.trail import TrailFilters
from portal.web import PAGE_LENGTH, by
from portal.web.files import csv_file

STREAMED_TO = 10_000  # events that are handed out at once as a file; more are long work
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TrailForm(forms.Form):
    """Which events are shown, as it stands in the address."""

    marks_optional = False  # every field is

    who = forms.ChoiceField(label="Who", required=False)
    action = forms.ChoiceField(label="What was done", required=False)
    kind = forms.ChoiceField(label="Kind of object", required=False)
    number = forms.CharField(label="Name or number", required=False, max_length=200)
    from_on = forms.DateField(label="From", required=False, widget=DAY)
    to_on = forms.DateField(label="Through", required=False, widget=DAY)
    reason = forms.CharField(label="Text in the reason", required=False, min_length=3, max_length=100)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        words = sorted((words, action) for action, words in ACTIONS.items())
        kinds = sorted((kind.word, name) for name, kind in KINDS.items())
        for field, first, offered in (
            ("who", "Anybody", [(name, name) for name in trail.actor_names()]),
            ("action", "Anything", [(action, word) for word, action in words]),
            ("kind", "Any", [(name, word) for word, name in kinds]),
        ):
            self.fields[field].choices = [("", first), *offered]
            self.fields[field].error_messages["invalid_choice"] = "“%(value)s” is not known here; it was left out."

    @property
    def filters(self) -> TrailFilters:
        """What is asked for; what was refused is left out."""
        self.is_valid()
        return TrailFilters(**{name: value for name, value in self.cleaned_data.items() if value})


@require_GET
@staff_page()
def audit_trail(request: HttpRequest) -> HttpResponse:
    """Who did what when, the newest first."""
    form = TrailForm(request.GET)
    filters = form.filters
    events = trail.events_matching(filters)
    places = {side: request.GET.get(side, "") for side in ("older", "newer")}
    page = trail.read_page(events, PAGE_LENGTH, **places)
    context = {
        "form": form,
        "is_filtered": filters != TrailFilters(),
        "page": page,
        "rows": trail.listed(page.events, request.user),
        "count": trail.count_to(events, STREAMED_TO),
        "limit": STREAMED_TO,
    }
    return render(request, "portal/audit.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page()
def audit_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The events that the filters ask for as CSV, where they are not too many to wait for."""
    form = TrailForm(request.GET)
    page = f"{reverse('audit')}?{request.GET.urlencode()}"
    if not form.is_valid():
        return redirect(page)
    if trail.count_to(trail.events_matching(form.filters), STREAMED_TO) > STREAMED_TO:
        messages.error(request, "These are too many events to wait for: have them exported in the background.")
        return redirect(page)
    return csv_file(exports.export_lines(form.filters), f"audit-{timezone.localdate().isoformat()}")


@require_POST
@staff_page()
def export(request: HttpRequest) -> HttpResponse:
    """Have all events that the filters ask for written to a file as long work, and go to its page."""
    form = TrailForm(request.POST)
    if not form.is_valid():
        return redirect(f"{reverse('audit')}?{request.POST.urlencode()}")
    return redirect("job", exports.start_export(filters=form.filters, **by(request)).pk)

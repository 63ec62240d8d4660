"""What is not right with the data on record, and merging two spellings of one customer."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import jobs
from portal.access import staff_page
from portal.web import PAGE_LENGTH, by
from renewals.models import CustomerMerge, Resemblance
from renewals.overviews import data_quality as flaws
from renewals.services import customers


@require_GET
@staff_page()
def data_quality(request: HttpRequest) -> HttpResponse:
    """What is not right, by kind; of one kind with `?kind=`, else of the first that has any."""
    counts = flaws.counts_of_flaws()
    found = [key for key, count in counts.items() if count]
    kind = request.GET.get("kind", "")
    if kind not in flaws.FLAWS:
        kind = found[0] if found else ""
    context = {
        "kinds": [(key, flaw.name, counts[key]) for key, flaw in flaws.FLAWS.items()],
        "kind": kind,
        "flaw": flaws.FLAWS.get(kind),
        "last_look": flaws.last_look_for_doubles(),
        "merges": flaws.merged_lately(),
    }
    if kind:
        # The page's numbers come from the count; the rows are read for that page alone.
        page = Paginator(range(counts[kind]), PAGE_LENGTH).get_page(request.GET.get("page"))
        first = (page.number - 1) * PAGE_LENGTH
        context |= {"page": page, "findings": flaws.FLAWS[kind].read(timezone.localdate(), first, PAGE_LENGTH)}
    return render(request, "renewals/data_quality.html", context)


@require_POST
@staff_page("sell")
def look_for_doubles(request: HttpRequest) -> HttpResponse:
    """Look for customers entered twice now, as is done every night."""
    job = jobs.start_job_unless_open(
        kind="double_customers", title="Look for customers entered twice", unit="customer", **by(request)
    )
    return redirect("job", job.pk)


@require_http_methods(["GET", "POST"])
@staff_page("sell")
def merge_page(request: HttpRequest, resemblance_id: int) -> HttpResponse:
    """Both customers beside each other, what merging would do, and doing it: the one that is not kept is merged."""
    pair = _pair(resemblance_id)
    if request.method == "POST":
        keeps_one = request.POST.get("keep") == str(pair.one_id)
        kept, merged = (pair.one, pair.other) if keeps_one else (pair.other, pair.one)
        customers.merge_customers(kept=kept, merged=merged, **by(request))
        messages.success(request, f"{merged.name} is {kept.name} now. It can be undone below.")
        return redirect(f"{reverse('renewals:data_quality')}?kind=doubles")
    sides = flaws.sides_of(pair)
    context = {"pair": pair, "sides": sides, "differences": flaws.differences_of(*(side.customer for side in sides))}
    return render(request, "renewals/merge.html", context)


@require_POST
@staff_page("sell")
def dismiss(request: HttpRequest, resemblance_id: int) -> HttpResponse:
    """They are two: the pair is not shown again."""
    pair = customers.dismiss_resemblance(resemblance=_pair(resemblance_id), **by(request))
    messages.success(request, f"{pair.one.name} and {pair.other.name} stay two customers.")
    return redirect(f"{reverse('renewals:data_quality')}?kind=doubles")


@require_POST
@staff_page("sell")
def undo(request: HttpRequest, merge_id: int) -> HttpResponse:
    merge = get_object_or_404(CustomerMerge, pk=merge_id)
    customers.undo_merge(merge=merge, **by(request))
    messages.success(request, f"{merge.merged.name} and {merge.kept.name} are two customers again.")
    return redirect(f"{reverse('renewals:data_quality')}?kind=doubles")


def _pair(resemblance_id: int) -> Resemblance:
    return get_object_or_404(Resemblance.objects.select_related("one__owner", "other__owner"), pk=resemblance_id)

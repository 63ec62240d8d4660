"""Long work as pages: how far it is, what came of it, and stopping it or letting it go on."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from portal import jobs
from portal.access import staff_page
from portal.models import Job, OutboxMessage
from portal.web import PAGE_LENGTH, by
from portal.wording import write_duration


@require_GET
@staff_page()
def job_list(request: HttpRequest) -> HttpResponse:
    """All long work, the newest first."""
    page = Paginator(Job.objects.select_related("asked_by"), PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "portal/jobs.html", {"page": page})


@require_GET
@staff_page()
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """A job; asked by htmx only how far it is, and to load the page anew once it has ended."""
    job = _job(job_id)
    if not request.htmx:
        return render(request, "portal/job.html", {**_shown(job), "details": _details(job)})
    if not job.is_open:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "portal/parts/job_progress.html", _shown(job))


@require_POST
@staff_page()
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    jobs.cancel_job(job=_job(job_id), **by(request))
    return redirect("job", job_id)


@require_POST
@staff_page()
def resume(request: HttpRequest, job_id: int) -> HttpResponse:
    job = jobs.resume_job(job=_job(job_id), **by(request))
    messages.success(request, f"{job.title} goes on.")
    return redirect("job", job_id)


@require_GET
@staff_page()
def job_file(request: HttpRequest, job_id: int, name: str) -> StreamingHttpResponse:
    """A file that the job has made, piece by piece."""
    job = _job(job_id)
    if name not in jobs.files_to_download(job) or not job.files.filter(name=name).exists():
        raise Http404
    answer = StreamingHttpResponse(jobs.file_pieces(job, name), content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _job(job_id: int) -> Job:
    return get_object_or_404(Job.objects.select_related("asked_by"), pk=job_id)


def _shown(job: Job) -> dict[str, Any]:
    now = timezone.now()
    left = jobs.seconds_left(job, now)
    is_done = job.state == Job.State.DONE
    return {
        "job": job,
        "left": None if left is None or not job.is_open else write_duration(left),
        "took": write_duration((job.ended_at - job.asked_at).total_seconds()) if job.ended_at else "",
        "trouble": _trouble(job) if job.is_open else None,
        "files": jobs.files_to_download(job) if is_done else [],
    }


def _trouble(job: Job) -> OutboxMessage | None:
    """The slice that failed and is tried again, if there is one."""
    waiting = OutboxMessage.objects.filter(kind=jobs.SLICE, payload__contains={"job": job.pk}, done_at__isnull=True)
    return waiting.filter(attempts__gt=0).first()


def _details(job: Job) -> str:
    """The template with what this kind of work has to say of itself, if it has one."""
    name = f"jobs/{job.kind}.html"
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return ""
    return name
